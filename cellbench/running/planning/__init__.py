"""From options to jobs.

options: the options of a run · quick: the options that --quick stands for · selection: the methods, data sets, suites
and settings that options choose, checked · plan: the jobs of methods × data sets × seeds · suites: the jobs of the
entries of suites · outline: what would run on data sets whose files are not here.
"""
