"""A user's own single-cell crops: class folders, train/val/test folders of them, or a CSV of files and labels."""

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ...core.data import Dataset, Info
from ...core.errors import DataError
from ..files import cache, npy
from ..files.decoding import decode, resized
from ..files.find import find_files
from ..files.names import first_few, is_image
from ..files.npy import Outcome
from ..files.pixels import Picture
from ..files.tables import read_text
from .layouts import join_channels, read_listing
from .listing import FolderOptions
from .split import draw_split

__all__ = ["FolderOptions", "build", "prepare"]

REVISION = 2  # another one when the same folder is read to other arrays
DEFAULT_SIZE = 64  # of images whose sizes are mixed
OWN = "your own images"  # as licence and source
FIELD_OF_VIEW = 512  # px; crops of single cells are far smaller
KEEP_WHOLE = "replace or remove them, or pass --skip-unreadable"


def prepare(path: Path, options: FolderOptions) -> Path:
    """The cache folder of the data set in `path`, decoded unless that was done and no file has changed since.

    Raises DataError, and leaves nothing behind, when folder, table, labels or images contradict each other.
    """
    path = path.expanduser().resolve()
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise DataError(f"{path} {what}; give a folder of images, one cell an image")
    files = find_files(path)
    return cache.prepare(_key(path, files, options), lambda scratch: build(scratch, path, files, options))


def build(scratch: Path, path: Path, files: dict[str, Path], options: FolderOptions) -> Dataset:
    """The Dataset of a folder whose files are listed; its images are written to `scratch` as they are decoded."""
    planes, channels = join_channels(files, options.pattern)
    others = {name: file for name, file in files.items() if not is_image(name)}
    listing = read_listing(path, others | {name: own[0] for name, own in planes.items()}, options)
    split, notes = draw_split(listing, options.split_seed)  # before decoding, which may take long
    outcomes = _decode(scratch / cache.IMAGES, {name: planes[name] for name in listing.files}, options.size)
    bad = [outcome.name for outcome in outcomes if outcome.problem]
    skipped = []
    if bad:
        if not options.skip_unreadable:
            npy.refuse_unreadable(outcomes, KEEP_WHOLE)
        skipped = [f"{len(bad)} unreadable images skipped: {first_few(bad, 20)}"]
        whole, listing = listing, listing.take([i for i, outcome in enumerate(outcomes) if not outcome.problem])
        left = {name for names in listing.labels for name in names}
        if lost := [name for name in whole.classes if name not in left]:
            raise DataError(f"{path}: no readable image is left of class {first_few(lost)}; replace the broken ones")
        outcomes = [outcome for outcome in outcomes if not outcome.problem]
        split, notes = draw_split(listing, options.split_seed)
    _check_alike(outcomes)
    if bad:
        npy.keep(scratch / cache.IMAGES, [outcome.place for outcome in outcomes])
    notes = [*listing.notes, *notes, *skipped, *npy.remarks(outcomes), *_size_notes(outcomes, options.size)]
    return Dataset(
        name=f"folder:{path.name}",
        images=np.load(scratch / cache.IMAGES, mmap_mode="r"),
        labels=listing.targets,
        classes=listing.classes,
        channels=channels or outcomes[0].channels or unnamed_channels(outcomes[0].shape[0]),
        split=split,
        groups=listing.group_numbers,
        info=Info(licence=OWN, citation=OWN, notes=tuple(notes)),
    )


def _key(path: Path, files: dict[str, Path], options: FolderOptions) -> str:
    """A name that changes with any file's path, size or time, with the table and with the options."""
    digest = hashlib.sha256(f"{REVISION}\n{path.name}\n".encode("utf-8", "surrogateescape"))
    choices = {**vars(options), "labels": None}  # the table counts by its content, below
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


