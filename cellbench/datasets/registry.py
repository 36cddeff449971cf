"""The registry of data sets: each is one function that builds a Dataset, with what a listing says of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.data import Dataset
from ..core.errors import DataError
from ..core.registry import Registry
from . import cache


@dataclass(frozen=True)
class DatasetEntry:
    """A data set by name.

    factory: `build(scratch, source)` returns the Dataset; `scratch` is a folder for a memory map (see
    `cache.prepare`), `source` the folder or archive that the user gave, None for embedded data.
    standard: part of `--all` when ready. manual: how to get the source by hand; empty for embedded data.
    defaults: settings that suit this data set better than the methods' own (say fewer epochs).
    """

    name: str
    factory: Callable[[Path, Path | None], Dataset]
    summary: str
    licence: str
    size: str
    revision: int = 1
    standard: bool = False
    manual: str = ""
    made_on_demand: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.name}-r{self.revision}"

    @property
    def ready(self) -> bool:
        """Prepared, or embedded and made in seconds when first asked for."""
        return self.made_on_demand or cache.is_ready(self.key)

    def prepare(self, source: Path | None = None) -> Path:
        """The folder of the prepared data; builds it from `source` if need be. Raises DataError without a source."""
        if source is None and self.manual and not cache.is_ready(self.key):
            raise DataError(
                f"data set {self.name!r} is not prepared; {self.manual}, "
                f"then type: cellbench prepare {self.name} --from PATH"
            )
        return cache.prepare(self.key, lambda scratch: self.factory(scratch, source))


datasets: Registry[DatasetEntry] = Registry("data set", DatasetEntry, group="cellbench.datasets")
