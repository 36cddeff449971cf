"""Which rows of tables are shown, and in which order."""

from collections.abc import Sequence

import pandas as pd

from ..core.errors import UsageError, did_you_mean
from ..core.words import counted
from .conditions import where
from .rows import Row

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
