"""From the options of a run to its records.

planning/: turns options into jobs · run: makes the plan from the options and runs it · run_jobs: runs the jobs of a
plan that are not done; policy says which these are, forecast and estimates how long they may take, progress and notes
show them to the user, dry_run only shows them · executors/: do the runs, each by single_run in its own process ·
saved_models/: save trained models, and label new images with them.
"""
