"""From options to jobs.

options: what was asked for · quick: what --quick asks for · selection: the methods, data sets, suites and settings that
this comes to, checked · plan, suites: methods × data sets × seeds, and a suite's entries, as jobs.
"""
