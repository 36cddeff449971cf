"""The one place where results ask reporting, which is above them, how they are shown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..reporting.notebook import Page as Page  # for results.py, which asks nothing of reporting itself
    from .results import Results


def overview(results: "Results") -> "Page":
    """The answer for each data set, and its leaderboard."""
    from ..reporting import notebook

    return notebook.overview(results)


def view(results: "Results", name: str, conditions: Sequence[str] = ()) -> "Page":
    """A view of `cellbench table`."""
    from ..reporting import notebook

    return notebook.view(results, name, conditions)
