"""What a folder holds: which files make an image, and its labels from a table or from the names of folders."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...core.errors import DataError, UsageError
from ...core.text.words import counted
from ..files.names import IMAGE_SUFFIXES, first_few, is_image
from ..files.tables import TextTable
from .channels import Planes, join_channels
from .class_folders import from_folders, subfolders
from .layout import from_layout
from .levels import suggest_layout
from .listing import Listing
from .masks import masks_among
from .ome_files import ome_pattern
from .options import NO_GROUPS, FolderOptions
from .tables.channels import join_by_table
from .tables.columns import DEEPPROFILER
from .tables.finding import find_table
from .tables.label_table import from_table
from .tables.metadata_tables import JOINED, is_metadata

UNKNOWN = ("nan", "none", "null", "na", "n/a", "unknown", "unlabelled", "unlabeled")  # as a class's name, in lower case


@dataclass(frozen=True)
class Contents:
    """The images of a folder before any is decoded. planes: their files, a channel each; channels: () when unnamed.

    masks: by image, when the user wants cells cut out by them. pattern: of files with one channel each, '' for others.
    side_by_side: whether the table is DeepProfiler's of single cells, whose images have channels side by side.
    """

    listing: Listing
    planes: Planes
    channels: tuple[str, ...]
    masks: Mapping[str, Path]
    pattern: str
    side_by_side: bool = False


def read_contents(path: Path, files: Mapping[str, Path], options: FolderOptions) -> Contents:
    """Return what the folder at `path` holds. files: its files by their path inside the folder.

    Raises DataError or UsageError when files, table and options contradict each other.
    """
    if options.layout and options.labels is not None:
        raise UsageError("--layout and --labels both say the class; give one of them")
    masks = {} if options.pattern else masks_among({name: file for name, file in files.items() if is_image(name)})
    mask_of = {image: files[mask] for mask, image in masks.items()}
    files = {name: file for name, file in files.items() if name not in masks}
    pattern = options.pattern or ome_pattern(files)
    planes, channels = join_channels(dict(files), pattern)
    images = {name: of_image[0] for name, of_image in planes.items()}
    others = {name: file for name, file in files.items() if not is_image(name)}
    if not images:
        raise DataError(f"{path} holds no images; {', '.join(IMAGE_SUFFIXES)} are read")
    table, notes = (None, []) if options.layout else find_table(path, others, list(images), options)
    if table and not pattern and (joined := join_by_table(table, options.file_column, images)):
        planes, channels = joined.planes, joined.channels
        options = options.model_copy(update={"file_column": joined.columns[0]})
        if channels:
            notes.append(f"channels from columns {', '.join(map(repr, joined.columns))}, one file each")
    if not table and not options.layout and any(_in_mask_folder(mask, image) for mask, image in masks.items()):
        options = options.model_copy(update={"layout": suggest_layout(list(images))})
    if from_deepprofiler := table is not None and table.name.lower() == DEEPPROFILER:
        notes.append(f"{table.name} is DeepProfiler's: each image's channels, side by side, are taken apart")
    if pattern != options.pattern:
        notes.append(f"one file a channel, as the OME-TIFFs say: read with --pattern '{pattern}'")
    if masks:
        done = "cells cut out by their masks" if options.masks else "left out"
        notes.insert(
            0, f"{counted(len(masks), 'mask')}: {done}, such as {next(iter(masks))} of {next(iter(masks.values()))}"
        )
    listing = _read_listing(path, others, list(planes), options, table)
    listing = _checked(path, listing, notes)
    wanted = _wanted_masks(listing, mask_of) if options.masks else {}
    return Contents(listing, planes, channels, wanted, pattern, from_deepprofiler)


def _read_listing(
    path: Path, others: Mapping[str, Path], images: list[str], options: FolderOptions, table: TextTable | None
) -> Listing:
    """Return the listing of images and labels: as the layout says, from a table, or from the names of folders.

    others: the files that are no images.
    """
    if options.layout:
        return from_layout(images, options)
    if table is None and options.group_column not in ("", NO_GROUPS):
        raise UsageError(f"the group column {options.group_column!r} needs a table of files and labels; give --labels")
    if table is None and options.multilabel:
        raise UsageError("several labels an image need a table of files and labels; give --labels")
    listing = from_table(table, images, options) if table else from_folders(path, images)
    if unused := [name for name in others if not _is_table(name, table)]:
        kinds = first_few(sorted({Path(name).suffix or "no suffix" for name in unused}))
        note = f"{counted(len(unused), 'other file')} left out ({kinds})"
        listing = replace(listing, notes=(note, *listing.notes))
    return listing


def _wanted_masks(listing: Listing, mask_of: Mapping[str, Path]) -> Mapping[str, Path]:
    """Return the mask of each image. Raises DataError if an image has none."""
    if lacking := [name for name in listing.files if name not in mask_of]:
        raise DataError(
            f"{len(lacking)} of {len(listing.files)} images have no mask, the first is {lacking[0]}; --masks takes one "
            "an image, such as 1_mask.png beside 1.png: add them, or leave --masks out"
        )
    return mask_of


def _is_table(name: str, table: TextTable | None) -> bool:
    """Whether a file is the table of labels, or one of the tables that it was joined from."""
    return table is not None and (name == table.name or (table.name == JOINED and is_metadata(name)))


def _checked(path: Path, listing: Listing, notes: list[str]) -> Listing:
    """Return the listing with further notes, also on doubtful classes. Raises DataError if there is one class only."""
    if len(listing.classes) < 2:
        raise DataError("; ".join([_only_one_class(path, listing.classes[0]), *notes]))
    return replace(listing, notes=(*notes, *listing.notes, *_doubtful_classes(listing.classes)))


def _doubtful_classes(classes: Sequence[str]) -> list[str]:
    """Return notes on classes whose names differ only in case or spaces, and on names such as 'NaN' or 'unknown'."""
    plain: dict[str, list[str]] = {}
    for name in classes:
        plain.setdefault(re.sub(r"[\s_-]+", "", name).casefold(), []).append(name)
    notes = [
        f"classes {', '.join(map(repr, names))} differ only in case or spaces and count as {len(names)}: "
        "give them one name if they are one"
        for names in plain.values()
        if len(names) > 1
    ]
    if unknown := [name for name in classes if name.casefold() in UNKNOWN]:
        notes.append(f"class {unknown[0]!r} reads like a missing label: remove those images if it is one")
    return notes


def _in_mask_folder(mask: str, image: str) -> bool:
    return mask.rpartition("/")[0] != image.rpartition("/")[0]


def _only_one_class(path: Path, name: str) -> str:
    """The message for a folder with one class, which may be a folder too high."""
    text = f"{path} holds one class only, {name!r}; at least two are needed"
    if (path / name).is_dir() and len(subfolders(path / name)) > 1:
        text += f"; did you mean {path / name}?"
    return text
