"""A folder of one's own single-cell crops as a data set: listed, split, decoded and put into the cache."""

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from ...core.data import Dataset, Info
from ...core.errors import DataError, UsageError
from ...core.machine.files import expanded
from ...core.mixed_values import Facts
from ...core.text.words import counted
from ..files import cache
from ..files.find import find_files
from ..files.images import npy
from ..files.images.npy import Decoded
from ..files.names import first_few
from ..files.tables import read_bytes
from .channels import unnamed_channels
from .contents import Contents, read_contents
from .cutting import largest_box, read_masks
from .decoding import DEFAULT_SIZE, check_alike, decode_images, of_other_kinds
from .listing import Listing
from .options import FolderOptions
from .split import draw_split

REVISION = 5  # changes whenever the same folder would be read to another data set
OWN_IMAGES = "your own images"  # as licence and source
FIELD_OF_VIEW = 512  # pixels; crops of single cells are far smaller


def prepare(path: Path, options: FolderOptions) -> Path:
    """Return the cache folder of the data set in `path`; decode it first unless it is cached and no file has changed.

    Raises DataError, and leaves nothing behind, when folder, table, labels or images contradict each other.
    """
    path = expanded(path).resolve()
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise DataError(f"{path} {what}; give a folder of images, one cell an image")
    files = find_files(path)
    return cache.prepare(_key(path, files, options), lambda scratch: _build(scratch, path, files, options))


def _build(scratch: Path, path: Path, files: dict[str, Path], options: FolderOptions) -> Dataset:
    """The Dataset of a folder whose files are listed; its images are written to `scratch` as they are decoded."""
    contents = read_contents(path, files, options)
    listing = contents.listing
    split, split_notes = draw_split(listing, options.split_seed)  # before decoding, which may take long
    planes = {name: contents.planes[name] for name in listing.files}
    masks = read_masks({name: contents.masks[name] for name in planes}) if contents.masks else {}
    side = largest_box(masks.values()) if masks else 0
    apart = options.side_by_side or contents.side_by_side
    outcomes = decode_images(scratch / cache.IMAGES, planes, options.size, masks, side, apart)
    skipped = []
    if options.skip_unreadable and (odd := [outcome.name for outcome in of_other_kinds(outcomes)]):
        skipped = [f"{counted(len(odd), 'image')} of another kind than most skipped: {first_few(odd, 20)}"]
        listing = _without(path, listing, odd)
        split, split_notes = draw_split(listing, options.split_seed)
        planes = {name: planes[name] for name in listing.files}
        outcomes = decode_images(scratch / cache.IMAGES, planes, options.size, masks, side, apart)
    if unreadable := [outcome.name for outcome in outcomes if outcome.problem]:
        if not options.skip_unreadable:
            npy.refuse_unreadable(outcomes, "replace or remove them, or pass --skip-unreadable")
        skipped.append(f"{len(unreadable)} unreadable images skipped: {first_few(unreadable, 20)}")
        listing = _without(path, listing, unreadable)
        outcomes = [outcome for outcome in outcomes if not outcome.problem]
        split, split_notes = draw_split(listing, options.split_seed)
    check_alike(outcomes)
    if unreadable:
        npy.keep(scratch / cache.IMAGES, [outcome.place for outcome in outcomes])
    size_notes = _size_notes(outcomes, options.size)
    return Dataset(
        name=f"folder:{path.name}",
        images=np.load(scratch / cache.IMAGES, mmap_mode="r"),
        labels=listing.targets,
        classes=listing.classes,
        channels=_channels(options.channel_names, outcomes[0], contents.channels),
        split=split,
        groups=listing.group_numbers,
        ids=np.array([name.encode("utf-8", "replace").decode() for name in listing.files]),
        info=Info(
            licence=OWN_IMAGES,
            citation=OWN_IMAGES,
            groups_are=listing.group_column,
            reading=_reading(options, contents, outcomes, side),
            notes=(*listing.notes, *split_notes, *skipped, *npy.remarks(outcomes), *size_notes),
        ),
    )


