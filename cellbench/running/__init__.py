"""From the options of a run to its records.

planning/: turns options into jobs · run: makes the plan from the options and runs it · run_jobs: runs the jobs of a
plan that are not done (policy says which these are) · progress/: shows them to the user, before and while they run ·
executors/: do the runs, each by single_run in its own process · saved_models/: save trained models, and label new
images with them.
"""
