"""What is worth seeing in results: pure functions from the rows of one data set to a table."""

import dataclasses
from collections.abc import Sequence

from ...results.pooling import BELOW_TWICE_CHANCE
from ...results.results import Results
from ...results.row_settings import with_settings
from ...results.rows import DATA, Line, Row, by, one_label
from ..captions import fact_of
from .choosing import lines_chosen, own
from .registry import VIEWS, View
from .scaling import SCOPE
from .table import Table


def tables(results: Results, view: str = "all", conditions: Sequence[str] = ()) -> list[Table]:
    """The tables of one of VIEWS, or of all that aren't for those who ask, a table for each group that it speaks of.

    Data sets with several labels an image come last: their figures are others. conditions: of rows, see `where`.
    """
    names = [name for name in VIEWS if name == view or (view == "all" and not VIEWS[name].on_request)]
    late = own(conditions, [column for name in names for column in VIEWS[name].own])
    rows = results.where([condition for condition in conditions if condition not in late])
    found = [
        _explained(_table(VIEWS[name], group, results.left_out), group)
        for name in names
        for group in _groups(rows, SCOPE if VIEWS[name].all_sizes else DATA)
    ]
    return lines_chosen(found, late)


def _table(view: View, rows: Sequence[Row], left_out: Sequence[Line]) -> Table:
    if not view.says_what_is_left_out:
        return view.table(rows)
    return view.table(rows, [row for row in left_out if all(row[name] == rows[0][name] for name in SCOPE)])


def _groups(rows: Sequence[Row], scope: Sequence[str]) -> list[list[Row]]:
    groups = [with_settings(group) for group in by(rows, scope)]
    return sorted(groups, key=lambda group: not one_label(group))


def _explained(table: Table, rows: Sequence[Line]) -> Table:
    """The table with a line on a remark that doesn't explain itself."""
    classes = fact_of(rows, "n_classes")
    if not any(BELOW_TWICE_CHANCE in row.get("remark", "") for row in table.rows):
        return table
    note = (
        f"{BELOW_TWICE_CHANCE}: recall on test, averaged over the {classes} classes, is under {200 / classes:.1f} %, "
        "twice what guessing gives; the method has learned next to nothing."
    )
    return dataclasses.replace(table, notes=(*table.notes, note))
