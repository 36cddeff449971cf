"""cellbench: is a deep net worth it on my cells, or does an SVM on HOG features do?"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .results.frame import load_results

__version__ = "0.1.0"
__all__ = ["__version__", "load_results"]


def __getattr__(name: str) -> Any:
    """`load_results` when it is asked for: pandas takes its time, and the command line needs it only for tables."""
    if name != "load_results":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .results.frame import load_results

    return load_results
