"""Finding new images: which files make one, which are masks, and what their folders say."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...core.errors import UsageError
from ...core.text.words import counted
from ...datasets.files.find import find_files
from ...datasets.files.names import IMAGE_SUFFIXES, is_image
from ...datasets.folder.channels import fits_pattern, join_channels
from ...datasets.folder.layout import layout_expression
from ...datasets.folder.masks import masks_among
from ...datasets.folder.ome_files import ome_pattern
from ...datasets.folder.options import FolderOptions, layout_places

COLUMNS = ("file", "label", "probability", "decision_value")  # of the table, which no place of a layout may be called
NO_PATTERN = "none"  # as --pattern: every file is an image, whatever the model learnt from


@dataclass(frozen=True)
class FoundImages:
    """Images that were found.

    files: the files of each image, by its name: one for each of `channels`, or a single one with all channels.
    channels: names of the channels; empty if each image is a single file. masks: the mask of each image that has one.
    places: what the layout says of each image, by the names of its places. remarks: for the user.
    """

    files: Mapping[str, tuple[Path, ...]]
    channels: tuple[str, ...] = ()
    masks: Mapping[str, Path] = field(default_factory=dict)
    places: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def find(given: Sequence[Path], pattern: str = "", learnt_pattern: str = "", layout: str = "") -> FoundImages:
    """Return the images in files and folders, each file once, named by the path that was given.

    Masks beside images are told apart from images. pattern: the pattern of the names of files with one channel each,
    as for a folder data set, or 'none'. learnt_pattern: the one of the model's data set, which is used when none is
    given and a file fits it. layout: what the folders below a given folder stand for; images that do not fit it are
    left out. Raises UsageError if a path does not exist, or if there is no image.
    """
    files = _files(given)
    if not files:
        raise UsageError(f"no images in {', '.join(map(str, given))}; {', '.join(IMAGE_SUFFIXES)} are read")
    if not pattern and learnt_pattern and any(fits_pattern(name, learnt_pattern) for name in files):
        pattern = learnt_pattern
    joining = "" if pattern == NO_PATTERN else FolderOptions(pattern=pattern).pattern
    masks = {mask: of for mask, of in _masks(files).items() if not (joining and fits_pattern(mask, joining))}
    images = {name: file for name, file in files.items() if name not in masks}
    joining = joining or ("" if pattern else ome_pattern(images))
    planes, channels = join_channels(images, joining) if joining else ({name: (images[name],) for name in images}, ())
    remarks: list[str] = []
    places: dict[str, dict[str, str]] = {}
    if layout:
        places = _places(given, planes, layout)
        if out := len(planes) - len(places):
            remarks.append(f"{counted(out, 'image')} that {'do' if out > 1 else 'does'} not fit the layout left out")
        planes = {name: planes[name] for name in places}
    mask_of = {image: files[mask] for mask, image in masks.items()}
    return FoundImages(planes, channels, mask_of, places, tuple(remarks))


def _files(given: Sequence[Path]) -> dict[str, Path]:
    """Return each image file once, by the name to show."""
    files: dict[str, Path] = {}
    seen: set[str] = set()
    for path in given:
        if not path.exists():
            raise UsageError(f"{path} does not exist; give images, or folders of them")
        for name, file in _within(path):
            if (place := os.path.realpath(file)) not in seen:
                seen.add(place)
                files[name] = file
    return files


def _within(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name to show and the path of a file, whatever its suffix, or of each image in a folder."""
    if not path.is_dir() or is_image(path.name):
        yield str(path), path
        return
    for name, file in find_files(path).items():
        if is_image(name):
            yield str(path / name), file


def _masks(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the image of each mask, both by the names that are shown."""
    shown = {name.lstrip("/"): name for name in files}
    found = masks_among({name: files[of] for name, of in shown.items()})
    return {shown[mask]: shown[image] for mask, image in found.items()}


def _expression(layout: str) -> re.Pattern[str]:
    """The layout as an expression. Raises UsageError if it is none, or has a place with the name of another column."""
    try:
        taken = [place for place in layout_places(layout) if place in COLUMNS]
        if not taken:
            return layout_expression(layout)
        why = f"{{{taken[0]}}} would be a second column {taken[0]!r}"
    except ValueError:
        why = "it is no layout"
    raise UsageError(
        f"--layout got {layout!r}: {why}; give folders with names of your own in braces: '{{plate}}/{{well}}/*.png'"
    )


def _places(given: Sequence[Path], names: Mapping[str, object], layout: str) -> dict[str, dict[str, str]]:
    """Return what the layout says of each image that fits it. Raises UsageError if none does."""
    expression = _expression(layout)
    roots = ["" if path == Path() else f"{path}/" for path in given if path.is_dir()]
    roots.sort(key=len, reverse=True)  # every name starts with that of the current folder, which is empty
    found = {}
    for name in names:
        root = next((root for root in roots if name.startswith(root)), f"{name.rpartition('/')[0]}/")
        if fit := expression.fullmatch(name.removeprefix(root)):
            found[name] = fit.groupdict()
    if not found:
        raise UsageError(
            f"none of {len(names)} images fits the layout {layout!r}, the first is {next(iter(names))}; a place is one "
            "folder's name below the folder that is given: give as many as there are folders"
        )
    return found
