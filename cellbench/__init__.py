"""cellbench: is a deep net worth it on my cells, or does an SVM do?

docs/api.md shows what a program or a notebook can do with it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `as`: for type checkers these names are public, which they cannot see in FUNCTIONS
    from . import features as features
    from . import svm as svm
    from .api import run as run
    from .api import stress as stress
    from .api import tune as tune
    from .core.settings import setting as setting
    from .datasets.inspection import inspect as inspect
    from .datasets.opening import open_dataset as open_dataset
    from .datasets.registry import dataset as dataset
    from .methods.decorator import method as method
    from .methods.suspect_labels import suspect_labels as suspect_labels
    from .results.results import load_results as load_results

__version__ = "0.1.0"
# Where each public name is found when it is first asked for: importing cellbench loads neither torch nor pandas.
FUNCTIONS = {
    "dataset": ".datasets.registry",
    "inspect": ".datasets.inspection",
    "load_results": ".results.results",
    "method": ".methods.decorator",
    "open_dataset": ".datasets.opening",
    "run": ".api",
    "setting": ".core.settings",
    "stress": ".api",
    "suspect_labels": ".methods.suspect_labels",
    "tune": ".api",
}
MODULES = ("features", "svm")
__all__ = ["__version__", *FUNCTIONS, *MODULES]


def __getattr__(name: str) -> object:
    """A public name, when it is asked for."""
    if name in MODULES:
        return import_module(f".{name}", __name__)
    if name not in FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(FUNCTIONS[name], __name__), name)


def __dir__() -> list[str]:
    """What completion offers."""
    return sorted({*globals(), *__all__})
