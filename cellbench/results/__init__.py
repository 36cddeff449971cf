"""Records → results. Nothing here shows anything, trains anything or needs torch.

results: a folder of records, read and pooled once · runs: one run, with its prediction for each image · frame: all runs
as one tidy frame · pooling: rows, whose seeds are pooled · rows, row_settings: a row, and the settings that distinguish
it from others · conditions, selection: which rows are asked for · bootstrap, stats, certainty: intervals and paired
tests, of arrays and of rows · ranking, contest, val_policy: which rows are compared · backends, undertrained,
older_records: facts that a row's records do not hold · showing: the one place that calls reporting, for results shown
in a notebook.
"""
