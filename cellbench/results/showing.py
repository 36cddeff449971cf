"""The one place where results call higher layers, to be shown, drawn or written as a page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..reporting.notebook import Charts as Charts  # for results.py, which asks nothing of reporting itself
    from ..reporting.notebook import JudgedClaims as JudgedClaims
    from ..reporting.notebook import Page as Page
    from .results import Results


def overview(results: "Results") -> "Page":
    """Return a page with the answer for each data set and its leaderboard."""
    from ..reporting import notebook

    return notebook.overview(results)


def view(results: "Results", name: str, conditions: Sequence[str] = ()) -> "Page":
    """Return the view `name` of `cellbench table` as a page; conditions: as --where takes them."""
    from ..reporting import notebook

    return notebook.view(results, name, conditions)


def charts(results: "Results", kind: str, conditions: Sequence[str] = (), runs: str = "default") -> "Charts":
    """Return the charts of `cellbench plot`, one for each data set and split."""
    from ..reporting import notebook

    return notebook.charts(results, kind, conditions, runs)


def findings(results: "Results", claims: Sequence[str] = ()) -> "JudgedClaims":
    """Return what `cellbench findings` says."""
    from ..reporting import notebook

    return notebook.judgement(results, claims)


def report(results: "Results", path: Path, title: str, conditions: Sequence[str], runs: str, cells: bool) -> Path:
    """Write the page of `cellbench report`, and return its path."""
    from ..report_page import write_report

    return write_report(results, path, title=title, conditions=conditions, runs=runs, cells=cells).path
