"""Tuning: the settings of methods that are best on val, found with an equal budget for each.

space.py     which values of which settings are tried
budget.py    how long a method is tuned: seconds or trials
one_trial.py one trial: a method with some settings, scored on val; presence.py: which trials are still at work
tuning.py    the study of a method, and the few best of a part of the data on all of it
suites.py    what came of it, as a suite
"""
