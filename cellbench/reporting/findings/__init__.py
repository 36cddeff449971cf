"""Claims of the studies, judged by the results of a folder."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ...results import selection as choosing
from ...results.pooling import pool
from ...results.row_settings import with_settings
from ...results.rows import by
from .claim import chosen, load
from .sentence import plain_sentences
from .verdict import NOT_TESTED, Finding, find

GAPS = ("accuracy", "macro_f1")


def findings(frame: pd.DataFrame, ids: Sequence[str] = (), conditions: Sequence[str] = ()) -> list[Finding]:
    """The verdict on each claim, or on those with these ids, by the runs that conditions choose, as tables take them.

    In the claims' own order, but for those without a verdict, which come last.
    Raises UsageError for an unknown id, and for conditions that choose no run.
    """
    claims = chosen(load(), ids)
    rows = rows_of(frame, conditions)
    return sorted((find(claim, rows) for claim in claims), key=lambda one: one.verdict == NOT_TESTED)


def sentences(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """For each data set the best SVM against the best net, see `plain_sentences`."""
    return plain_sentences(rows_of(frame))


def rows_of(frame: pd.DataFrame, conditions: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Pooled rows that are ok, with gaps from train to test by figure, whose deviation over seeds is pooled too."""
    gaps = {f"gap_{name}": frame[f"train_{name}"] - frame[f"test_{name}"] for name in GAPS}
    given = frame.assign(**gaps)
    given.attrs = dict(frame.attrs)
    ok = [row for row in choosing.chosen(pool(given), conditions) if row["status"] == "ok"]
    return [dict(row) for group in by(ok, ("dataset",)) for row in with_settings(group)]
