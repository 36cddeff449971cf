"""HEp-2 cells of the ICPR 2014 contest (I3A): six staining patterns of indirect immunofluorescence, 78×78 grey.

The cells' order and folders are those of the public copy that github.com/george-chou/HEp-2_cell_classification uses.
No copy tells which specimen a cell is from, so this split, random over cells, may put a specimen's cells in two parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset, Info, Split
from ...core.errors import DataError, did_you_mean
from ...core.split_names import OFFICIAL
from ...core.text.words import counted
from ..files import cache
from ..files.find import Blob, stream_files, survey_files
from ..files.images import npy
from ..files.images.decoding import decode
from ..files.images.pixels import Picture
from ..files.tables import read_table
from ..registry import dataset
from ..splits import PART_WORDS, absent

CLASSES = ("Homogeneous", "Speckled", "Nucleolar", "Centromere", "NuMem", "Golgi")
CHANNELS = ("cell",)
FOLDERS = {"training": "train", "validation": "val", "test": "test"}
TABLE = "gt_training.csv"
SHAPE = (1, 78, 78)
LAYOUT = (
    f"training/, validation/, test/ and {TABLE}, at the top or in one folder, are expected, "
    "or tra/, val/, tes/ with a folder for each class"
)


@dataclass(frozen=True)
class ListedCell:
    """An image's path, its part, the folder that says so, and its class number."""

    name: str
    part: str
    folder: str
    label: int


@dataset(
    "hep2",
    summary="HEp-2 cells, 6 staining patterns (ICPR 2014 contest, I3A)",
    licence="research use, see the ICPR 2014 contest's organisers",
    size="13,596 cells, 78×78",
    classes=CLASSES,
    channels=CHANNELS,
    standard=True,
    manual=(
        "ask the organisers of the ICPR 2014 HEp-2 contest for the I3A cells, "
        f"as a folder, .tar or .zip of training/, validation/, test/ and {TABLE}"
    ),
)
def build(scratch: Path, source: Path | None) -> Dataset:
    """The data set in the order of IDs, split as its folders are. Raises DataError when it contradicts its layout."""
    if source is None:
        raise DataError(f"hep2 needs a source; {LAYOUT}")
    pictures, tables = survey_files(source, lambda name: name == TABLE)
    cells = _sorted_cells(pictures, tables) or _listed_cells(pictures, tables, source)
    parts = np.array([cell.part for cell in cells])
    labels = np.array([cell.label for cell in cells], dtype=np.int64)
    _check_train(labels, parts, {cell.part: cell.folder for cell in cells}, source)
    place_of = {cell.name: place for place, cell in enumerate(cells)}
    pixels, remarks = npy.write(
        scratch / cache.IMAGES,
        (len(cells), *SHAPE),
        np.dtype(np.uint8),
        ((place_of[name], name, blob) for name, blob in stream_files(source, place_of)),
        _cell,
        "get a whole copy of them",
        processes=True,
    )
    return Dataset(
        name="hep2",
        images=pixels,
        labels=labels,
        classes=CLASSES,
        channels=CHANNELS,
        split=Split(OFFICIAL, *(np.flatnonzero(parts == part) for part in PARTS)),
        ids=np.array([cell.name.rpartition("/")[2] for cell in cells]),
        info=Info(
            licence="research use, see the ICPR 2014 contest's organisers",
            citation="ICPR 2014 contest on HEp-2 cell classification, I3A data set",
            notes=tuple(remarks),
        ),
    )


# --- sorted into class folders


def _sorted_cells(pictures: list[str], tables: Mapping[str, Blob]) -> list[ListedCell]:
    """The cells of tra/<class>/, val/<class>/ and tes/<class>/ in the order of IDs; [] when there is a table."""
    paths = {name: name.split("/") for name in pictures if name.count("/") >= 2}
    paths = {name: path for name, path in paths.items() if path[-3].lower() in PART_WORDS}
    if not paths or tables:
        return []
    cells: dict[int, ListedCell] = {}
    for name, (*_, folder, label, file) in paths.items():
        if label not in CLASSES:
            raise DataError(f"{name}: folder {label!r} is not one of the six; {did_you_mean(label, CLASSES)}")
        cell = ListedCell(name, PART_WORDS[folder.lower()], folder, CLASSES.index(label))
        _add(cells, _id(name, file), cell)
    return [cells[i] for i in sorted(cells)]


