"""Records → results. Nothing here shows anything, trains anything or needs torch.

results: a folder of records, read and pooled once · runs: one run, with its prediction for each image, where these
belong to it (fitting_predictions) · frame: all runs as one tidy frame, with what older_records lack · rows/: what is
pooled from them · statistics/: intervals and paired tests of arrays; certainty: of rows; contest: of families ·
confidence: whether probabilities are right · stress, heatmaps: what was found for a row's models · showing: the one
place that calls reporting, for results shown in a notebook.
"""
