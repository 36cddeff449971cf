"""The one place where results call reporting, a higher layer, to be shown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..reporting.notebook import Page as Page  # for results.py, which asks nothing of reporting itself
    from .results import Results


def overview(results: "Results") -> "Page":
    """Return a page with the answer for each data set and its leaderboard."""
    from ..reporting import notebook

    return notebook.overview(results)


def view(results: "Results", name: str, conditions: Sequence[str] = ()) -> "Page":
    """Return the view `name` of `cellbench table` as a page; conditions: as --where takes them."""
    from ..reporting import notebook

    return notebook.view(results, name, conditions)