# --- with a table


def _listed_cells(pictures: list[str], tables: Mapping[str, Blob], source: Path) -> list[ListedCell]:
    """The cells of training/, validation/ and test/ in the order of IDs, with their classes from the table."""
    root = _root(tables, source)
    class_of = _labels(tables[root + TABLE])
    cells: dict[int, ListedCell] = {}
    for name in pictures:
        folder, _, file = name.removeprefix(root).partition("/")
        if name.startswith(root) and folder in FOLDERS:
            number = _id(name, file)
            _add(cells, number, ListedCell(name, FOLDERS[folder], folder, class_of.get(number, -1)))
    _check_paired(class_of, cells, source)
    return [cells[i] for i in sorted(cells)]


def _root(tables: Mapping[str, Blob], source: Path) -> str:
    """The folder inside the source that holds the table: '' or 'name/'."""
    found = [name for name in tables if name.count("/") <= 1]
    if not found:
        raise DataError(f"{source} holds no {TABLE}; {LAYOUT}; class folders are read with -d PATH")
    return min(found, key=lambda name: name.count("/"))[: -len(TABLE)]


def _labels(blob: Blob) -> dict[int, int]:
    """Class numbers by ID. IDs are written as 1 or 00001."""
    table = read_table(blob, TABLE)
    found: dict[int, int] = {}
    for line, cell, label in zip(table.lines, table.column("Image ID"), table.column("Image class"), strict=True):
        if label not in CLASSES:
            raise DataError(
                f"{TABLE} line {line}: class {label!r} is not one of the six; {did_you_mean(label, CLASSES)}"
            )
        if not cell.isdecimal():
            raise DataError(f"{TABLE} line {line}: Image ID {cell!r} is not a number; expected 1 or 00001")
        if int(cell) in found:
            raise DataError(f"{TABLE} line {line}: Image ID {cell} stands there twice; remove one of the rows")
        found[int(cell)] = CLASSES.index(label)
    return found


def _id(name: str, file: str) -> int:
    """Return the ID in a file's name. Raises DataError when the name isn't one."""
    stem = file.rpartition(".")[0]
    if not stem.isdecimal():
        raise DataError(f"{name}: an image's name must be its ID, such as 00001.png; rename or remove it")
    return int(stem)


def _add(cells: dict[int, ListedCell], number: int, cell: ListedCell) -> None:
    """Add a cell by its ID. Raises DataError when another one has the same."""
    if number in cells:
        raise DataError(f"{cell.name} and {cells[number].name} have the same ID; remove one of them")
    cells[number] = cell


def _check_paired(class_of: dict[int, int], cells: dict[int, ListedCell], source: Path) -> None:
    """Raise DataError unless every row of the table has an image and every image a row."""
    if missing := sorted(class_of.keys() - cells.keys()):
        raise DataError(
            f"no image in {source} for {counted(len(missing), 'row')} of {TABLE}, the first is Image ID {missing[0]}; "
            "the copy is incomplete: get a whole one"
        )
    if extra := sorted(cells.keys() - class_of.keys()):
        raise DataError(
            f"no row in {TABLE} for {counted(len(extra), 'image')}, the first is {cells[extra[0]].name}; "
            "remove them or get a whole table"
        )


def _check_train(labels: NDArray[np.int64], parts: NDArray[np.str_], folder_of: dict[str, str], source: Path) -> None:
    """Raise DataError for a part without images, and for a class that train lacks."""
    for folder, part in FOLDERS.items():
        if part not in folder_of:
            raise DataError(f"{source}: {folder}/ holds no images; {LAYOUT}")
    if lacking := absent(CLASSES, labels[parts == "train"]):
        raise DataError(
            f"{source}: no image in {folder_of['train']}/ is of class {', '.join(lacking)}; get a whole copy"
        )


def _cell(blob: Blob) -> Picture:
    """A cell's pixels. Raises DataError for another size or kind of image than the published one."""
    picture = decode(blob)
    if picture.pixels.shape != SHAPE or picture.pixels.dtype != np.uint8:
        raise DataError(f"{picture.pixels.dtype} {picture.pixels.shape}; 78×78 grey uint8 is expected")
    return picture
