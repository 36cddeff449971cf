"""cellbench: is a deep net worth it on my cells, or does an SVM on HOG features do?"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from .core.settings import setting
    from .datasets.registry import dataset
    from .methods.decorator import method
    from .results.results import Results

__version__ = "0.1.0"
__all__ = ["__version__", "dataset", "load_results", "method", "setting"]

# Where each public name is found when it is first asked for: importing cellbench loads neither torch nor pandas.
FUNCTIONS = {
    "dataset": ".datasets.registry",
    "method": ".methods.decorator",
    "setting": ".core.settings",
}


def __getattr__(name: str) -> Any:
    """A public name, when it is asked for."""
    if name not in FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(FUNCTIONS[name], __name__), name)


def load_results(folder: "Path | str") -> "Results":
    """Results of every record below a folder; raises UsageError when there is no such folder, or no record in it."""
    from .results.results import Results  # pandas takes its time, and the command line needs it only for tables

    return Results.load(folder)
