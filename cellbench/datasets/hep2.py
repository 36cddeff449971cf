"""HEp-2 cells of the ICPR 2014 contest (I3A): six staining patterns of indirect immunofluorescence, 78×78 grey.

The cells' order and folders are those of the public copy that github.com/george-chou/HEp-2_cell_classification uses.
No copy tells which specimen a cell is from, so this split, random over cells, may put a specimen's cells in two parts.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.data import PARTS, Dataset, Info, Split
from ..core.errors import DataError, did_you_mean
from . import images
from .registry import datasets
from .tables import read_table

CLASSES = ("Homogeneous", "Speckled", "Nucleolar", "Centromere", "NuMem", "Golgi")
FOLDERS = {"training": "train", "validation": "val", "test": "test"}
TABLE = "gt_training.csv"
SHAPE = (1, 78, 78)
LAYOUT = f"training/, validation/, test/ and {TABLE}, at the top or in one folder, are expected"


@datasets.register(
    "hep2",
    summary="HEp-2 cells, 6 staining patterns (ICPR 2014 contest, I3A)",
    licence="research use, see the ICPR 2014 contest's organisers",
    size="13,596 cells, 78×78",
    standard=True,
    manual=(
        "ask the organisers of the ICPR 2014 HEp-2 contest for the I3A cells, "
        f"as a folder or .tar of training/, validation/, test/ and {TABLE}"
    ),
)
def build(scratch: Path, source: Path | None) -> Dataset:
    """The data set in ID order, split as the folders are; whatever contradicts the layout raises DataError."""
    if source is None:
        raise DataError(f"hep2 needs a source; {LAYOUT}")
    files = images.files_of(source)
    root = _root(files, source)
    class_of = _labels(files[root + TABLE])
    name_of, part_of = _cells(files, root)
    _check_paired(class_of, name_of, source)
    ids = sorted(name_of)
    parts = np.array([part_of[i] for i in ids])
    labels = np.array([class_of[i] for i in ids], dtype=np.int64)
    _check_train(labels, parts, source)
    return Dataset(
        name="hep2",
        images=_pixels([name_of[i] for i in ids], files),
        labels=labels,
        classes=CLASSES,
        channels=("cell",),
        split=Split("official", *(np.flatnonzero(parts == part) for part in PARTS)),
        info=Info(
            licence="research use, see the ICPR 2014 contest's organisers",
            citation="ICPR 2014 contest on HEp-2 cell classification, I3A data set",
        ),
    )


def _root(files: dict[str, images.Blob], source: Path) -> str:
    """The folder inside the source that holds the table: '' or 'name/'."""
    found = [name for name in files if name.split("/")[-1] == TABLE and name.count("/") <= 1]
    if not found:
        raise DataError(f"{source} holds no {TABLE}; {LAYOUT}; class folders are read with -d PATH")
    return min(found, key=lambda name: name.count("/"))[: -len(TABLE)]


def _labels(blob: images.Blob) -> dict[int, int]:
    """Class numbers by ID; IDs are written 1 or 00001."""
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


def _cells(files: dict[str, images.Blob], root: str) -> tuple[dict[int, str], dict[int, str]]:
    """File names and parts by ID."""
    names: dict[int, str] = {}
    parts: dict[int, str] = {}
    for name in files:
        folder, _, file = name.removeprefix(root).partition("/")
        if not name.startswith(root) or folder not in FOLDERS or not images.is_image(file):
            continue
        stem = file.rpartition(".")[0]
        if not stem.isdecimal():
            raise DataError(f"{name}: an image's name must be its ID, such as 00001.png; rename or remove it")
        if int(stem) in names:
            raise DataError(f"{name} and {names[int(stem)]} have the same ID; remove one of them")
        names[int(stem)], parts[int(stem)] = name, FOLDERS[folder]
    return names, parts


def _check_paired(class_of: dict[int, int], name_of: dict[int, str], source: Path) -> None:
    if missing := sorted(class_of.keys() - name_of.keys()):
        raise DataError(
            f"{len(missing)} rows of {TABLE} have no image in {source}, the first is Image ID {missing[0]}; "
            "the copy is incomplete: get a whole one"
        )
    if extra := sorted(name_of.keys() - class_of.keys()):
        raise DataError(
            f"{len(extra)} images have no row in {TABLE}, the first is {name_of[extra[0]]}; "
            "remove them or get a whole table"
        )


def _check_train(labels: NDArray[np.int64], parts: NDArray[np.str_], source: Path) -> None:
    for folder, part in FOLDERS.items():
        if not (parts == part).any():
            raise DataError(f"{source}: {folder}/ holds no images; {LAYOUT}")
    counts = np.bincount(labels[parts == "train"], minlength=len(CLASSES))
    if absent := [name for name, n in zip(CLASSES, counts, strict=True) if not n]:
        raise DataError(f"{source}: no image in training/ is of class {', '.join(absent)}; get a whole copy")


def _pixels(names: list[str], files: dict[str, images.Blob]) -> NDArray[np.uint8]:
    """All images, uint8 (n, 1, 78, 78)."""
    pixels = np.empty((len(names), *SHAPE), np.uint8)

    def load(place: int) -> str:
        try:
            found = images.decode(files[names[place]]).pixels
        except DataError as error:
            return str(error)
        if found.shape != SHAPE or found.dtype != np.uint8:
            return f"{found.dtype} {found.shape}; 78×78 grey uint8 is expected"
        pixels[place] = found
        return ""

    reasons = images.in_order(load, range(len(names)))
    problems = [(name, reason) for name, reason in zip(names, reasons, strict=True) if reason]
    images.refuse_unreadable(problems, len(names), "get a whole copy of them")
    return pixels
