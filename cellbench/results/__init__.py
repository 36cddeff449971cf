"""Records → results. Nothing here shows anything, trains anything or needs torch.

frame: a folder of records as one tidy frame · pooling: its runs as rows, seeds pooled · rows, row_settings: a row, what
tells it from others · conditions, selection: which rows are asked for · predictions: what runs said of each image ·
stats, certainty: intervals and paired tests, of arrays and of rows · ranking, contest, val_policy: which rows meet ·
backends, undertrained, older_records: what a row's own record does not say.
"""
