"""The split of a folder: the one it gives, what that lacks taken from train, or a drawn one."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from ..core.data import PARTS, Split
from ..core.errors import DataError
from . import images, splits
from .listing import Listing
from .splits import absent


def draw_split(listing: Listing, split_seed: int) -> tuple[Split, list[str]]:
    """The given split, what it lacks taken from train, or a drawn one; with notes on what was decided."""
    classes, labels, groups = listing.classes, listing.targets, listing.group_numbers
    if listing.parts is None or set(listing.parts) == {"train"}:
        notes = ["only train is given: val and test drawn from it"] if listing.parts else []
        if groups is None:
            return splits.stratified(labels, split_seed, classes), notes
        split = splits.grouped(labels, groups, split_seed, classes)
    else:
        split, notes = _given_split(listing, labels, groups, split_seed)
    _check_train(listing, split, labels)
    for part in ("val", "test"):
        if lacking := absent(classes, labels[split[part]]):
            notes.append(f"no {part} image of class {images.few(lacking)}")
    return split, notes


def _given_split(
    listing: Listing, labels: NDArray, groups: NDArray[np.int64] | None, split_seed: int
) -> tuple[Split, list[str]]:
    given = np.array(listing.parts)
    index = {part: np.flatnonzero(given == part) for part in PARTS}
    if not len(index["train"]):
        raise DataError(f"{' and '.join(sorted(set(given)))} images are given but none for train; add some")
    notes = []
    if groups is not None and (n := _straddling(index, groups)):
        notes.append(f"{n} groups lie in more than one part of the given split")
    for part in ("val", "test"):
        if not len(index[part]):
            train = index["train"]
            rest, held = splits.held_out(
                labels[train], None if groups is None else groups[train], split_seed, listing.classes
            )
            index["train"], index[part] = train[rest], train[held]
            kind = "stratified" if groups is None else "whole groups"
            notes.append(f"no {part} is given: a fifth of train taken for it ({kind}, {len(held)} images)")
    return Split("given", **index), notes


def _straddling(index: dict[str, NDArray[np.int64]], groups: NDArray[np.int64]) -> int:
    """How many groups lie in two parts or more."""
    parts = Counter(int(group) for part in PARTS for group in np.unique(groups[index[part]]))
    return sum(n > 1 for n in parts.values())


def _check_train(listing: Listing, split: Split, labels: NDArray) -> None:
    lacking = absent(listing.classes, labels[split.train])
    for name in lacking[:1]:
        first = next((file for file, names in zip(listing.files, listing.labels, strict=True) if name in names), "")
        known = images.few([other for other in listing.classes if other not in lacking], 10)
        advice = "add training images or remove the class"
        if split.name == "grouped":
            advice = "its groups are too few to be in every part: add some, or pass --group-column none"
        raise DataError(
            f"class {name!r} (of {first or 'no image'}) has no image in train, whose classes are {known}; {advice}"
        )
