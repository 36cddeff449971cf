"""The order of rows: by which metric, and which row is the best."""

from collections.abc import Sequence

from ...core.scoring.metrics import NAMED
from .row import HARDWARE, SETTINGS, Line, Row, one_label


def main_figure(rows: Sequence[Line]) -> str:
    """Return the metric to rank and compare rows by: 'accuracy', or 'macro_f1' where images have several labels."""
    return "accuracy" if one_label(rows) else "macro_f1"


def main_title(rows: Sequence[Line]) -> str:
    """Return the name of that metric as people write it: 'accuracy' or 'macro-F1'."""
    return NAMED[main_figure(rows)].title


def ranked(rows: Sequence[Row]) -> list[Row]:
    """Return the rows sorted by `main_figure` on test, the best first and those without the figure last."""
    name = main_figure(rows)
    return sorted(rows, key=lambda row: (-(row.metric(name) or 0), row.status != "ok", *order(row)))


def best_on_val(rows: Sequence[Row]) -> Row | None:
    """Return the row with the best macro-F1 on val among those with macro-F1 on val and test, None without any.

    Rows that were not trained enough come after all others. Among equal rows the one without changed settings is taken:
    another library that decides alike is no other method.
    """
    scored = [row for row in rows if None not in (row.metric("macro_f1", "val"), row.metric("macro_f1"))]
    return max(sorted(scored, key=order), key=_merit, default=None)


def _merit(row: Row) -> tuple[bool, float, bool]:
    return not row.undertrained, row.value("macro_f1", "val"), row.overrides == "{}"


def order(row: Line) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("method", *HARDWARE, *SETTINGS))
