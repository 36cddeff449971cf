"""The registry of data sets: each is one function that builds a Dataset, with what a listing says of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..core.data import Dataset
from ..core.environment import cache_folder
from ..core.errors import DataError, UsageError, did_you_mean
from ..core.registry import Registry
from .files import cache
from .files.download import Progress, RemoteFile, fetch

Build = TypeVar("Build", bound=Callable[..., Dataset])

STALE = "of an older version, of no use now"


@dataclass(frozen=True)
class DatasetEntry:
    """A data set by name.

    factory: `build(scratch, source)` returns the Dataset; `scratch` is a folder for a memory map (see
    `cache.prepare`), `source` the folder or archive that the user gave (`images.stream` reads either) or the folder
    of downloaded files, None for embedded data.
    classes, channels: names as the published data has them, () where that is known only once it is prepared.
    standard: part of `--all` when ready. manual: how to get the source by hand; empty for embedded data.
    files: what `download` fetches; none where the licence doesn't allow it.
    usual_place: where other software keeps the source; it is read from there when it is.
    defaults: settings that suit this data set better than the methods' own; epochs among them are for all of its
    training images, fewer follow the methods' rule.
    """

    name: str
    factory: Callable[[Path, Path | None], Dataset]
    summary: str
    licence: str
    size: str
    classes: Sequence[str] = ()
    channels: Sequence[str] = ()
    revision: int = 1
    standard: bool = False
    manual: str = ""
    made_on_demand: bool = False
    files: Sequence[RemoteFile] = ()
    usual_place: Callable[[], Path] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.name}-r{self.revision}"

    @property
    def ready(self) -> bool:
        """Prepared, or embedded and made in seconds when first asked for."""
        return self.made_on_demand or cache.is_ready(self.key)

    @property
    def how(self) -> str:
        """What to type, or to do and then type, to prepare it."""
        if not (self.files or self.manual):
            return f"type: cellbench prepare {self.name}"
        if not self.files:
            return self.by_hand
        return f"type: cellbench prepare {self.name} (it downloads)" + (f"; or {self.by_hand}" if self.manual else "")

    @property
    def by_hand(self) -> str:
        return f"{self.manual}, then type: cellbench prepare {self.name} --from PATH" if self.manual else ""

    def found(self) -> Path | None:
        """The source where other software keeps it, None when it isn't there."""
        place = self.usual_place() if self.usual_place else None
        return place if place and place.exists() else None

    def prepare(self, source: Path | None = None, *, again: bool = False) -> Path:
        """The folder of the prepared data; builds it from `source` if need be, with `again` in any case.

        Raises DataError when it is needed and there is none: nothing is downloaded here; and when `source` is not
        there, needed or not.
        """
        if source is not None and not source.exists():
            raise DataError(
                f"{source} does not exist; give a folder, an archive (.tar, .tar.gz, .zip) or a .npz of MedMNIST"
            )
        if not again and cache.is_ready(self.key):
            return cache.location(self.key)
        source = source or self.found()
        if source is None and (self.manual or self.files):
            raise DataError(f"data set {self.name!r} is not prepared; {self.how}")
        return cache.prepare(self.key, lambda scratch: self.factory(scratch, source), again=again)

    def download(self, progress: Progress = lambda *_: None) -> Path:
        """The folder with all of `files`, those fetched that aren't there yet."""
        folder = cache_folder() / cache.DOWNLOADS / self.name
        for file in self.files:
            fetch(file, folder, progress, self.by_hand)
        return folder


@dataclass(frozen=True)
class Stored:
    """A line of what the cache holds: `name` is what `clear` takes, `state` is said in a few words."""

    name: str
    state: str
    bytes: int
    path: Path | None = None


def stored() -> list[Stored]:
    """Every registered data set, prepared or not, then all else that the cache folder holds."""
    contents = cache.contents()
    lines = []
    for entry in datasets.entries():
        own = [kept for kept in contents if _belongs(kept, entry.name)]
        if not any(kept.path == cache.location(entry.key) for kept in own):
            lines.append(Stored(entry.name, "made when first used" if entry.made_on_demand else "not prepared", 0))
        for kept in own:
            stale = "downloaded files" if kept.kind == "downloads" else STALE
            state = "ready" if kept.path == cache.location(entry.key) else stale
            lines.append(Stored(entry.name, state, kept.bytes, kept.path))
    for kept in contents:
        if not any(_belongs(kept, name) for name in datasets):
            ready = kept.path == cache.location(kept.name) and cache.is_ready(kept.name)
            state = {"downloads": "downloaded files", "scratch": "being made, or left over"}.get(kept.kind, "")
            lines.append(Stored(kept.name, state or ("ready" if ready else STALE), kept.bytes, kept.path))
    return lines


def clear(name: str) -> int:
    """Remove what the cache holds of a data set (downloads and older versions too); the bytes that were freed.

    name: a registered data set's, or one that `stored` gives. Scratch folders that nobody fills go with it.
    """
    contents = [kept for kept in cache.contents() if kept.kind != "scratch"]
    own = [kept for kept in contents if _belongs(kept, name) or kept.name == name]
    known = {*datasets, *(kept.name for kept in contents if not any(_belongs(kept, n) for n in datasets))}
    if name not in known:
        raise UsageError(f"nothing in the cache is called {name!r}; {did_you_mean(name, known)}")
    return sum(cache.remove(kept.path) for kept in own) + cache.sweep()


def _belongs(kept: cache.Kept, name: str) -> bool:
    """Whether something in the cache is the registered data set `name`'s, of whatever revision."""
    if kept.kind == "prepared":
        return re.fullmatch(rf"{re.escape(name)}-r\d+", kept.name) is not None
    return kept.kind == "downloads" and kept.name == name


datasets: Registry[DatasetEntry] = Registry(
    "data set", package="cellbench.datasets.sources", group="cellbench.datasets"
)


def dataset(name: str, summary: str, *, licence: str, size: str, **facts: Any) -> Callable[[Build], Build]:
    """Decorator: the function below it builds the data set called `name`, see DatasetEntry, which lists the facts."""

    def add(build: Build) -> Build:
        datasets.add(DatasetEntry(name=name, factory=build, summary=summary, licence=licence, size=size, **facts))
        return build

    return add
