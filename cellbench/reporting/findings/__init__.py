"""Claims of the studies, judged by the results of a folder."""

from collections.abc import Sequence
from typing import Any

from ...results.results import Results
from ...results.row_settings import with_settings
from ...results.rows import Row, by
from .claim import chosen, load
from .sentence import plain_sentences
from .verdict import NOT_TESTED, Finding, find


def findings(results: Results, ids: Sequence[str] = (), conditions: Sequence[str] = ()) -> list[Finding]:
    """The verdict on each claim, or on those with these ids, by the runs that conditions choose, as tables take them.

    In the claims' own order, but for those without a verdict, which come last.
    Raises UsageError for an unknown id, and for conditions that choose no run.
    """
    claims = chosen(load(), ids)
    rows = rows_of(results, conditions)
    return sorted((find(claim, rows) for claim in claims), key=lambda one: one.verdict == NOT_TESTED)


def sentences(results: Results) -> list[dict[str, Any]]:
    """For each data set the best SVM against the best net, see `plain_sentences`."""
    return plain_sentences(rows_of(results))


def rows_of(results: Results, conditions: Sequence[str] = ()) -> list[Row]:
    """Rows that are ok, each with its settings."""
    ok = [row for row in results.where(conditions) if row.status == "ok"]
    return [row for group in by(ok, ("dataset",)) for row in with_settings(group)]
