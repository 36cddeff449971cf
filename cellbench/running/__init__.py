"""From what was asked for to records.

planning/ says what is to be run (jobs) · run: options, plan, runs, in this order · run_jobs: what is missing of a plan,
by policy (which jobs), forecast and estimates (how long), progress and notes (what is shown), dry_run (only shown) ·
executors/ do the runs, each by single_run in a process of its own · saved_models/ keep what was trained, and label new
images with it.
"""
