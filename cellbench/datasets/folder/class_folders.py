"""Labels from the names of class folders, which may lie inside folders train, val and test."""

import re
from collections.abc import Iterable
from pathlib import Path

from ...core.errors import DataError
from ..files.names import IMAGE_SUFFIXES, first_few, is_image, is_junk, natural_key, nfc
from ..splits import PART_FORM, PART_WORDS
from .levels import check_top_level
from .listing import Listing


def from_folders(path: Path, images: list[str]) -> Listing:
    """Return the listing of images whose labels, and parts if any, are the names of the folders that they lie in.

    Raises DataError for images outside class folders, for class folders without images and for unclear parts.
    """
    folders = subfolders(path)
    loose = [name for name in images if "/" not in name]
    part_of = {folder: part for folder in folders if (part := part_word(folder))}
    if loose:
        raise DataError(
            f"{len(loose)} images in {path} lie outside class folders, the first is {loose[0]}; "
            "move them into one folder a class, or add a CSV with the columns 'file' and 'label'"
        )
    if "train" not in part_of.values() and len(part_of) < len(folders):  # one called 'test' may well be a class
        _check_filled(path, folders, images, "")
        check_top_level(images)
        return Listing(tuple(images), tuple((nfc(name.split("/")[0]),) for name in images))
    if "train" not in part_of.values():
        raise DataError(f"{path} holds {', '.join(part_of)} but no train; add a folder train with class folders")
    if others := [folder for folder in folders if folder not in part_of]:
        raise DataError(
            f"{path} holds {', '.join(part_of)} and also {first_few(others)}; move the latter elsewhere, "
            "so that only train, val and test are left"
        )
    if len(set(part_of.values())) < len(part_of):
        raise DataError(f"{path} holds {', '.join(part_of)}, two of which mean the same part; join them")
    for folder in folders:
        _check_filled(path / folder, subfolders(path / folder), images, f"{folder}/")
        if shallow := next((name for name in images if name.startswith(f"{folder}/") and name.count("/") < 2), ""):
            raise DataError(f"{shallow} lies outside class folders; move it into {folder}/<class>/")
    for tops in ([folder for folder, part in part_of.items() if part == "train"], folders):
        check_top_level([name.partition("/")[2] for name in images if name.split("/")[0] in tops], "{split}/")
    return Listing(
        files=tuple(images),
        labels=tuple((nfc(name.split("/")[1]),) for name in images),
        parts=tuple(part_of[name.split("/")[0]] for name in images),
    )


def part_word(folder: str) -> str:
    """Return the part that a folder's name means: 'train' of 'train_images' and 'Training set', '' of other names."""
    fit = re.fullmatch(PART_FORM, folder.lower())
    return PART_WORDS[fit[1]] if fit else ""


def subfolders(path: Path) -> list[str]:
    """The names of the folders in a folder, in natural order, without hidden ones, junk, and images (OME-Zarr)."""
    folders = (entry.name for entry in path.iterdir() if entry.is_dir())
    names = (name for name in folders if not is_junk(name) and not is_image(name))
    return sorted(names, key=natural_key)


def _check_filled(path: Path, folders: Iterable[str], images: list[str], prefix: str) -> None:
    """Raise DataError for a class folder without images. prefix: the path of the class folders inside the folder."""
    filled = {name.removeprefix(prefix).split("/")[0] for name in images if name.startswith(prefix)}
    if empty := [folder for folder in folders if folder not in filled]:
        raise DataError(
            f"class folder {path / empty[0]} holds no images ({', '.join(IMAGE_SUFFIXES)} are read); "
            "add some or remove the folder"
        )
