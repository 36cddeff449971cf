"""Tables made from rows of results.

`registry` lists the views of `cellbench table`, `views` makes their tables; each view is a file: leaderboard,
contest, depth, per_class, efficiency, parity, scaling. suite: a suite's claimed, published and measured figures;
comparison: two folders side by side; runs: a line for each run. `table` is a table as data and its text in every
format; choosing: which lines of it are shown.
"""
