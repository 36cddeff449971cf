"""What a folder holds: which files make an image, and whether a table or folders' names say its class."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ...core.errors import DataError, UsageError
from ...core.words import counted
from ..files.names import IMAGE_SUFFIXES, first_few, is_image, natural_key
from .class_folders import from_folders, subfolders
from .label_table import find_table, from_table
from .listing import NO_GROUPS, FolderOptions, Listing


def join_channels(files: dict[str, Path], pattern: str) -> tuple[dict[str, tuple[Path, ...]], tuple[str, ...]]:
    """Images by name, each with its files, one a channel in the order of the channels' names; and those names.

    Without a pattern every image file is an image and the channels have no names. Where a name can be read in two
    ways, the channel is the shorter one. Raises DataError naming what does not fit or has not every channel.
    """
    pictures = [name for name in files if is_image(name)]
    if not pattern:
        return {name: (files[name],) for name in pictures}, ()
    words = re.escape(pattern).replace(r"\{id\}", "(?P<id>[^/]+)").replace(r"\{channel\}", "(?P<channel>[^/]+?)")
    fits = [re.fullmatch(f"(?P<folder>(.*/)?){words}", name, re.IGNORECASE) for name in pictures]
    if odd := [name for name, fit in zip(pictures, fits, strict=True) if not fit]:
        raise DataError(
            f"{len(odd)} of {len(pictures)} images are not called {pattern!r}, the first is {odd[0]}; "
            "mend the pattern or move them elsewhere"
        )
    found: dict[str, dict[str, str]] = {}
    suffix = Path(pattern).suffix
    for name, fit in zip(pictures, fits, strict=True):
        assert fit is not None
        planes = found.setdefault(f"{fit['folder']}{fit['id']}{suffix}", {})
        if fit["channel"] in planes:
            raise DataError(
                f"{planes[fit['channel']]} and {name} are the same channel of one image; remove one of them"
            )
        planes[fit["channel"]] = name
    channels = tuple(sorted({channel for planes in found.values() for channel in planes}, key=natural_key))
    for image, planes in found.items():
        if lacking := [channel for channel in channels if channel not in planes]:
            raise DataError(
                f"image {image} has no channel {lacking[0]!r}; there are {first_few(channels, 10)}: "
                "add the file, or mend the pattern"
            )
    joined = {image: tuple(files[planes[channel]] for channel in channels) for image, planes in found.items()}
    return {name: joined[name] for name in sorted(joined, key=natural_key)}, channels


def read_listing(path: Path, files: dict[str, Path], options: FolderOptions) -> Listing:
    """Images and labels, from a table when there is one, else from folders' names."""
    pictures = [name for name in files if is_image(name)]
    if not pictures:
        raise DataError(f"{path} holds no images; {', '.join(IMAGE_SUFFIXES)} are read")
    table, notes = find_table(path, files, pictures, options)
    if table is None and options.group_column not in ("", NO_GROUPS):
        raise UsageError(f"the group column {options.group_column!r} needs a table of files and labels; give --labels")
    if table is None and options.multilabel:
        raise UsageError("several labels an image need a table of files and labels; give --labels")
    listing = from_table(table, pictures, options) if table else from_folders(path, pictures)
    if others := [name for name in files if not is_image(name) and not (table and name == table.name)]:
        kinds = first_few(sorted({Path(name).suffix or "no suffix" for name in others}))
        notes = [*notes, f"{counted(len(others), 'other file')} left out ({kinds})"]
    if len(listing.classes) < 2:
        raise DataError("; ".join([*_one_class(path, listing.classes[0]), *notes]))
    return replace(listing, notes=(*notes, *listing.notes))


def _one_class(path: Path, name: str) -> Iterator[str]:
    yield f"{path} holds one class only, {name!r}; at least two are needed"
    if (path / name).is_dir() and len(subfolders(path / name)) > 1:
        yield f"did you mean {path / name}?"
