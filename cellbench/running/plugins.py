"""Methods and data sets that other packages, or files of the user's, add to ours."""

from collections.abc import Sequence
from pathlib import Path

from ..core import registry
from ..datasets import datasets
from ..methods import methods


def load_plugins(files: Sequence[Path] = ()) -> None:
    """Make methods and data sets of installed packages and of `files` known; loading again does no harm."""
    registry.load_plugins(files, (methods, datasets))
