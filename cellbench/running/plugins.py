"""Methods and data sets that other packages, or Python files of the user, add to those of cellbench."""

from collections.abc import Sequence
from pathlib import Path

from ..core import registry
from ..datasets import datasets
from ..methods import methods


def load_plugins(files: Sequence[Path] = ()) -> None:
    """Register the methods and data sets of installed packages and of `files`; loading them again does nothing."""
    registry.load_plugins(files, (methods, datasets))
