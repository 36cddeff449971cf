"""The tables of results: which views are shown, for which rows, and with which notes."""

import dataclasses
from collections.abc import Sequence

from ...results.results import Results
from ...results.rows.pooling import BELOW_TWICE_CHANCE
from ...results.rows.row import DATA, SCOPE, Line, Row, grouped_by, one_label
from ...results.rows.settings import with_settings
from ..captions import fact_of
from .choosing import conditions_on, lines_chosen
from .registry import VIEWS, View
from .table import Table


def tables(results: Results, view: str = "all", conditions: Sequence[str] = ()) -> list[Table]:
    """Return the tables of a view, one for each data set, split and limit, or for all limits of a split together.

    view: a key of VIEWS, or 'all' for those that are not only on request. conditions: on rows, see `Results.where`.
    Data sets with several labels an image come last in each view, as their figures are not the same.
    """
    names = [name for name in VIEWS if name == view or (view == "all" and not VIEWS[name].on_request)]
    late = conditions_on(conditions, [column for name in names for column in VIEWS[name].own_columns])
    rows = results.where([condition for condition in conditions if condition not in late])
    found = [
        _explained(_table(VIEWS[name], group, results.left_out), group)
        for name in names
        for group in _groups(rows, _scope(VIEWS[name]))
    ]
    return lines_chosen(found, late)


def _table(view: View, rows: Sequence[Row], left_out: Sequence[Line]) -> Table:
    if not view.says_what_is_left_out:
        return view.table(rows)
    return view.table(rows, [row for row in left_out if all(row[name] == rows[0][name] for name in SCOPE)])


def _scope(view: View) -> Sequence[str]:
    """Return the columns whose values all rows of a table share."""
    if view.all_data:
        return ()
    if view.all_splits:
        return [name for name in DATA if name not in ("split", "val_limit")]
    return SCOPE if view.all_sizes else DATA


def _groups(rows: Sequence[Row], scope: Sequence[str]) -> list[list[Row]]:
    groups = [with_settings(group) for group in grouped_by(rows, scope)]
    return sorted(groups, key=lambda group: not one_label(group))


def _explained(table: Table, rows: Sequence[Line]) -> Table:
    """Return the table, with a note that explains the remark BELOW_TWICE_CHANCE if any row has it."""
    classes = fact_of(rows, "n_classes")
    if not any(BELOW_TWICE_CHANCE in row.get("remark", "") for row in table.rows):
        return table
    note = (
        f"{BELOW_TWICE_CHANCE}: recall on test, averaged over the {classes} classes, is under {200 / classes:.1f} %, "
        "twice what guessing gives; the method has learned next to nothing."
    )
    return dataclasses.replace(table, notes=(*table.notes, note))
