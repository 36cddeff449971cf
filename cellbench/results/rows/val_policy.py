"""The rows for a learning curve, on which each number of training images goes with one number of val images."""

import math
import statistics
from collections.abc import Sequence

from .row import Row, grouped_by


def val_policies(rows: Sequence[Row]) -> list[list[Row]]:
    """Return a list of rows for each policy by which val was limited: in proportion to train, or not at all.

    Rows on all images belong to both. For limits in proportion, if several sizes of val go with one size of train, the
    rows whose size of val is closest to the median proportion are kept. The policy with the most sizes of train comes
    first. A policy without any limited row is left out; if none is left, all rows are returned as one policy.
    """
    limited = [row for row in rows if row.val_limit or not row.limit]
    whole = [row for row in rows if not row.val_limit]
    found = [policy for policy in (_in_proportion(limited), whole) if any(row.limit for row in policy)]
    return sorted(found, key=lambda policy: -len(_sizes(policy))) or [list(rows)]


def main_policy(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the policy with the most sizes of train; see `val_policies`."""
    return val_policies(rows)[0]


def _sizes(rows: Sequence[Row]) -> set[int | None]:
    return {row.n_train for row in rows}


def _in_proportion(rows: Sequence[Row]) -> list[Row]:
    known = [row for row in rows if row.n_train and row.n_val]
    if not known:
        return list(rows)
    usual = statistics.median(map(_proportion, known))
    kept = []
    for of_size in grouped_by(known, ("n_train",)):
        nearest = min(of_size, key=lambda row: abs(math.log(_proportion(row) / usual)))
        kept += [row for row in of_size if row.n_val == nearest.n_val]
    return kept


def _proportion(row: Row) -> float:
    return float(row["n_val"] / row["n_train"])