def _decode(target: Path, planes: Mapping[str, Sequence[Path]], size: int | None) -> list[Outcome]:
    """Write all images, (n, channels, height, width), to an .npy file; what each of them is.

    size: the side to bring them to; None leaves them, unless their sizes are mixed.
    """
    first = next((picture for files in planes.values() if (picture := _readable(files))), None)
    pixels = np.zeros((1, 1, 1), np.uint8) if first is None else first.pixels
    channels, height, width = pixels.shape
    items = ((place, name, files) for place, (name, files) in enumerate(planes.items()))
    shape = (len(planes), channels, size or height, size or width)
    outcomes: list[Outcome] = []
    load = partial(_sized, size=size)
    with contextlib.closing(npy.fill(target, shape, pixels.dtype, items, load, processes=True)) as found:
        for outcome in found:
            outcomes.append(outcome)
            if not size and not outcome.problem and outcome.shape[1:] != (height, width):
                break  # mixed: begin again, once nobody writes any more
        else:
            return outcomes
    return _decode(target, planes, DEFAULT_SIZE)


def _readable(planes: Sequence[Path]) -> Picture | None:
    try:
        return read_picture(planes)
    except DataError:
        return None


def _sized(planes: Sequence[Path], size: int | None) -> Picture:
    """An image brought to `size`, with the shape that it had."""
    picture = read_picture(planes)
    if not size:
        return picture
    return replace(picture, pixels=resized(picture.pixels, size), shape=picture.pixels.shape)


def read_picture(planes: Sequence[Path]) -> Picture:
    """An image from its file, or from several with one channel each."""
    if len(planes) == 1:
        return decode(planes[0])
    pictures = [decode(plane) for plane in planes]
    first = pictures[0].pixels
    for plane, picture in zip(planes, pictures, strict=True):
        pixels = picture.pixels
        if len(pixels) != 1 or pixels.shape != first.shape or pixels.dtype != first.dtype:
            raise DataError(
                f"{plane.name} is {pixels.dtype} {pixels.shape}, {planes[0].name} {first.dtype} {first.shape}; "
                "one grey plane a file, all alike, is expected"
            )
    remarks = dict.fromkeys(picture.remark for picture in pictures if picture.remark)
    return Picture(np.concatenate([picture.pixels for picture in pictures]), ", ".join(remarks))


def _check_alike(outcomes: Sequence[Outcome]) -> None:
    """Refuse images of different depths, channel counts or channel names, naming one of each."""
    first = outcomes[0]
    for outcome in outcomes:
        if (outcome.shape[0], outcome.dtype, outcome.channels) != (first.shape[0], first.dtype, first.channels):
            raise DataError(
                f"images differ in kind: {first.name} is {_kind(first)}, {outcome.name} is {_kind(outcome)}; "
                "save them all alike"
            )


def _kind(outcome: Outcome) -> str:
    names = f" ({', '.join(outcome.channels)})" if outcome.channels else ""
    return f"{outcome.dtype} with {outcome.shape[0]} channel{'s' * (outcome.shape[0] > 1)}{names}"


def _size_notes(outcomes: Sequence[Outcome], wanted: int | None) -> list[str]:
    """Notes on mixed sizes, on resizing and on whole fields of view."""
    sizes = sorted({outcome.shape[1:] for outcome in outcomes})
    height, width = (int(np.median([outcome.shape[axis] for outcome in outcomes])) for axis in (1, 2))
    notes = []
    if max(height, width) >= FIELD_OF_VIEW:
        notes.append(
            f"the median image has {height}×{width} px, like a whole field of view; "
            "crops are expected, one cell an image"
        )
    if len(sizes) > 1:
        side = wanted or DEFAULT_SIZE
        span = f"{sizes[0][0]}×{sizes[0][1]} to {sizes[-1][0]}×{sizes[-1][1]} px"
        notes.append(f"images of {len(sizes)} sizes ({span}, height×width) resized to {side}×{side}")
    elif wanted and sizes != [(wanted, wanted)]:
        notes.append(f"images resized from {height}×{width} px to {wanted}×{wanted}")
    return notes


def unnamed_channels(n: int) -> tuple[str, ...]:
    """What n channels are called that no file gives a name."""
    return {1: ("grey",), 3: ("red", "green", "blue")}.get(n) or tuple(f"channel {i + 1}" for i in range(n))
