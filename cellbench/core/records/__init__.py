"""A run and its files.

runs: what to do, and what came of it. schema: what a file may hold. store: the folder of all; results_folder: which one
commands take. heatmaps, stress, stress_answers: what lies beside a record.
"""
