"""cellbench: is a deep net worth it on my cells, or does an SVM on HOG features do?"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .results.results import Results

__version__ = "0.1.0"
__all__ = ["__version__", "load_results"]


def load_results(folder: "Path | str") -> "Results":
    """Results of every record below a folder; raises UsageError when there is no such folder, or no record in it."""
    from .results.results import Results  # pandas takes its time, and the command line needs it only for tables

    return Results.load(folder)
