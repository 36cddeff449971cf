"""Rows of results → tables. `registry` lists what `table --view` takes, `views` makes it; each view is a file:
leaderboard, contest, depth, per_class, efficiency, parity, scaling. suite: a suite's claimed, published and measured
figures; comparison: two folders side by side; runs: a line a run. `table` is a table as data and its text in every
format; choosing: which lines of it are shown.
"""
