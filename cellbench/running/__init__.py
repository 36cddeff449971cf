"""From the options of a run to its records.

planning/: turns options into jobs (job: one run to do) · run: makes the plan from the options and runs it; dry_run:
only shows it · run_jobs: runs the jobs of a plan that are not done (policy says which these are), each under a lock
(run_locks) · progress/: shows them to the user · executors/: do the runs, each by single_run in its own process, where
scores checks what a method returned and smaller_batches helps where a GPU is too small · saved_models/: save trained
models, and label new images with them · tuning/: searches settings · stress/: tests trained models on changed images ·
bench/: times this machine · plugins: methods and data sets of others · older_groups: groups for the predictions of
older runs.
"""
