"""Human Protein Atlas: fields of human cells, several places of a protein an image; two label sets circulate.

`hpa28` is the Kaggle contest of 2018, four files an image, one for each stain; `hpa10` is a smaller set of RGB images
with ten labels. Both were published at 512 px; `hpa10` circulates at 128 px too. Neither has public labels for its test
images, so a split of the training images is drawn.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.data import Dataset, Info
from ...core.errors import DataError
from ...core.text.words import counted
from .. import splits
from ..files import cache
from ..files.find import Blob, stream_files, survey_files
from ..files.images import npy
from ..files.images.decoding import decode, resized
from ..files.images.pixels import Picture
from ..files.names import first_few
from ..files.tables import TextTable, read_table
from ..registry import dataset

SIZES = (128, 512)  # px of stored images; the first, which needs a sixteenth of the other's room, has the plain name
TABLE = "train.csv"
FOLDER = "train"
DUMMY = "submission.csv"  # its labels are made up, to show a format


@dataclass(frozen=True)
class LabelSet:
    """What differs between the two sets.

    columns: the table's columns of images and of labels. files: what follows the ID in the names of an image's files.
    planes: channels in a file. labels: names of the labels 0, 1, … what: one line for a listing. n: how many images
    were published, in words. manual: how to get them.
    """

    name: str
    columns: tuple[str, str]
    files: tuple[str, ...]
    planes: int
    channels: tuple[str, ...]
    labels: tuple[str, ...]
    what: str
    n: str
    manual: str
    licence: str
    citation: str

    @property
    def layout(self) -> str:
        ends = "_{" + ",".join(end[1:-4] for end in self.files) + "}.png" if len(self.files) > 1 else self.files[0]
        return f"{FOLDER}/<id>{ends} and {TABLE} with the columns {','.join(self.columns)} are expected"


LICENCE = "CC BY-SA, see proteinatlas.org"
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
    what="human cells, 28 places of a protein, several an image (HPA, Kaggle 2018)",
    n="31,072 images",
    manual=(
        "download train.zip and train.csv from kaggle.com/c/human-protein-atlas-image-classification, "
        "accept its rules, and unpack train.zip into a folder train/ beside train.csv"
    ),
    licence=f"{LICENCE}; the rules of the Kaggle contest apply to its files",
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
    what="human cells, 10 places of a protein, several an image (HPA, RGB)",
    n="about 19,000 images",
    manual=f"get the folder 'Human protein atlas' that holds {FOLDER}/ and {TABLE} (columns Image,Label)",
    licence=LICENCE,
    citation="Human Protein Atlas, proteinatlas.org",
)


def build(kind: LabelSet, size: int, scratch: Path, source: Path | None) -> Dataset:
    """The set at `size` px, in the order of its table. Larger images are resized.

    Raises DataError for smaller images, and when files and table contradict each other.
    """
    name = set_name(kind, size)
    if source is None:
        raise DataError(f"{name} needs a source; {kind.layout}")
    pictures, texts = survey_files(source, lambda name: name == TABLE)
    root, table = _table(kind, texts, source)
    ids, labels = read_labels(kind, table)
    place_of = {f"{root}{FOLDER}/{file}": place for place, file in enumerate(_files(kind, ids))}
    there = {name for name in pictures if name.startswith(f"{root}{FOLDER}/")}
    if missing := [name for name in place_of if name not in there]:
        line = table.lines[place_of[missing[0]] // len(kind.files)]
        raise DataError(
            f"{len(missing)} of {len(place_of)} files that {TABLE} calls for are not in {source}, the first is "
            f"{missing[0]} (line {line}); the copy is incomplete: get a whole one"
        )
    extra = len(there) - len(place_of)
    _check_size(kind, size, source, place_of)
    split = splits.stratified(labels, classes=kind.labels)  # before decoding, which takes long
    pixels, remarks = npy.write(
        scratch / cache.IMAGES,
        (len(ids), len(kind.channels), size, size),
        np.dtype(np.uint8),
        ((place_of[name], name, blob) for name, blob in stream_files(source, place_of)),
        partial(_sized, planes=kind.planes, size=size),
        "get a whole copy of them",
        processes=True,
    )
    notes = ["no labels are public for the test images: the split is drawn from train/", *remarks]
    return Dataset(
        name=name,
        images=pixels,
        labels=labels,
        classes=kind.labels,
        channels=kind.channels,
        split=split,
        ids=np.array(ids),
        info=Info(
            licence=kind.licence,
            citation=kind.citation,
            notes=(
                *notes,
                *([f"{counted(extra, 'file')} in {FOLDER}/ without a row in {TABLE}, left out"] if extra else []),
            ),
        ),
    )


def set_name(kind: LabelSet, size: int) -> str:
    """Return the registered name of a set at a size: 'hpa10' at 128 px, 'hpa10_512' at 512 px."""
    return kind.name if size == SIZES[0] else f"{kind.name}_{size}"


def read_labels(kind: LabelSet, table: TextTable) -> tuple[list[str], NDArray[np.bool_]]:
    """IDs and labels, (n, labels) bool, of a table whose cells are numbers with spaces between them: '16 0'."""
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
    """Return the names of the files of all images, image by image."""
    return (f"{name}{end}" for name in ids for end in kind.files)


def _table(kind: LabelSet, texts: Mapping[str, Blob], source: Path) -> tuple[str, TextTable]:
    """The folder inside the source that holds the table, '' or 'name/', and the table."""
    tables = {name: read_table(blob, TABLE) for name, blob in texts.items()}
    found = [name for name, table in tables.items() if {*kind.columns} <= {*table.header}]
    if not found:
        others = f" ({first_few([*tables])} has other columns)" if tables else ""
        raise DataError(
            f"{source} holds no {TABLE} of {kind.name}{others}; {kind.layout}; {DUMMY} is never taken for it"
        )
    if len(found) > 1:
        raise DataError(f"{source} holds {first_few(found)}; give the folder of one of them")
    return found[0][: -len(TABLE)], tables[found[0]]


def _check_size(kind: LabelSet, size: int, source: Path, names: Container[str]) -> None:
    """Raise DataError when the first image is smaller than `size`, before thousands are decoded."""
    _, blob = next(stream_files(source, names))
    try:
        height, width = decode(blob).pixels.shape[1:]
    except DataError:
        return  # it is named, with all other broken ones, when they are decoded
    if height == width < size:
        fitting = [f", or prepare {set_name(kind, fit)} from it" for fit in SIZES if fit <= height]
        raise DataError(
            f"{source} holds images of {height}×{width} px, which are not enlarged to {size}×{size}: "
            f"get the copy with larger ones{''.join(fitting[-1:])}"
        )


def _sized(blob: Blob, planes: int, size: int) -> Picture:
    """A file's pixels, resized to the size that is stored."""
    picture = decode(blob)
    pixels = picture.pixels
    channels, height, width = pixels.shape
    if channels != planes or pixels.dtype != np.uint8 or height != width or height < size:
        kind = "grey" if planes == 1 else "RGB"
        raise DataError(f"{pixels.dtype} {pixels.shape}; square {kind} uint8 of {size} px or more is expected")
    if height == size:
        return picture
    remarks = [f"resized from {height}×{width} to {size}×{size} px", picture.remark]
    return Picture(resized(pixels, size), ", ".join(filter(None, remarks)))


for _kind in (HPA28, HPA10):
    for _size in SIZES:
        dataset(
            set_name(_kind, _size),
            summary=_kind.what,
            licence=_kind.licence,
            size=f"{_kind.n}, {_size}×{_size}",
            classes=_kind.labels,
            channels=_kind.channels,
            manual=_kind.manual,
            defaults={} if _size == SIZES[0] else {"size": _size},  # by default, methods get large images at full size
        )(partial(build, _kind, _size))
