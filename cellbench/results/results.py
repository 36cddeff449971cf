"""A folder of records as results: read once, pooled once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..core.errors import UsageError, did_you_mean
from ..core.records.results_folder import folder_to_name
from ..core.text.words import counted
from . import showing
from .frame import empty_frame, read_folder
from .rows.pooling import Drawn, pool
from .rows.row import Line, Row, grouped_by
from .rows.selection import chosen
from .rows.settings import with_settings
from .runs import Run

if TYPE_CHECKING:
    from .showing import Charts, JudgedClaims, Page

ALL_MACHINES = "all"
OF_LEFT_OUT = ("dataset", "fingerprint", "split", "family", "method", "settings", "depth")


@dataclass(frozen=True, eq=False, repr=False)
class Results:
    """The results of a folder of records, which tables, figures, findings and the page are made from.

    folder: the folder of the records. frame: one row for each run, with the columns of docs/results-frame.md; its index
    holds the run's position in `runs`. passed_over: (file relative to the folder, reason) for each file that is no
    whole record. left_out: the columns OF_LEFT_OUT of the rows that `select` left out, so that a view can mention them.
    """

    folder: Path
    frame: pd.DataFrame
    runs: Sequence[Run]
    passed_over: Sequence[tuple[str, str]] = ()
    left_out: Sequence[Line] = ()
    _drawn: Drawn = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path | str) -> "Results":
        """Return the results of all records below a folder. Raises UsageError as `read_folder` does."""
        return cls(Path(folder), *read_folder(folder))

    @classmethod
    def empty(cls, folder: Path) -> "Results":
        """Return results without any run."""
        return cls(folder, empty_frame(), ())

    @property
    def folder_to_name(self) -> Path | None:
        """The folder that commands have to name, or None if it is the default one."""
        return folder_to_name(self.folder)

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the tidy frame, which has one row for each run; docs/results-frame.md lists its columns."""
        return self.frame.copy()

    def __repr__(self) -> str:
        runs = counted(len(self.frame), "run")
        return f"<results of {runs} in {str(self.folder)!r}; print() shows the answer and the leaderboards>"

    def __str__(self) -> str:
        return repr(showing.overview(self))

    def _repr_html_(self) -> str:
        return showing.overview(self)._repr_html_()

    def table(self, view: str = "leaderboard", conditions: Sequence[str] = ()) -> "Page":
        """Return a view of `cellbench table`, which prints as text and is a table in a notebook.

        conditions: as --where takes them.
        """
        return showing.view(self, view, conditions)

    def chart(self, kind: str, conditions: Sequence[str] = (), runs: str = "default") -> "Charts":
        """Return the charts of `cellbench plot KIND`, one for each data set and split.

        A notebook shows them, and `save` writes them to files. conditions: as --where takes them. runs: as for
        `select`. Raises UsageError for an unknown kind, and if the results have nothing to draw.
        """
        return showing.charts(self, kind, conditions, runs)

    def findings(self, claims: Sequence[str] = ()) -> "JudgedClaims":
        """Return the answers and the verdicts of `cellbench findings`, which print as text.

        claims: ids of the claims to judge, all if none. Raises UsageError for an unknown id.
        """
        return showing.findings(self, claims)

    def report(
        self,
        path: Path | str = "report.html",
        *,
        title: str = "",
        conditions: Sequence[str] = (),
        runs: str = "default",
        cells: bool = True,
    ) -> Path:
        """Write the results as one HTML page, as `cellbench report` does, and return its path.

        conditions: as --where takes them. runs: as for `select`. cells: whether to show pictures of cells, which takes
        the prepared data sets. Raises UsageError if the page cannot be written.
        """
        return showing.report(self, Path(path), title, conditions, runs, cells)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows: one for all runs that differ in nothing but the random seed; see `pooling.pool`."""
        return pool(self.frame, self.runs, self._drawn)

    def where(self, conditions: Sequence[str]) -> list[Row]:
        """Return the rows for which the conditions hold. Raises UsageError as `selection.chosen` does."""
        return chosen(self.rows, conditions)

    def only(self, kept: Sequence[bool] | pd.Series) -> "Results":
        """Return the results of the runs for which `kept`, one value for each row of the frame, is true."""
        return self if all(kept) else replace(self, frame=self.frame[np.asarray(kept, bool)])

    def select(self, runs: str = "default") -> tuple["Results", str]:
        """Return the results of the runs to show, and a line about the others, which may be empty.

        runs: 'default' for the runs on all of the data with no setting changed (if there are any, else all), or 'all'.
        """
        default = self.frame["default"]
        if runs == "all" or default.all():
            return self, ""
        if not default.any():
            return self, "No run here is on all of the data with default settings, so all runs are shown."
        hidden = [row for group in grouped_by(self.only(~default).rows, ("dataset",)) for row in with_settings(group)]
        left_out = [{name: row[name] for name in OF_LEFT_OUT} for row in hidden if row.status == "ok"]
        n = int((~default).sum())
        what = f"{counted(n, 'other run')} (limited data or changed settings)"
        line = f"{what} {'are' if n > 1 else 'is'} not shown; see {'them' if n > 1 else 'it'} with: --runs all"
        return replace(self.only(default), left_out=left_out), line

    def of_machine(self, name: str | None, preferred: str = "") -> tuple["Results", str]:
        """Return the results of machine `name`, or of all ('all'), and a line about machines that are not shown.

        Without a name, these are the results of machine `preferred` if it has any, else of all machines. Raises
        UsageError for a machine that has no record.
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
    """Return the results of all records below a folder. Raises UsageError if the folder or records are missing."""
    return Results.load(folder)
