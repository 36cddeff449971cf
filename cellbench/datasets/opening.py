"""Opening a data set by its name, or by the path of a folder of images."""

from pathlib import Path
from typing import TypedDict, Unpack

from ..core.data import Dataset
from ..core.errors import UsageError
from ..core.machine.files import expanded
from ..core.mixed_values import SettingValues
from ..core.split_names import OFFICIAL
from .files import cache
from .folder import FolderOptions
from .folder import prepare as prepare_folder
from .named_splits import with_split
from .registry import datasets


class FolderKeywords(TypedDict, total=False):
    """How to read a folder of images, by the names of the command line's options; None: not given."""

    labels: str | Path | None
    file_column: str | None
    label_column: str | None
    group_column: str | None
    image_size: int | None
    multilabel: str | None
    pattern: str | None
    channel_names: str | None
    labelled_only: bool
    layout: str | None
    masks: bool
    side_by_side: bool
    skip_unreadable: bool


def open_dataset(name: str | Path, *, split: str = OFFICIAL, **folder: Unpack[FolderKeywords]) -> Dataset:
    """Return a data set by name, or your own images by the path of their folder; it is prepared if it isn't yet.

    split: how the images are shared out, see `with_split`. Raises UsageError or DataError when the data set, its
    source or the split doesn't exist.
    """
    return with_split(cache.read(prepare(str(name), folder)), split)


def prepare(name: str, folder: SettingValues, source: Path | None = None) -> Path:
    """Prepare a data set, by name or path, if it isn't yet, and return its folder in the cache.

    folder: FolderKeywords. source: the original files of a data set that has a name.
    """
    asked = given_options(folder)
    if name in datasets:
        if asked:
            flag = "--image-size" if "image_size" in asked else f"--{min(asked).replace('_', '-')}"
            raise UsageError(f"{flag} is for folders of images, not for {name!r}; leave it out")
        return datasets[name].prepare(source)
    if looks_like_path(name):
        return prepare_folder(Path(name), folder_options(folder))
    datasets[name]  # raises, with a suggestion
    raise AssertionError


def folder_options(folder: SettingValues) -> FolderOptions:
    """FolderKeywords as the reader of folders takes them."""
    asked = dict(given_options(folder))
    if "image_size" in asked:
        asked["size"] = asked.pop("image_size")
    if "labels" in asked:
        asked["labels"] = expanded(asked["labels"])
    return FolderOptions(**asked)


def given_options(folder: SettingValues) -> SettingValues:
    """Return the options that were given. 0 and '' count as given, and are refused later; None and False don't."""
    return {name: value for name, value in folder.items() if value is not None and value is not False}


def looks_like_path(name: str) -> bool:
    """Whether the name of a data set is meant as the path of a folder."""
    return "/" in name or "\\" in name or name.startswith((".", "~")) or Path(name).exists()
