"""A folder of records as results: read once, pooled once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..core.errors import UsageError, did_you_mean
from ..core.words import counted
from . import showing
from .frame import read_folder
from .pooling import Drawn, pool
from .row_settings import with_settings
from .rows import Line, Row, by
from .runs import Run
from .selection import chosen

if TYPE_CHECKING:
    from .showing import Page

ALL_MACHINES = "all"
OF_LEFT_OUT = ("dataset", "fingerprint", "split", "family", "method", "settings", "depth")


@dataclass(frozen=True, eq=False, repr=False)
class Results:
    """What tables, figures, findings and the page are made of; none of these opens a file.

    folder: where the records lie. frame: a row a run, as docs/results-frame.md has it; its index says which of `runs`
    it is. passed_over: (file relative to the folder, reason) for each file that is no whole record. left_out: rows that
    `select` left out, as far as OF_LEFT_OUT goes, so that a view can say so where one is missed.
    """

    folder: Path
    frame: pd.DataFrame
    runs: Sequence[Run]
    passed_over: Sequence[tuple[str, str]] = ()
    left_out: Sequence[Line] = ()
    _drawn: Drawn = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path | str) -> "Results":
        """Results of every record below a folder; raises UsageError as `read_folder` does."""
        return cls(Path(folder), *read_folder(folder))

    def to_frame(self) -> pd.DataFrame:
        """A tidy frame with a row a run, the caller's to change: docs/results-frame.md has its columns."""
        return self.frame.copy()

    def __repr__(self) -> str:
        runs = counted(len(self.frame), "run")
        return f"<results of {runs} in {str(self.folder)!r}; print() shows the answer and the leaderboards>"

    def __str__(self) -> str:
        return repr(showing.overview(self))

    def _repr_html_(self) -> str:
        return showing.overview(self)._repr_html_()

    def table(self, view: str = "leaderboard", conditions: Sequence[str] = ()) -> "Page":
        """A view of `cellbench table`, as text or in a notebook; conditions: as --where takes them."""
        return showing.view(self, view, conditions)

    @cached_property
    def rows(self) -> list[Row]:
        """Runs that differ in nothing but the random seed, pooled; see `pooling.pool`."""
        return pool(self.frame, self.runs, self._drawn)

    def where(self, conditions: Sequence[str]) -> list[Row]:
        """Rows for which the conditions hold; raises UsageError as `selection.chosen` does."""
        return chosen(self.rows, conditions)

    def only(self, kept: Sequence[bool] | pd.Series) -> "Results":
        """The results of some runs: those whose row of the frame is kept, in the frame's order."""
        return self if all(kept) else replace(self, frame=self.frame[np.asarray(kept, bool)])

    def select(self, runs: str = "default") -> tuple["Results", str]:
        """The runs to show, 'default' (all of the data, no setting changed) or 'all', and a line about the others."""
        default = self.frame["default"]
        if runs == "all" or default.all():
            return self, ""
        if not default.any():
            return self, "No run here is on all of the data with default settings, so all runs are shown."
        hidden = [row for group in by(self.only(~default).rows, ("dataset",)) for row in with_settings(group)]
        left_out = [{name: row[name] for name in OF_LEFT_OUT} for row in hidden if row.status == "ok"]
        n = int((~default).sum())
        what = f"{counted(n, 'other run')} (limited data or changed settings)"
        line = f"{what} {'are' if n > 1 else 'is'} not shown; see {'them' if n > 1 else 'it'} with: --runs all"
        return replace(self.only(default), left_out=left_out), line

    def of_machine(self, name: str | None, preferred: str = "") -> tuple["Results", str]:
        """The results of machine `name`, or of all ('all'), and a line about the machines that are not shown.

        Without a name: those of the machine `preferred` where it has some, else all. Raises UsageError for a machine
        that has no record.
        """
        counts = {str(machine): n for machine, n in self.frame["machine"].value_counts().items()}
        wanted = name or (preferred if preferred in counts else ALL_MACHINES)
        if wanted == ALL_MACHINES:
            return self, ""
        if wanted not in counts:
            raise UsageError(
                f"--machine got {wanted!r}, which has no record here; {did_you_mean(wanted, [*counts, 'all'])}"
            )
        others = ", ".join(f"{other} ({counted(n, 'run')})" for other, n in sorted(counts.items()) if other != wanted)
        line = f"Only runs of {wanted} are shown; there are others of {others}: --machine NAME, or --machine all"
        return self.only(self.frame["machine"] == wanted), line if others else ""


def load_results(folder: Path | str) -> Results:
    """Results of every record below a folder; raises UsageError when there is no such folder, or no record in it."""
    return Results.load(folder)
