"""Records → results. Nothing here shows anything, trains anything or needs torch.

results: a folder of records, read and pooled once · runs: one run, with what it said of each image · frame: all runs as
one tidy frame · pooling: rows, whose seeds are pooled · rows, row_settings: a row, and what tells it from others ·
conditions, selection: which rows are asked for · bootstrap, stats, certainty: intervals and paired tests, of arrays and
of rows · ranking, contest, val_policy: which rows meet · backends, undertrained, older_records: what a row's own record
does not say · showing: the one door to reporting, for whoever looks at results in a notebook.
"""
