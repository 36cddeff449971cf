"""What the cache holds of each data set, and how to remove it."""

import re
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import UsageError, did_you_mean
from .files import cache
from .registry import DatasetEntry, datasets

STALE = "of an older version, of no use now"
DOWNLOADED = "downloaded files"


@dataclass(frozen=True)
class CachedData:
    """One line in the listing of the cache.

    name: what `remove_cached` takes. state: in a few words. path: None when nothing is in the cache.
    """

    name: str
    state: str
    bytes: int
    path: Path | None = None


def list_cached() -> list[CachedData]:
    """List every registered data set, prepared or not, then everything else in the cache folder."""
    items = cache.contents()
    lines = [line for entry in datasets.entries() for line in _of_entry(entry, items)]
    return lines + [_other(item) for item in items if not _is_registered(item)]


def remove_cached(name: str) -> int:
    """Delete every file of a data set from the cache, its downloads and older versions included.

    name: that of a registered data set, or one from `list_cached`. Scratch folders that nobody fills any more are
    removed too. Returns the bytes that were freed; raises UsageError when nothing has that name.
    """
    items = [item for item in cache.contents() if item.kind != "scratch"]
    known = {*datasets, *(item.name for item in items if not _is_registered(item))}
    if name not in known:
        raise UsageError(f"nothing in the cache is called {name!r}; {did_you_mean(name, known)}")
    of_name = [item for item in items if _belongs(item, name) or item.name == name]
    return sum(cache.remove(item.path) for item in of_name) + cache.sweep()


def _of_entry(entry: DatasetEntry, items: list[cache.CacheItem]) -> list[CachedData]:
    """Return the lines of a registered data set: one if it isn't prepared, then one for each of its cached items."""
    ready = cache.location(entry.key)
    of_entry = [item for item in items if _belongs(item, entry.name)]
    lines = []
    if all(item.path != ready for item in of_entry):
        lines.append(CachedData(entry.name, "made when first used" if entry.made_on_demand else "not prepared", 0))
    for item in of_entry:
        if item.path == ready:
            state = "ready"
        elif item.kind == "downloads":
            state = DOWNLOADED
        else:
            state = STALE
        lines.append(CachedData(entry.name, state, item.bytes, item.path))
    return lines


def _other(item: cache.CacheItem) -> CachedData:
    """Return the line of an item that belongs to no registered data set, such as a user's folder."""
    if item.kind == "downloads":
        state = DOWNLOADED
    elif item.kind == "scratch":
        state = "being made, or left over"
    elif item.path == cache.location(item.name) and cache.is_ready(item.name):
        state = "ready"
    else:
        state = STALE
    return CachedData(item.name, state, item.bytes, item.path)


def _is_registered(item: cache.CacheItem) -> bool:
    return any(_belongs(item, name) for name in datasets)


def _belongs(item: cache.CacheItem, name: str) -> bool:
    """Whether something in the cache is of the registered data set `name`, in any revision."""
    if item.kind == "prepared":
        return re.fullmatch(rf"{re.escape(name)}-r\d+", item.name) is not None
    return item.kind == "downloads" and item.name == name
