"""The rows that conditions choose."""

from collections.abc import Sequence

import pandas as pd

from .conditions import where
from .rows import L, columns_of


def chosen(rows: Sequence[L], conditions: Sequence[str], names: Sequence[str] = ()) -> list[L]:
    """Return the rows for which the conditions hold; see `conditions.where`.

    Conditions apply to figures pooled over seeds, so that no single seed is chosen for its luck. names: the columns
    that conditions can use; all if none is given. Raises UsageError as `where` does.
    """
    if not conditions:
        return list(rows)
    frame = pd.DataFrame([columns_of(row) for row in rows], columns=list(names) or None, dtype=object)
    kept = where(frame.where(frame.notna(), float("nan")), conditions)
    return [rows[i] for i in kept.index]
