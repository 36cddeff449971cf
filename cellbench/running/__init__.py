"""From the options of a run to its records.

planning/: turns options into jobs · run: makes the plan from the options and runs it; dry_run: only shows it ·
run_jobs: runs the jobs of a plan that are not done (policy says which these are) · progress/: shows them to the user ·
executors/: do the runs, each by single_run in its own process · saved_models/: save trained models, and label new
images with them · tuning/: searches settings · stress/: tests trained models on changed images · bench/: times this
machine.
"""
