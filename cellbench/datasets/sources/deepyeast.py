"""DeepYeast: 90,000 yeast cells, where in the cell a tagged protein is (Pärnamaa & Parts 2017), 64×64, two channels.

Two layouts circulate: the authors' own, plates with three lists, where a file's name tells the well; and the renamed
copy that github.com/DearRush/Deep-learning uses, where a file's name tells only its row in the list.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.data import PARTS, Dataset, Info, Split
from ...core.errors import DataError
from ...core.split_names import OFFICIAL
from ...core.text.words import counted
from ..files import cache
from ..files.download import RemoteFile
from ..files.find import Blob, stream_files, survey_files
from ..files.images import npy
from ..files.images.decoding import decode
from ..files.images.pixels import Picture
from ..files.tables import read_text
from ..registry import dataset
from ..splits import absent

CLASSES = (
    "cell periphery",
    "cytoplasm",
    "endosome",
    "er",
    "golgi",
    "mitochondrion",
    "nuclear periphery",
    "nucleolus",
    "nucleus",
    "peroxisome",
    "spindle pole",
    "vacuole",
)
CHANNELS = ("cell", "protein")
SHAPE = (len(CHANNELS), 64, 64)

# Number of cells of each class in the published split.
COUNTS = {
    "train": (6924, 6935, 2692, 6195, 2770, 6547, 6661, 7014, 6440, 1683, 4713, 6426),
    "val": (961, 1223, 697, 1393, 208, 1560, 1252, 1147, 1312, 294, 1517, 936),
    "test": (1569, 1276, 689, 1755, 382, 1243, 1164, 1263, 1627, 164, 781, 587),
}

HOME = "https://kodu.ut.ee/~leopoldp/2016_DeepYeast"
LISTS_HOME = f"{HOME}/code/image_prep/data"
ARCHIVE = "main.tar.gz"
FILES = (
    RemoteFile(f"{HOME}/data/{ARCHIVE}", ARCHIVE, "f313fc0b8068941ab18ae65eb113afee"),
    RemoteFile(f"{LISTS_HOME}/HOwt_train.txt", "HOwt_train.txt", "b71eb4ff50f955adfa72048c6d8c0233"),
    RemoteFile(f"{LISTS_HOME}/HOwt_val.txt", "HOwt_val.txt", "2ac1d1874b89d6a1ad3d948d36c1e229"),
    RemoteFile(f"{LISTS_HOME}/HOwt_test.txt", "HOwt_test.txt", "c7958faa20232ff52fb196e754645bd1"),
)
PLATE_LISTS = ("HOwt_train.txt", "HOwt_val.txt", "HOwt_test.txt")
RENAMED_LISTS = ("train_labels.txt", "val_labels.txt", "Test_labels.txt")
RENAMED_FOLDERS = ("train_img", "val_img", "test_img")
WELL = re.compile(r"(plate\d+/\d{6})[^/]*")  # the plate and the first six digits of the file's name
FILE_SHAPE = (3, *SHAPE[1:])
LAYOUT = (
    f"plate01/ … plate11/ and {', '.join(PLATE_LISTS)}, or "
    f"{'/, '.join(RENAMED_FOLDERS)}/ and {', '.join(RENAMED_LISTS)}, are expected"
)


@dataclass(frozen=True)
class ListedImages:
    """The rows of the lists, train first, then val and test.

    files: each image's path. labels: class numbers. wells: None where the files' names don't tell them.
    """

    files: tuple[str, ...]
    labels: tuple[int, ...]
    parts: tuple[str, ...]
    wells: tuple[str, ...] | None


@dataset(
    "deepyeast",
    summary="yeast cells, 12 places of a protein (DeepYeast, real)",
    licence="see the source: Pärnamaa & Parts 2017, images from CYCLoPs",
    size="90,000 cells, 64×64",
    classes=CLASSES,
    channels=CHANNELS,
    manual=f"download {ARCHIVE} from {HOME}/data/ and {', '.join(PLATE_LISTS)} from {LISTS_HOME}/ into one folder",
    files=FILES,
)
def build(scratch: Path, source: Path | None) -> Dataset:
    """The data set in the order of its lists, with red as 'cell', green as 'protein' and wells as groups.

    source: the folder of either layout; or the archive, with the lists in it or beside it; or the folder of downloaded
    files. Raises DataError when it contradicts its layout. A blue channel that isn't zero is noted.
    """
    if source is None:
        raise DataError(f"deepyeast needs a source; {LAYOUT}")
    place = _place(source)
    pictures, texts = survey_files(place, lambda name: name in (*PLATE_LISTS, *RENAMED_LISTS))
    rows = read_rows(_lists(texts, place, source))
    name_of = _by_key(pictures)
    if missing := [file for file in rows.files if file not in name_of]:
        raise DataError(
            f"{len(missing)} of {len(rows.files)} images in the lists are not in {place}, the first is {missing[0]}; "
            "the copy is incomplete: get a whole one"
        )
    row_of = {name_of[file]: row for row, file in enumerate(rows.files)}
    parts, labels = np.array(rows.parts), np.array(rows.labels, dtype=np.int64)
    if lacking := absent(CLASSES, labels[parts == "train"]):
        raise DataError(f"{source}: no training image is of class {', '.join(lacking)}; get a whole copy")
    extra = len(name_of) - len(row_of)
    pixels, remarks = npy.write(
        scratch / cache.IMAGES,
        (len(labels), *SHAPE),
        np.dtype(np.uint8),
        ((row_of[name], name, blob) for name, blob in stream_files(place, row_of)),
        _two_channels,
        "get a whole copy of them",
        processes=True,
    )
    return Dataset(
        name="deepyeast",
        images=pixels,
        labels=labels,
        classes=CLASSES,
        channels=CHANNELS,
        split=Split(OFFICIAL, *(np.flatnonzero(parts == part) for part in PARTS)),
        ids=np.array(rows.files),
        groups=None if rows.wells is None else np.unique(np.array(rows.wells), return_inverse=True)[1].astype(np.int64),
        info=Info(
            groups_are="well",
            licence="see the source",
            citation="Pärnamaa & Parts, G3 7(5), 2017; images from CYCLoPs (Koh et al. 2015; Chong et al. 2015)",
            notes=(*remarks, *([f"{counted(extra, 'image')} in no list, left out"] if extra else [])),
        ),
    )


def read_rows(lists: Mapping[str, Blob]) -> ListedImages:
    """The rows of a layout's three lists. lists: their content by name, in the order train, val, test."""
    files: dict[str, str] = {}  # and where each is listed
    labels: list[int] = []
    parts: list[str] = []
    wells: list[str] = []
    renamed = tuple(lists) == RENAMED_LISTS
    for part, folder, (name, blob) in zip(PARTS, RENAMED_FOLDERS, lists.items(), strict=True):
        for line, file, label in _lines(name, blob):
            if not renamed and not (well := WELL.fullmatch(file)):
                raise DataError(f"{line}: {file!r} is not plate…/ and a name that starts with six digits, its well")
            key = f"{folder}/{file}" if renamed else file
            if key in files:
                raise DataError(f"{line}: {file} stands in {files[key]} already; remove one of the lines")
            files[key] = line
            labels.append(label)
            parts.append(part)
            if not renamed and well:
                wells.append(well[1])
        if part not in parts[-1:]:
            raise DataError(f"{name} lists no images; get a whole copy of it")
    return ListedImages(tuple(files), tuple(labels), tuple(parts), None if renamed else tuple(wells))