def _reading(options: FolderOptions, contents: Contents, outcomes: Sequence[Decoded], side: int) -> Facts:
    """How images of this folder are read, so that a model can read new ones alike; see `core.data.Info`."""
    return {
        "masks": options.masks,
        "side": side,
        "pattern": contents.pattern,
        "side_by_side": options.side_by_side or contents.side_by_side,
        "file_channels": list(outcomes[0].channels or contents.channels),
        "default_size": options.size is None and len({outcome.shape[1:] for outcome in outcomes}) > 1,
    }


def _channels(given: str, outcome: Decoded, of_files: tuple[str, ...]) -> tuple[str, ...]:
    """Return the channels' names: the given ones, else those in the image files, else those in the files' names."""
    n = outcome.shape[0]
    if not given:
        return outcome.channels or of_files or unnamed_channels(n)
    names = tuple(name.strip() for name in given.split(","))
    if len(names) != n or not all(names) or len(set(names)) != n:
        raise UsageError(f"--channel-names got {given!r}; the images have {n} channels: give {n} different names")
    return names


def _key(path: Path, files: dict[str, Path], options: FolderOptions) -> str:
    """A name for the cache that changes with any file's path, size or time, with the table and with the options."""
    digest = hashlib.sha256(f"{REVISION}\n{path.name}\n".encode("utf-8", "surrogateescape"))
    choices = {**vars(options), "labels": None}  # the table counts by its content, below
    digest.update(json.dumps(choices, sort_keys=True).encode())
    for name, file in files.items():
        try:
            size, changed = _size_and_time(file)
            line = f"{name}\0{size}\0{changed}\n"
        except OSError:  # a broken link; decoding will name it
            line = f"{name}\0-\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    if options.labels is not None:
        digest.update(read_bytes(options.labels, options.labels.name))
    slug = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-")[:40] or "images"
    return f"folder-{slug}-{digest.hexdigest()[:16]}"


def _size_and_time(file: Path) -> tuple[int, int]:
    """Return the size of a file in bytes and when it changed, in nanoseconds; of a folder, the sum and the latest."""
    facts = [file.stat(), *(inner.stat() for inner in (file.rglob("*") if file.is_dir() else ()))]
    return sum(each.st_size for each in facts), max(each.st_mtime_ns for each in facts)


def _without(path: Path, listing: Listing, names: Collection[str]) -> Listing:
    """Return the listing without some images. Raises DataError for a class that has none left."""
    left_out = set(names)
    kept = listing.take([i for i, name in enumerate(listing.files) if name not in left_out])
    left = {name for names in kept.labels for name in names}
    if lost := [name for name in listing.classes if name not in left]:
        raise DataError(f"{path}: no readable image is left of class {first_few(lost)}; replace the broken ones")
    return kept


def _size_notes(outcomes: Sequence[Decoded], wanted: int | None) -> list[str]:
    """Notes on mixed sizes, on resizing and on whole fields of view."""
    sizes = sorted({outcome.shape[1:] for outcome in outcomes})
    height, width = (int(np.median([outcome.shape[axis] for outcome in outcomes])) for axis in (1, 2))
    notes = []
    if max(height, width) >= FIELD_OF_VIEW:
        notes.append(
            f"the median image has {height}×{width} px, like a whole field of view; "
            "crops are expected, one cell an image"
        )
    if outcomes[0].shape[0] == 1 and len(sizes) == 1 and width > height and not width % height:
        notes.append(f"images are {width // height} squares side by side: --side-by-side if these are channels")
    if len(sizes) > 1:
        side = wanted or DEFAULT_SIZE
        span = f"{sizes[0][0]}×{sizes[0][1]} to {sizes[-1][0]}×{sizes[-1][1]} px"
        notes.append(f"images of {len(sizes)} sizes ({span}, height×width) resized to {side}×{side}")
    elif wanted and sizes != [(wanted, wanted)]:
        notes.append(f"images resized from {height}×{width} px to {wanted}×{wanted}")
    return notes
