"""The registry of data sets: each is one function that builds a Dataset, with the facts that a listing shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..core.data import Dataset
from ..core.errors import DataError
from ..core.machine.environment import cache_folder
from ..core.mixed_values import SettingValues
from ..core.registry import Registry
from .files import cache
from .files.download import DownloadProgress, RemoteFile, fetch

Build = TypeVar("Build", bound=Callable[..., Dataset])


@dataclass(frozen=True)
class DatasetEntry:
    """A data set by name.

    factory: `build(scratch, source)` returns the Dataset. scratch: a folder for its memory map, see `cache.prepare`.
    source: the folder or archive that the user gave (`find.stream_files` reads either), or the folder of downloaded
    files; None for data that cellbench makes itself.
    classes, channels: names as the published data has them; () where they are known only once it is prepared.
    revision: another number when the same source is read to other images, so that what is cached is not used.
    standard: part of `--all` when ready.
    manual: how to get the source by hand; empty for data that cellbench makes itself.
    made_on_demand: made in seconds when first asked for, so always ready.
    files: what `download` fetches; none where the licence doesn't allow it.
    usual_place: where other software keeps the source; it is read from there if it exists.
    defaults: settings that suit this data set better than the methods' own. Epochs among them are for all of its
    training images; with fewer images the methods' rule gives more.
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
    defaults: SettingValues = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name of the prepared data set in the cache."""
        return f"{self.name}-r{self.revision}"

    @property
    def ready(self) -> bool:
        """Whether it can be used at once: it is prepared, or made in seconds."""
        return self.made_on_demand or cache.is_ready(self.key)

    @property
    def lacks_files(self) -> bool:
        """Whether it is not prepared, and cannot be until its files have been downloaded or got by hand."""
        return not cache.is_ready(self.key) and bool(self.manual or self.files) and self.found_source() is None

    @property
    def how_to_prepare(self) -> str:
        """What to type to prepare it, after what has to be done by hand."""
        if not (self.files or self.manual):
            return f"type: cellbench prepare {self.name}"
        if not self.files:
            return self.by_hand
        return f"type: cellbench prepare {self.name} (it downloads)" + (f"; or {self.by_hand}" if self.manual else "")

    @property
    def by_hand(self) -> str:
        """How to get the source by hand and prepare it; '' for data that cellbench makes itself."""
        return f"{self.manual}, then type: cellbench prepare {self.name} --from PATH" if self.manual else ""

    def found_source(self) -> Path | None:
        """Return the path where other software keeps the source; None when nothing is there."""
        place = self.usual_place() if self.usual_place else None
        return place if place and place.exists() else None

    def prepare(self, source: Path | None = None, *, again: bool = False) -> Path:
        """The folder of the prepared data, which is built from `source` when it isn't there, or always with `again`.

        Raises DataError when a source is needed and none is given or found (nothing is downloaded here), and when the
        source that is given does not exist.
        """
        if source is not None and not source.exists():
            raise DataError(
                f"{source} does not exist; give a folder, an archive (.tar, .tar.gz, .zip) or a .npz of MedMNIST"
            )
        if not again and cache.is_ready(self.key):
            return cache.location(self.key)
        source = source or self.found_source()
        if source is None and (self.manual or self.files):
            raise DataError(f"data set {self.name!r} is not prepared; {self.how_to_prepare}")
        return cache.prepare(self.key, lambda scratch: self.factory(scratch, source), again=again)

    def download(self, progress: DownloadProgress = lambda *_: None) -> Path:
        """The folder with all of `files`; those that aren't there yet are fetched."""
        folder = cache_folder() / cache.DOWNLOADS / self.name
        for file in self.files:
            fetch(file, folder, progress, self.by_hand)
        return folder


datasets: Registry[DatasetEntry] = Registry(
    "data set", package="cellbench.datasets.sources", group="cellbench.datasets"
)


def dataset(name: str, summary: str, *, licence: str, size: str, **facts: Any) -> Callable[[Build], Build]:
    """Decorator: the function below it builds the data set called `name`, see DatasetEntry, which lists the facts."""

    def add(build: Build) -> Build:
        datasets.add(DatasetEntry(name=name, factory=build, summary=summary, licence=licence, size=size, **facts))
        return build

    return add
