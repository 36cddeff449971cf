"""A user's own single-cell crops: class folders, train/val/test folders of them, or a CSV of files and labels."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.data import Dataset, Info
from ..core.errors import DataError
from . import cache, images
from .layouts import FolderOptions, draw_split, numbers, read_listing

__all__ = ["FolderOptions", "build", "prepare"]

REVISION = 1  # another one when the same folder is read to other arrays
DEFAULT_SIZE = 64  # of images whose sizes are mixed
FIELD_OF_VIEW = 512  # px; crops of single cells are far smaller
KEEP_WHOLE = "replace or remove them, or pass --skip-unreadable"


@dataclass(frozen=True)
class Look:
    """One image's shape (channels, height, width), type and remark, or why it cannot be read."""

    shape: tuple[int, ...] = ()
    dtype: str = ""
    remark: str = ""
    problem: str = ""


def prepare(path: Path, options: FolderOptions) -> Path:
    """The cache folder of the data set in `path`, decoded unless that was done and no file has changed since.

    Raises DataError, and leaves nothing behind, when folder, table, labels or images contradict each other.
    """
    path = path.expanduser().resolve()
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise DataError(f"{path} {what}; give a folder of images, one cell an image")
    files = images.find_files(path)
    return cache.prepare(_key(path, files, options), lambda scratch: build(scratch, path, files, options))


def build(scratch: Path, path: Path, files: dict[str, Path], options: FolderOptions) -> Dataset:
    """The Dataset of a folder whose files are listed; its images are written to `scratch` as they are decoded."""
    listing = read_listing(path, files, options)
    split, notes = draw_split(listing, options.split_seed)  # before decoding, which may take long
    looks = list(images.in_order(_look, [files[name] for name in listing.files]))
    bad = [(name, look.problem) for name, look in zip(listing.files, looks, strict=True) if look.problem]
    skipped = []
    if bad:
        if not options.skip_unreadable:
            images.refuse_unreadable(bad, len(looks), KEEP_WHOLE)
        skipped = [f"{len(bad)} unreadable images skipped: {images.few([name for name, _ in bad], 20)}"]
        whole, listing = listing, listing.take([i for i, look in enumerate(looks) if not look.problem])
        if lost := [name for name in whole.classes if name not in listing.classes]:
            raise DataError(f"{path}: no readable image is left of class {images.few(lost)}; replace the broken ones")
        looks = [look for look in looks if not look.problem]
        split, notes = draw_split(listing, options.split_seed)
    _check_alike(listing.files, looks)
    size, size_notes = _size(looks, options.size)
    classes = listing.classes
    return Dataset(
        name=f"folder:{path.name}",
        images=_write_images(scratch / cache.IMAGES, [files[name] for name in listing.files], looks, size),
        labels=numbers(listing.labels, classes),
        classes=classes,
        channels=_channels(looks[0].shape[0]),
        split=split,
        groups=listing.group_numbers,
        info=Info(notes=(*listing.notes, *notes, *skipped, *_remarks(listing.files, looks), *size_notes)),
    )


def _key(path: Path, files: dict[str, Path], options: FolderOptions) -> str:
    """A name that changes with any file's path, size or time, with the table and with the options."""
    digest = hashlib.sha256(f"{REVISION}\n{path.name}\n".encode("utf-8", "surrogateescape"))
    choices = {**asdict(options), "labels": None}  # the table counts by its content, below
    digest.update(json.dumps(choices, sort_keys=True).encode())
    for name, file in files.items():
        try:
            facts = file.stat()
            line = f"{name}\0{facts.st_size}\0{facts.st_mtime_ns}\n"
        except OSError:  # a broken link; decoding will name it
            line = f"{name}\0-\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    if options.labels is not None and options.labels.is_file():
        digest.update(options.labels.read_bytes())
    slug = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-")[:40] or "images"
    return f"folder-{slug}-{digest.hexdigest()[:16]}"


# --- pixels


def _look(file: Path) -> Look:
    """Decode once to learn what an image is; the pixels are not kept, so any number of images fits in memory."""
    try:
        picture = images.decode(file)
    except DataError as error:
        return Look(problem=str(error))
    return Look(picture.pixels.shape, picture.pixels.dtype.name, picture.remark)


def _check_alike(files: Sequence[str], looks: Sequence[Look]) -> None:
    """Refuse images of different depths or channel counts, naming one of each."""
    for name, look in zip(files, looks, strict=True):
        if (look.shape[0], look.dtype) != (looks[0].shape[0], looks[0].dtype):
            raise DataError(
                f"images differ in kind: {files[0]} is {_kind(looks[0])}, {name} is {_kind(look)}; save them all alike"
            )


def _kind(look: Look) -> str:
    return f"{look.dtype} with {look.shape[0]} channel{'s' * (look.shape[0] > 1)}"


def _size(looks: Sequence[Look], wanted: int | None) -> tuple[int | None, list[str]]:
    """The side to bring all images to, None to leave them; with notes on mixed sizes and on whole fields of view."""
    sizes = sorted({look.shape[1:] for look in looks})
    height, width = (int(np.median([look.shape[axis] for look in looks])) for axis in (1, 2))
    notes = []
    if max(height, width) >= FIELD_OF_VIEW:
        notes.append(
            f"the median image has {height}×{width} px, like a whole field of view; "
            "crops are expected, one cell an image"
        )
    if len(sizes) > 1:
        wanted = wanted or DEFAULT_SIZE
        span = f"{sizes[0][0]}×{sizes[0][1]} to {sizes[-1][0]}×{sizes[-1][1]} px"
        notes.append(f"images of {len(sizes)} sizes ({span}, height×width) resized to {wanted}×{wanted}")
    elif wanted and sizes != [(wanted, wanted)]:
        notes.append(f"images resized from {height}×{width} px to {wanted}×{wanted}")
    return wanted, notes


def _remarks(files: Sequence[str], looks: Sequence[Look]) -> Iterator[str]:
    """What was decided while decoding, each once, with how often and where first."""
    first: dict[str, str] = {}
    for name, look in zip(files, looks, strict=True):
        first.setdefault(look.remark, name)
    counts = Counter(look.remark for look in looks)
    yield from (f"{remark}: {counts[remark]} images, the first is {first[remark]}" for remark in first if remark)


def _channels(n: int) -> tuple[str, ...]:
    return {1: ("grey",), 3: ("red", "green", "blue")}.get(n) or tuple(f"channel {i + 1}" for i in range(n))


def _write_images(target: Path, files: Sequence[Path], looks: Sequence[Look], size: int | None) -> NDArray:
    """Decode, resize and write all images (n, channels, height, width); returns them memory-mapped.

    Written as a file, not through the map: on a full disk a write fails with an error, a map kills the process.
    """
    channels, height, width = looks[0].shape
    shape = (channels, size or height, size or width)
    dtype = np.dtype(looks[0].dtype)

    def pixels(file: Path) -> NDArray:
        found = images.decode(file).pixels
        found = images.resized(found, size) if size else found
        if found.shape != shape or found.dtype != dtype:
            raise DataError(f"{file} changed while it was read; run the command again")
        return found

    with target.open("wb") as out:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (len(files), *shape)}
        np.lib.format.write_array_header_1_0(out, header)
        for found in images.in_order(pixels, files):
            out.write(found.data)
    return np.load(target, mmap_mode="r")
