"""Human Protein Atlas: fields of human cells, several places of a protein an image; two label sets circulate.

`hpa28` is the Kaggle contest of 2018, four files an image, one for each stain; `hpa10` is a smaller set of RGB images
with ten labels. Neither has public labels for its test images, so a split of the training images is drawn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.data import Dataset, Info
from ..core.errors import DataError
from . import cache, images, splits
from .registry import datasets
from .tables import Table, read_table

SIZE = 128  # px that images are stored at: hpa28 at its native 512 would take 32 GB
TABLE = "train.csv"
FOLDER = "train"
DUMMY = "submission.csv"  # its labels are made up, to show a format


@dataclass(frozen=True)
class LabelSet:
    """What tells the two sets apart.

    columns: of the table, image and labels. files: how the names of an image's files end, after its ID. planes:
    channels a file. labels: names of the labels 0, 1, …
    """

    name: str
    columns: tuple[str, str]
    files: tuple[str, ...]
    planes: int
    channels: tuple[str, ...]
    labels: tuple[str, ...]
    citation: str

    @property
    def layout(self) -> str:
        ends = "_{" + ",".join(end[1:-4] for end in self.files) + "}.png" if len(self.files) > 1 else self.files[0]
        return f"{FOLDER}/<id>{ends} and {TABLE} with the columns {','.join(self.columns)} are expected"


HPA28 = LabelSet(
    name="hpa28",
    columns=("Id", "Target"),
    files=("_red.png", "_green.png", "_blue.png", "_yellow.png"),
    planes=1,
    channels=("microtubules", "protein", "nucleus", "ER"),
    labels=(
        "Nucleoplasm",
        "Nuclear membrane",
        "Nucleoli",
        "Nucleoli fibrillar center",
        "Nuclear speckles",
        "Nuclear bodies",
        "Endoplasmic reticulum",
        "Golgi apparatus",
        "Peroxisomes",
        "Endosomes",
        "Lysosomes",
        "Intermediate filaments",
        "Actin filaments",
        "Focal adhesion sites",
        "Microtubules",
        "Microtubule ends",
        "Cytokinetic bridge",
        "Mitotic spindle",
        "Microtubule organizing center",
        "Centrosome",
        "Lipid droplets",
        "Plasma membrane",
        "Cell junctions",
        "Mitochondria",
        "Aggresome",
        "Cytosol",
        "Cytoplasmic bodies",
        "Rods & rings",
    ),
    citation="Human Protein Atlas, proteinatlas.org; Kaggle, Human Protein Atlas Image Classification, 2018",
)
HPA10 = LabelSet(
    name="hpa10",
    columns=("Image", "Label"),
    files=(".png",),
    planes=3,
    channels=("red", "green", "blue"),
    labels=(
        "Mitochondria",
        "Nuclear bodies",
        "Nucleoli",
        "Golgi apparatus",
        "Nucleoplasm",
        "Nucleoli fibrillar center",
        "Cytosol",
        "Plasma membrane",
        "Centrosome",
        "Nuclear speckles",
    ),
    citation="Human Protein Atlas, proteinatlas.org",
)
LICENCE = "CC BY-SA, see proteinatlas.org"
KAGGLE_LICENCE = f"{LICENCE}; the rules of the Kaggle contest apply to its files"


@datasets.register(
    "hpa28",
    summary="human cells, 28 places of a protein, several an image (HPA, Kaggle 2018)",
    licence=KAGGLE_LICENCE,
    size=f"31,072 images, stored at {SIZE}×{SIZE}, 4 channels",
    manual=(
        "download train.zip and train.csv from kaggle.com/c/human-protein-atlas-image-classification, "
        "accept its rules, and unpack train.zip into a folder train/ beside train.csv"
    ),
)
def build_28(scratch: Path, source: Path | None) -> Dataset:
    """The 28-label set in the order of its table; raises DataError when files and table contradict each other."""
    return _build(HPA28, KAGGLE_LICENCE, scratch, source)


@datasets.register(
    "hpa10",
    summary="human cells, 10 places of a protein, several an image (HPA, RGB)",
    licence=LICENCE,
    size=f"RGB of 128 or 512 px, stored at {SIZE}×{SIZE}",
    manual=f"get the folder 'Human protein atlas' that holds {FOLDER}/ and {TABLE} (columns Image,Label)",
)
def build_10(scratch: Path, source: Path | None) -> Dataset:
    """The 10-label set, of 128 or 512 px, in the order of its table; raises DataError as the other one does."""
    return _build(HPA10, LICENCE, scratch, source)


def _build(kind: LabelSet, licence: str, scratch: Path, source: Path | None) -> Dataset:
    if source is None:
        raise DataError(f"{kind.name} needs a source; {kind.layout}")
    pictures, texts = images.survey(source, lambda name: name == TABLE)
    root, table = _table(kind, texts, source)
    ids, labels = read_labels(kind, table)
    split = splits.stratified(labels, classes=kind.labels)  # before decoding, which takes long
    place_of = {f"{root}{FOLDER}/{file}": place for place, file in enumerate(_files(kind, ids))}
    there = {name for name in pictures if name.startswith(f"{root}{FOLDER}/")}
    if missing := [name for name in place_of if name not in there]:
        line = table.lines[place_of[missing[0]] // len(kind.files)]
        raise DataError(
            f"{len(missing)} of {len(place_of)} files that {TABLE} calls for are not in {source}, the first is "
            f"{missing[0]} (line {line}); the copy is incomplete: get a whole one"
        )
    extra = len(there) - len(place_of)
    pixels, remarks = images.write(
        scratch / cache.IMAGES,
        (len(ids), len(kind.channels), SIZE, SIZE),
        np.dtype(np.uint8),
        ((place_of[name], name, blob) for name, blob in images.stream(source) if name in place_of),
        lambda blob: _small(blob, kind.planes),
        "get a whole copy of them",
    )
    notes = ["no labels are public for the test images: the split is drawn from train/", *remarks]
    return Dataset(
        name=kind.name,
        images=pixels,
        labels=labels,
        classes=kind.labels,
        channels=kind.channels,
        split=split,
        info=Info(
            licence=licence,
            citation=kind.citation,
            notes=(*notes, *([f"{extra} files in {FOLDER}/ have no row in {TABLE} and are left out"] if extra else [])),
        ),
    )


def read_labels(kind: LabelSet, table: Table) -> tuple[list[str], NDArray[np.bool_]]:
    """The IDs and labels, bool (n, labels), of a table whose cells are numbers between spaces: '16 0'."""
    ids: dict[str, int] = {}  # and the line of each
    labels = np.zeros((len(table.rows), len(kind.labels)), bool)
    id_column, label_column = kind.columns
    cells = zip(table.lines, table.column(id_column), table.column(label_column), strict=True)
    for row, (line, name, cell) in enumerate(cells):
        where = f"{table.name} line {line}"
        if not name or name in ids:
            problem = f"{name!r} stands in line {ids[name]} already" if name else "is empty"
            raise DataError(f"{where}: {id_column} {problem}; mend or remove the row")
        ids[name] = line
        numbers = cell.split()
        if not numbers:
            raise DataError(f"{where}: {label_column} is empty; numbers from 0 to {len(kind.labels) - 1} are expected")
        for number in numbers:
            if not number.isdecimal() or int(number) >= len(kind.labels):
                raise DataError(
                    f"{where}: {label_column} is {cell!r}; numbers from 0 to {len(kind.labels) - 1}, with spaces "
                    "between them, are expected"
                )
            labels[row, int(number)] = True
    return list(ids), labels


def _files(kind: LabelSet, ids: Sequence[str]) -> Iterator[str]:
    """Each image's files, channel by channel."""
    return (f"{name}{end}" for name in ids for end in kind.files)


