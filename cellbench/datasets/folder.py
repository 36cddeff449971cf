"""A user's own single-cell crops: class folders, train/val/test folders of them, or a CSV of files and labels."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.data import Dataset, Info
from ..core.errors import DataError
from . import cache, images
from .folder_split import draw_split
from .layouts import join_channels, read_listing
from .listing import FolderOptions
from .tables import read_text

__all__ = ["FolderOptions", "build", "prepare"]

REVISION = 2  # another one when the same folder is read to other arrays
DEFAULT_SIZE = 64  # of images whose sizes are mixed
OWN = "your own images"  # as licence and source
FIELD_OF_VIEW = 512  # px; crops of single cells are far smaller
KEEP_WHOLE = "replace or remove them, or pass --skip-unreadable"


@dataclass(frozen=True)
class Look:
    """One image's shape (channels, height, width), type and channel names, or why it cannot be read."""

    shape: tuple[int, ...] = ()
    dtype: str = ""
    channels: tuple[str, ...] = ()
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
    planes, channels = join_channels(files, options.pattern)
    others = {name: file for name, file in files.items() if not images.is_image(name)}
    listing = read_listing(path, others | {name: own[0] for name, own in planes.items()}, options)
    split, notes = draw_split(listing, options.split_seed)  # before decoding, which may take long
    looks = list(images.in_order(_look, [planes[name] for name in listing.files]))
    bad = [(name, look.problem) for name, look in zip(listing.files, looks, strict=True) if look.problem]
    skipped = []
    if bad:
        if not options.skip_unreadable:
            images.refuse_unreadable(bad, len(looks), KEEP_WHOLE)
        skipped = [f"{len(bad)} unreadable images skipped: {images.few([name for name, _ in bad], 20)}"]
        whole, listing = listing, listing.take([i for i, look in enumerate(looks) if not look.problem])
        left = {name for names in listing.labels for name in names}
        if lost := [name for name in whole.classes if name not in left]:
            raise DataError(f"{path}: no readable image is left of class {images.few(lost)}; replace the broken ones")
        looks = [look for look in looks if not look.problem]
        split, notes = draw_split(listing, options.split_seed)
    _check_alike(listing.files, looks)
    size, size_notes = _size(looks, options.size)
    pixels, remarks = _write_images(
        scratch / cache.IMAGES, {name: planes[name] for name in listing.files}, looks[0], size
    )
    return Dataset(
        name=f"folder:{path.name}",
        images=pixels,
        labels=listing.targets,
        classes=listing.classes,
        channels=channels or looks[0].channels or _channels(looks[0].shape[0]),
        split=split,
        groups=listing.group_numbers,
        info=Info(licence=OWN, citation=OWN, notes=(*listing.notes, *notes, *skipped, *remarks, *size_notes)),
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
    if options.labels is not None:
        digest.update(read_text(options.labels, options.labels.name).encode())
    slug = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-")[:40] or "images"
    return f"folder-{slug}-{digest.hexdigest()[:16]}"


# --- pixels


def _look(planes: Sequence[Path]) -> Look:
    """Decode once to learn what an image is; the pixels are not kept, so any number of images fits in memory."""
    try:
        picture = _picture(planes)
    except DataError as error:
        return Look(problem=str(error))
    return Look(picture.pixels.shape, picture.pixels.dtype.name, picture.channels)


def _picture(planes: Sequence[Path]) -> images.Picture:
    """An image from its file, or from several with one channel each."""
    if len(planes) == 1:
        return images.decode(planes[0])
    pictures = [images.decode(plane) for plane in planes]
    first = pictures[0].pixels
    for plane, picture in zip(planes, pictures, strict=True):
        pixels = picture.pixels
        if len(pixels) != 1 or pixels.shape != first.shape or pixels.dtype != first.dtype:
            raise DataError(
                f"{plane.name} is {pixels.dtype} {pixels.shape}, {planes[0].name} {first.dtype} {first.shape}; "
                "one grey plane a file, all alike, is expected"
            )
    remarks = dict.fromkeys(picture.remark for picture in pictures if picture.remark)
    return images.Picture(np.concatenate([picture.pixels for picture in pictures]), ", ".join(remarks))


def _check_alike(files: Sequence[str], looks: Sequence[Look]) -> None:
    """Refuse images of different depths, channel counts or channel names, naming one of each."""
    for name, look in zip(files, looks, strict=True):
        if (look.shape[0], look.dtype, look.channels) != (looks[0].shape[0], looks[0].dtype, looks[0].channels):
            raise DataError(
                f"images differ in kind: {files[0]} is {_kind(looks[0])}, {name} is {_kind(look)}; save them all alike"
            )


def _kind(look: Look) -> str:
    names = f" ({', '.join(look.channels)})" if look.channels else ""
    return f"{look.dtype} with {look.shape[0]} channel{'s' * (look.shape[0] > 1)}{names}"


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


def _channels(n: int) -> tuple[str, ...]:
    return {1: ("grey",), 3: ("red", "green", "blue")}.get(n) or tuple(f"channel {i + 1}" for i in range(n))


def _write_images(
    target: Path, planes: Mapping[str, Sequence[Path]], look: Look, size: int | None
) -> tuple[NDArray, list[str]]:
    """All images, resized to `size` if given, (n, channels, height, width) memory-mapped; with remarks."""
    channels, height, width = look.shape
    shape, dtype = (channels, size or height, size or width), np.dtype(look.dtype)

    def load(files: Sequence[Path]) -> images.Picture:
        picture = _picture(files)
        pixels = images.resized(picture.pixels, size) if size else picture.pixels
        if pixels.shape != shape or pixels.dtype != dtype:
            raise DataError("changed while it was read")
        return images.Picture(pixels, picture.remark)

    items = ((place, name, files) for place, (name, files) in enumerate(planes.items()))
    return images.write(target, (len(planes), *shape), dtype, items, load, "run the command again")
