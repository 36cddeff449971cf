"""Records → results. Nothing here shows anything, trains anything or needs torch.

results: a folder of records, read and pooled once · runs: one run, with its prediction for each image · frame: all runs
as one tidy frame · rows/: what is pooled from them, chosen and compared · statistics/: intervals and paired tests of
arrays; certainty: of rows · confidence: whether probabilities are right · stress: stress tests of a row's models ·
showing: the one place that calls reporting, for results shown in a notebook.
"""