def _table(kind: LabelSet, texts: Mapping[str, images.Blob], source: Path) -> tuple[str, Table]:
    """The folder inside the source that holds the table, '' or 'name/', and the table."""
    tables = {name: read_table(blob, TABLE) for name, blob in texts.items()}
    found = [name for name, table in tables.items() if {*kind.columns} <= {*table.header}]
    if not found:
        others = f" ({images.few([*tables])} has other columns)" if tables else ""
        raise DataError(
            f"{source} holds no {TABLE} of {kind.name}{others}; {kind.layout}; {DUMMY} is never taken for it"
        )
    if len(found) > 1:
        raise DataError(f"{source} holds {images.few(found)}; give the folder of one of them")
    return found[0][: -len(TABLE)], tables[found[0]]


def _small(blob: images.Blob, planes: int) -> images.Picture:
    """A file's pixels at the size they are stored at."""
    picture = images.decode(blob)
    pixels = picture.pixels
    channels, height, width = pixels.shape
    if channels != planes or pixels.dtype != np.uint8 or height != width or height < SIZE:
        kind = "grey" if planes == 1 else "RGB"
        raise DataError(f"{pixels.dtype} {pixels.shape}; square {kind} uint8 of {SIZE} px or more is expected")
    if height == SIZE:
        return picture
    remarks = [f"resized from {height}×{width} to {SIZE}×{SIZE} px", picture.remark]
    return images.Picture(images.resized(pixels, SIZE), ", ".join(filter(None, remarks)))
