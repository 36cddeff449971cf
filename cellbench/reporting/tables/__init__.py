"""Tables made from rows of results.

`registry` lists the views of `cellbench table`, each a file in views/, and by_view makes their tables. suite: a suite's
claimed, published and measured figures; comparison: two folders side by side. `table` is a table as data and its text
in every format; choosing: which lines of it are shown.
"""

FORMATS = ("text", "markdown", "latex", "csv", "json")  # that a table can be printed in, see `table.render`