def _lines(name: str, blob: Blob) -> Iterator[tuple[str, str, int]]:
    """Yield, for each line of a list, its name for messages, the image's file and its class number."""
    for number, line in enumerate(read_text(blob, name).splitlines(), 1):
        cells = line.rsplit(maxsplit=1)
        if not cells:
            continue
        file, label = cells[0].strip(), cells[-1]
        if len(cells) != 2 or not label.isdecimal() or int(label) >= len(CLASSES):
            raise DataError(
                f"{name} line {number}: {line.strip()!r} is not an image and a class, 0 to {len(CLASSES) - 1}"
            )
        yield f"{name} line {number}", file, int(label)


def _place(source: Path) -> Path:
    """Where the images are: in the source itself, or in the archive that was downloaded into it."""
    archive = source / ARCHIVE
    unpacked = any(path.is_dir() for path in source.glob("plate*"))
    return archive if archive.is_file() and not unpacked else source


def _lists(texts: Mapping[str, Blob], place: Path, source: Path) -> dict[str, Blob]:
    """Return the contents of one layout's three lists by name, from the source or from beside the archive."""
    found: dict[str, list[Blob]] = {}
    for name, blob in texts.items():
        found.setdefault(name.rpartition("/")[2], []).append(blob)
    for name in (*PLATE_LISTS, *RENAMED_LISTS):
        beside = place.parent / name
        if name not in found and not place.is_dir() and beside.is_file():
            found[name] = [beside]
        if len(found.get(name, [])) > 1:
            raise DataError(f"{source} holds {len(found[name])} files called {name}; leave one of them there")
    for layout in (PLATE_LISTS, RENAMED_LISTS):
        if all(name in found for name in layout):
            return {name: found[name][0] for name in layout}
    for layout in (PLATE_LISTS, RENAMED_LISTS):
        if lacking := [name for name in layout if name not in found and len(found.keys() & {*layout})]:
            raise DataError(f"{source} holds no {', '.join(lacking)}; {LAYOUT}")
    raise DataError(f"{source} holds no lists of images; {LAYOUT}")


def _by_key(pictures: Sequence[str]) -> dict[str, str]:
    """Return the images' paths by their last folder and file name, as the lists name them."""
    found: dict[str, str] = {}
    for name in pictures:
        key = "/".join(name.split("/")[-2:])
        if found.get(key, name) != name:
            raise DataError(f"{found[key]} and {name} are both called {key}; remove one of them")
        found[key] = name
    return found


def _two_channels(blob: Blob) -> Picture:
    """Return the red and green channels of an image; blue is empty in the authors' images."""
    picture = decode(blob)
    pixels = picture.pixels
    if pixels.shape != FILE_SHAPE or pixels.dtype != np.uint8:
        raise DataError(f"{pixels.dtype} {pixels.shape}; 64×64 RGB uint8 is expected")
    return Picture(pixels[:2], "blue is not zero, and left out" if pixels[2].any() else picture.remark)
