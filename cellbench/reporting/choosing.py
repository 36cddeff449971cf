"""Which rows of tables are shown, and in which order."""

import dataclasses
import re
from collections.abc import Sequence

import pandas as pd

from ..core.errors import UsageError, did_you_mean
from ..core.words import counted
from .table import Row, Table
from .where import where

ALL_MACHINES = "all"


def chosen(rows: Sequence[Row], conditions: Sequence[str], names: Sequence[str] = ()) -> list[Row]:
    """The rows for which the conditions hold, see `where`: of pooled figures, so that no single seed is picked by its
    luck. names: columns that conditions can ask for; all without any. Raises UsageError as `where` does."""
    if not conditions:
        return list(rows)
    frame = pd.DataFrame(rows, columns=list(names) or None, dtype=object)
    kept = where(frame.where(frame.notna(), float("nan")), conditions)
    return [rows[i] for i in kept.index]


def of_machine(frame: pd.DataFrame, name: str | None, preferred: str = "") -> tuple[pd.DataFrame, str]:
    """The records of machine `name`, or of all ('all'), and a line about the machines that are not shown.

    Without a name: those of the machine `preferred` where it has some, else all. Raises UsageError for a machine that
    has no record.
    """
    counts = {str(machine): n for machine, n in frame["machine"].value_counts().items()}
    wanted = name or (preferred if preferred in counts else ALL_MACHINES)
    if wanted == ALL_MACHINES:
        return frame, ""
    if wanted not in counts:
        raise UsageError(
            f"--machine got {wanted!r}, which has no record here; {did_you_mean(wanted, [*counts, 'all'])}"
        )
    others = ", ".join(f"{other} ({counted(n, 'run')})" for other, n in sorted(counts.items()) if other != wanted)
    line = f"Only runs of {wanted} are shown; there are others of {others}: --machine NAME, or --machine all"
    return frame[frame["machine"] == wanted], line if others else ""


def lines_chosen(tables: Sequence[Table], conditions: Sequence[str]) -> list[Table]:
    """The tables with the rows for which the conditions hold, those without a row left out; as `chosen`."""
    if not conditions:
        return list(tables)
    kept = {id(row) for row in chosen([row for table in tables for row in table.rows], conditions)}
    shown = [tuple(row for row in table.rows if id(row) in kept) for table in tables]
    return [dataclasses.replace(table, rows=rows) for table, rows in zip(tables, shown, strict=True) if rows]


def own(conditions: Sequence[str], columns: Sequence[str]) -> list[str]:
    """The conditions on one of these columns."""
    return [condition for condition in conditions if re.split(r"[<>!=]", condition)[0].strip() in columns]


def ordered(tables: Sequence[Table], column: str) -> list[Table]:
    """The tables, rows sorted by a key of theirs, missing last; with a minus in front the largest first.

    Tables without the key stay. Raises UsageError where none has it.
    """
    name = column.removeprefix("-")
    known = {key for table in tables for row in table.rows for key, value in row.items() if _sortable(value)}
    if name not in known:
        raise UsageError(f"--sort got {column!r}, and the tables have no such column; {did_you_mean(name, known)}")
    return [dataclasses.replace(table, rows=_sorted(table.rows, name, column != name)) for table in tables]


def _sorted(rows: Sequence[Row], name: str, largest_first: bool) -> tuple[Row, ...]:
    told = [row for row in rows if row.get(name) is not None]
    missing = [row for row in rows if row.get(name) is None]
    return (*sorted(told, key=lambda row: row[name], reverse=largest_first), *missing)


def _sortable(value: object) -> bool:
    return isinstance(value, str | int | float)
