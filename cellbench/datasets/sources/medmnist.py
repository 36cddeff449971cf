"""MedMNIST (v2 and +): blood cells, kidney cells and colon tissue in one .npz file a set, at 28, 64, 128 or 224 px."""

import contextlib
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, overload

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset, Info, Split
from ...core.errors import BackendError, DataError
from ...core.extras import EXTRAS
from ...core.split_names import OFFICIAL
from ..files import cache
from ..files.download import RemoteFile, is_web_page
from ..files.images import npy
from ..registry import dataset
from ..splits import absent

SIZES = (28, 64, 128, 224)
LICENCE = "CC BY 4.0"
HOME = "zenodo.org/records/10519652"
CITATION = "Yang et al., MedMNIST v2, Scientific Data, 2023"
BLOCK_BYTES = 2**24  # of images read at a time: the largest set has 16 GB
GREY, RGB = ("grey",), ("red", "green", "blue")


@dataclass(frozen=True)
class Published:
    """A set as its authors describe it: class names in the order of the labels, channels, images in each part."""

    what: str
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    counts: tuple[int, int, int]


SETS: Mapping[str, Published] = {
    "bloodmnist": Published(
        what="blood cells, 8 kinds",
        classes=(
            "basophil",
            "eosinophil",
            "erythroblast",
            "immature granulocytes",
            "lymphocyte",
            "monocyte",
            "neutrophil",
            "platelet",
        ),
        channels=RGB,
        counts=(11_959, 1_712, 3_421),
    ),
    "tissuemnist": Published(
        what="kidney cortex cells, 8 kinds",
        classes=(
            "Collecting Duct, Connecting Tubule",
            "Distal Convoluted Tubule",
            "Glomerular endothelial cells",
            "Interstitial endothelial cells",
            "Leukocytes",
            "Podocytes",
            "Proximal Tubule Segments",
            "Thick Ascending Limb",
        ),
        channels=GREY,
        counts=(165_466, 23_640, 47_280),
    ),
    "pathmnist": Published(
        what="colon tissue patches, 9 kinds",
        classes=(
            "adipose",
            "background",
            "debris",
            "lymphocytes",
            "mucus",
            "smooth muscle",
            "normal colon mucosa",
            "cancer-associated stroma",
            "colorectal adenocarcinoma epithelium",
        ),
        channels=RGB,
        counts=(89_996, 10_004, 7_180),
    ),
}


def build(name: str, size: int, scratch: Path, source: Path | None) -> Dataset:
    """The set `name` at `size` px from its .npz file, with the official split.

    source: the file, or a folder that holds it; None for where the `medmnist` package keeps it. Raises DataError for a
    file of another set. Images are copied block by block, so that a set may be larger than the memory.
    """
    file = _file(name, size, source)
    published = SETS[name]
    counts = tuple(shape[0] for shape in _shapes(file, published, size).values())
    labels = np.concatenate([_labels(file, part, n, published) for part, n in zip(PARTS, counts, strict=True)])
    ends = np.cumsum(counts)
    split = Split(OFFICIAL, *(np.arange(end - n, end, dtype=np.int64) for end, n in zip(ends, counts, strict=True)))
    if lacking := absent(published.classes, labels[split.train]):
        raise DataError(f"{file}: no training image is of class {', '.join(lacking)}; get a whole copy")
    other = [f"{counts} images in {', '.join(PARTS)}; the published set has {published.counts}"]
    return Dataset(
        name=set_name(name, size),
        images=_write_images(scratch / cache.IMAGES, file, (len(labels), len(published.channels), size, size)),
        labels=labels,
        classes=published.classes,
        channels=published.channels,
        split=split,
        info=Info(licence=LICENCE, citation=CITATION, notes=() if counts == published.counts else tuple(other)),
    )


def set_name(name: str, size: int) -> str:
    """Return the name of a set and of its file: 'bloodmnist' at 28 px, 'bloodmnist_64' and so on at others."""
    return name if size == SIZES[0] else f"{name}_{size}"


def remote_file(name: str, size: int) -> RemoteFile:
    """Where the file is published and its md5 sum, from the tables of the `medmnist` package."""
    try:
        from medmnist.info import INFO
    except ImportError as error:
        raise BackendError(
            f"the addresses of MedMNIST's files are in the package medmnist; type: {EXTRAS['medmnist'].command}"
        ) from error
    end = "" if size == SIZES[0] else f"_{size}"
    return RemoteFile(INFO[name][f"url{end}"], f"{set_name(name, size)}.npz", INFO[name][f"MD5{end}"])


@dataclass(frozen=True)
class Files(Sequence[RemoteFile]):
    """A list of the set's one published file; empty when the package medmnist, which has the address, is not installed.

    The address is looked up only when it is asked for, as importing the package imports torch.
    """

    name: str
    size: int

    def __len__(self) -> int:
        return int(EXTRAS["medmnist"].installed)

    @overload
    def __getitem__(self, index: int) -> RemoteFile: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[RemoteFile]: ...

    def __getitem__(self, index: int | slice) -> RemoteFile | Sequence[RemoteFile]:
        return [remote_file(self.name, self.size)][: len(self)][index]


