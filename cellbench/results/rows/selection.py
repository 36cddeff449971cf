"""The rows that conditions choose."""

from collections.abc import Sequence

import pandas as pd

from .conditions import holding, rows_where
from .row import L, Line, columns_of


def chosen(rows: Sequence[L], conditions: Sequence[str]) -> list[L]:
    """Return the rows for which the conditions hold; see `conditions.rows_where`.

    Conditions apply to figures pooled over seeds, so that no single seed is chosen for its luck. Raises UsageError as
    `rows_where` does.
    """
    if not conditions:
        return list(rows)
    return [rows[i] for i in rows_where(_frame([columns_of(row) for row in rows]), conditions).index]


def matching(rows: Sequence[L], conditions: Sequence[str], names: Sequence[str]) -> list[L]:
    """Return the rows for which the conditions hold, which may be none; see `conditions.holding`.

    names: the columns that conditions can use beside settings.
    """
    if not rows:
        return []
    used = dict.fromkeys((*names, "preprocessing", "params"))
    kept = holding(_frame([{name: row.get(name) for name in used} for row in rows]), conditions)
    return [row for row, holds in zip(rows, kept, strict=True) if holds]


def _frame(lines: Sequence[Line]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, dtype=object)
    return frame.where(frame.notna(), float("nan"))
