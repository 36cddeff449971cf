"""Tables with a column of files for each channel: CellProfiler's FileName_DNA and FileName_ER, DeepProfiler's index."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ....core.errors import DataError
from ...files.tables import TextTable
from ..channels import Planes
from .columns import CELLPROFILER_FILE, file_cells, file_columns
from .row_matching import endings_of, fitting_images


@dataclass(frozen=True)
class Joined:
    """Images whose files a table names. columns: those of the files, a channel each; the first names the image.

    planes: the files of each image, a channel each. Files that no row names are images of their own, so that whoever
    matches rows and images tells of them.
    """

    columns: tuple[str, ...]
    planes: Planes

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels, none where each image is one file."""
        return tuple(name.rpartition(CELLPROFILER_FILE)[2] for name in self.columns) if len(self.columns) > 1 else ()


def join_by_table(table: TextTable, given: str, files: Mapping[str, Path]) -> Joined | None:
    """Return the images whose files the table names; None unless it has several columns of files, some of them here.

    given: the columns of files that the user names, with commas between them. Raises DataError for a cell without a
    file, and for one that may mean several.
    """
    endings = endings_of(list(files))
    named = file_columns(table, given)
    cells = {name: file_cells(table, name) for name in named}
    matched = {name: [fitting_images(cell, endings) for cell in cells[name]] for name in named}
    if not given:  # of pipelines' columns some are of files that were left elsewhere, or the same for every image
        matched = {name: found for name, found in matched.items() if all(found) and _differ(found)}
    if len(named) < 2 or not matched:
        return None
    if len({tuple(map(tuple, found)) for found in matched.values()}) < 2:  # one file, whatever the column is called
        return Joined(tuple(matched)[:1], {name: (file,) for name, file in files.items()})
    planes: dict[str, tuple[Path, ...]] = {}
    used: set[str] = set()
    for row, found in enumerate(zip(*matched.values(), strict=True)):
        for name, images in zip(matched, found, strict=True):
            if len(images) != 1:
                what = "may mean several files" if images else "has no image file"
                raise DataError(f"{table.name} line {table.lines[row]}: {cells[name][row]!r} in column {name!r} {what}")
        names = [images[0] for images in found]
        used.update(names)
        planes[names[0]] = tuple(files[name] for name in names)
    others = {name: (file,) for name, file in files.items() if name not in used}
    return Joined(tuple(matched), planes | others)


def _differ(found: list[list[str]]) -> bool:
    return len(found) == 1 or len({tuple(images) for images in found}) > 1