def usual_place(name: str, size: int) -> Path:
    """Where the `medmnist` package keeps the file."""
    return Path.home() / ".medmnist" / f"{set_name(name, size)}.npz"


# --- the file


def _file(name: str, size: int, source: Path | None) -> Path:
    """The path of the set's file. Raises DataError when it isn't there."""
    wanted = f"{set_name(name, size)}.npz"
    file = source or usual_place(name, size)
    if source is not None and source.is_dir():
        file = source / wanted
    if not file.is_file():
        raise DataError(f"{file} does not exist; download {wanted} from {HOME} and give its path")
    return file


def _shapes(file: Path, published: Published, size: int) -> dict[str, tuple[int, ...]]:
    """The shape of the image array of each part, read from the array's header; the images themselves are not read."""
    shapes = {}
    tail = (size, size) if published.channels == GREY else (size, size, len(published.channels))
    for part in PARTS:
        with _array(file, f"{part}_images") as array:
            if array.dtype != np.uint8 or array.shape[1:] != tail or not array.shape[0]:
                expected = ", ".join(map(str, tail))
                raise DataError(
                    f"{file}: {part}_images are {array.dtype} {array.shape}; uint8 (n, {expected}) is expected"
                )
            shapes[part] = array.shape
    return shapes


def _labels(file: Path, part: str, n: int, published: Published) -> NDArray[np.int64]:
    """The labels of a part, int64 (n,); (n, 1) in the file."""
    key = f"{part}_labels"
    with _array(file, key) as array:
        if array.dtype.kind not in "iu" or array.shape not in ((n, 1), (n,)):
            raise DataError(f"{file}: {key} are {array.dtype} {array.shape}; whole numbers ({n}, 1) are expected")
        labels = np.frombuffer(array.read(n), array.dtype).astype(np.int64)
    wrong = np.flatnonzero((labels < 0) | (labels >= len(published.classes)))
    if len(wrong):
        row = int(wrong[0])
        raise DataError(f"{file}: {key} row {row} is {labels[row]}; 0 to {len(published.classes) - 1} are allowed")
    return labels


def _write_images(target: Path, file: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Copy all images to an .npy file: uint8 (n, channels, size, size), train, then val, then test; memory-mapped."""
    _, channels, height, width = shape
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        npy.write_header(out, shape, np.dtype(np.uint8))
        for part in PARTS:
            with _array(file, f"{part}_images") as array:
                step = max(1, BLOCK_BYTES // math.prod(shape[1:]))
                for start in range(0, array.shape[0], step):
                    block = np.frombuffer(array.read(min(step, array.shape[0] - start)), np.uint8)
                    block = block.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
                    out.write(np.ascontiguousarray(block).data)
    return np.load(target, mmap_mode="r")


@dataclass(frozen=True)
class _Array:
    """An array in an .npz file: its shape and type, and its rows, to be read some at a time."""

    shape: tuple[int, ...]
    dtype: np.dtype
    rows: IO[bytes]

    def read(self, n: int) -> bytes:
        wanted = n * math.prod(self.shape[1:]) * self.dtype.itemsize
        data = self.rows.read(wanted)
        if len(data) < wanted:
            raise EOFError("an array ends early")
        return data


@contextlib.contextmanager
def _array(file: Path, key: str) -> Iterator[_Array]:
    """An array in the file, open at its first row. Raises DataError for a file that is damaged or of another kind."""
    try:
        with zipfile.ZipFile(file) as archive, archive.open(f"{key}.npy") as member:
            version = np.lib.format.read_magic(member)
            read_head = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
            shape, by_column, dtype = read_head(member)
            if by_column or dtype.hasobject or not shape:
                raise DataError(f"{file}: {key} is {dtype} {shape}, in an order or of a kind that isn't read")
            yield _Array(shape, dtype, member)
    except KeyError as error:
        raise DataError(f"{file} holds no array {key}; give a file of MedMNIST") from error
    except (zipfile.BadZipFile, EOFError, zlib.error, ValueError) as error:
        with file.open("rb") as start:
            what = "is a saved web page" if is_web_page(start.read(1024)) else f"cannot be read as .npz: {error}"
        raise DataError(f"{file} {what}; download it again") from error


for _name, _published in SETS.items():
    for _size in SIZES:
        dataset(
            set_name(_name, _size),
            summary=f"{_published.what} (MedMNIST)",
            licence=LICENCE,
            size=f"{sum(_published.counts):,} images, {_size}×{_size}",
            classes=_published.classes,
            channels=_published.channels,
            manual=f"download {set_name(_name, _size)}.npz from {HOME}",
            files=Files(_name, _size),
            usual_place=partial(usual_place, _name, _size),
            defaults={"size": _size},  # by default, methods get images at their published size
        )(partial(build, _name, _size))
