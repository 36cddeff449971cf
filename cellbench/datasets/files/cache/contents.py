"""What the cache folder holds, and how it is cleaned."""

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ....core.errors import DataError
from ....core.machine.environment import cache_folder
from ..locking import locked, to_remove
from .places import DOWNLOADS
from .scratch import is_abandoned, set_aside


@dataclass(frozen=True)
class CacheItem:
    """Something in the cache folder: a prepared data set by its key, downloads by name, or a scratch folder."""

    name: str
    path: Path
    bytes: int
    kind: str  # prepared, downloads or scratch


def contents() -> list[CacheItem]:
    """All that the cache folder holds, of this format and of older ones, sorted by kind and name."""
    found = []
    for folder in sorted(cache_folder().glob("v*/*")):
        if folder.is_dir():
            kind = "scratch" if folder.name.startswith(".") else "prepared"
            found.append(CacheItem(folder.name, folder, size_of(folder), kind))
    for folder in sorted((cache_folder() / DOWNLOADS).glob("*")):
        if folder.is_dir():
            found.append(CacheItem(folder.name, folder, size_of(folder), "downloads"))
    return sorted(found, key=lambda item: (item.kind, item.name))


def sweep() -> int:
    """Remove scratch folders that nobody fills any more. Returns the bytes that were freed."""
    freed = 0
    for item in contents():
        if item.kind == "scratch" and is_abandoned(item.path):
            with contextlib.suppress(DataError):  # a folder of another user
                freed += remove(item.path)
    return freed


def size_of(folder: Path) -> int:
    """The bytes of all files below `folder`. A file that vanishes meanwhile counts as empty."""
    total = 0
    for directory, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(directory, name)).st_size
    return total


def remove(folder: Path) -> int:
    """Remove a folder of the cache. Returns the bytes that were freed; raises DataError when something is left."""
    size = size_of(folder)
    try:
        if folder.name.startswith("."):
            shutil.rmtree(folder)
        else:
            with to_remove(folder), locked(cache_folder()):
                old = set_aside(folder)
            if old:
                shutil.rmtree(old)
    except FileNotFoundError:  # another process was faster
        pass
    except OSError as error:
        raise DataError(f"cannot remove {error.filename or folder}: {error.strerror or error}") from error
    return size
