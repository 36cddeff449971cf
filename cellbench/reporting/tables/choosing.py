"""Which lines of tables are shown, and in which order."""

import dataclasses
import re
from collections.abc import Sequence

from ...core.errors import UsageError, did_you_mean
from ...results.rows.row import Line, columns_of
from ...results.rows.selection import chosen
from .table import Table


def lines_chosen(tables: Sequence[Table], conditions: Sequence[str]) -> list[Table]:
    """Return the tables with only those rows for which the conditions hold; tables without such a row are left out.

    Raises UsageError as `chosen` does, also where no row of any table is left.
    """
    if not conditions:
        return list(tables)
    kept = {id(row) for row in chosen([row for table in tables for row in table.rows], conditions)}
    shown = [tuple(row for row in table.rows if id(row) in kept) for table in tables]
    return [dataclasses.replace(table, rows=rows) for table, rows in zip(tables, shown, strict=True) if rows]


def conditions_on(conditions: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return those of the conditions, such as 'f1>0.5', whose name before the sign is one of `columns`."""
    return [condition for condition in conditions if re.split(r"[<>!=]", condition)[0].strip() in columns]


def ordered(tables: Sequence[Table], column: str) -> list[Table]:
    """Return the tables with their rows sorted by the key `column`, rows without a value last.

    The smallest value comes first, or the largest with a minus before the key. Tables without the key stay as they
    are. Raises UsageError where no table has the key.
    """
    name = column.removeprefix("-")
    known = {
        key for table in tables for row in table.rows for key, value in columns_of(row).items() if _sortable(value)
    }
    if name not in known:
        raise UsageError(f"--sort got {column!r}, and the tables have no such column; {did_you_mean(name, known)}")
    return [dataclasses.replace(table, rows=_sorted(table.rows, name, column != name)) for table in tables]


def _sorted(rows: Sequence[Line], name: str, largest_first: bool) -> tuple[Line, ...]:
    present = [row for row in rows if row.get(name) is not None]
    missing = [row for row in rows if row.get(name) is None]
    return (*sorted(present, key=lambda row: row[name], reverse=largest_first), *missing)


def _sortable(value: object) -> bool:
    return isinstance(value, str | int | float)
