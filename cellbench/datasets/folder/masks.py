"""Masks beside images: which files they are, as pairs of names show."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from ..files.images.decoding import decode

SUFFIX = re.compile(r"(?P<stem>.+?)(?P<word>([_-](cp_)?(masks?|seg|segmentation|label|labels)|-d))", re.IGNORECASE)
PREFIX = re.compile(r"(?P<word>masks?)[_-](?P<stem>.+)", re.IGNORECASE)
MASK_FOLDERS = ("mask", "masks", "segmentation", "segmentations", "seg", "cp_masks", "labels")
IMAGE_FOLDERS = ("images", "image", "imgs", "img", "raw")
FEW_VALUES = 8  # of a mask that is called like its image: background, nucleus, cytoplasm
SYSTEMATIC = 0.5  # of the images: so many must have a mask, unless the word itself says 'mask'


def find_masks(images: Collection[str]) -> dict[str, str]:
    """Return, by mask, the image that it belongs to: 'a/1_mask.png' to 'a/1.png', 'masks/a/1.png' to 'images/a/1.png'.

    Only where both files are there, and most images have one: a name alone proves nothing.
    """
    by_stem = {_stem(name).casefold(): name for name in images}
    found = {name: image for name in images if (image := _image_of(name, by_stem)) and image != name}
    found = {mask: image for mask, image in found.items() if image not in found}
    others = len(images) - len(found)
    sure = {mask: image for mask, image in found.items() if "mask" in mask.casefold()}
    return found if len(found) >= SYSTEMATIC * others else sure


def masks_among(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the image of each mask, by the name of the mask: found by names (`find_masks`), or as pairs 1.bmp, 1.png.

    files: image files by name. Of a pair the one with a few values only is the mask; the first pair is looked at, and
    counts if most images are in pairs of these two kinds.
    """
    found = find_masks(files)
    return found or _twins(files)


def _twins(files: Mapping[str, Path]) -> dict[str, str]:
    by_stem: dict[str, list[str]] = {}
    for name in files:
        by_stem.setdefault(_stem(name).casefold(), []).append(name)
    pairs = [names for names in by_stem.values() if len(names) == 2]
    if not pairs or len(pairs) < SYSTEMATIC * (len(by_stem)):
        return {}
    few = [name for name in pairs[0] if _values(files[name]) <= FEW_VALUES]
    if len(few) != 1:
        return {}
    suffix, kinds = _suffix(few[0]), set(map(_suffix, pairs[0]))
    alike = [names for names in pairs if set(map(_suffix, names)) == kinds]
    ordered = [sorted(names, key=lambda name: _suffix(name) != suffix) for names in alike]
    return {names[0]: names[1] for names in ordered} if len(alike) >= SYSTEMATIC * len(by_stem) else {}


def _values(file: Path) -> int:
    """Return how many different values an image file has; many for one that cannot be read."""
    try:
        return len(np.unique(decode(file).pixels))
    except DataError:
        return FEW_VALUES + 1


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].casefold()


def _image_of(name: str, by_stem: Mapping[str, str]) -> str:
    """Return the image that a file is the mask of, going by its name; '' if there is none."""
    folder, _, last = _stem(name).rpartition("/")
    fit = SUFFIX.fullmatch(last) or PREFIX.fullmatch(last)
    stems = [last, fit["stem"]] if fit else [last]
    folders = _folders_of_images(folder)
    wanted = [f"{place}/{stem}".lstrip("/") for place in folders for stem in stems]
    if fit:
        wanted.append(f"{folder}/{fit['stem']}".lstrip("/"))
    return next((by_stem[path.casefold()] for path in wanted if path.casefold() in by_stem), "")


def _folders_of_images(folder: str) -> list[str]:
    """Return where the images may lie whose masks lie in this folder; nothing if it is no folder of masks."""
    parts = folder.split("/")
    found = []
    for k, part in enumerate(parts):
        if part.casefold() in MASK_FOLDERS:
            found += ["/".join([*parts[:k], *other, *parts[k + 1 :]]) for other in ([], *([w] for w in IMAGE_FOLDERS))]
    return found


def _stem(name: str) -> str:
    return name.rpartition(".")[0]
