"""The split of a folder: the one that it gives, where a missing part is taken from train; or a drawn one."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Split, count_classes
from ...core.errors import DataError
from ...core.text.words import counted
from .. import splits
from ..files.names import first_few
from ..splits import absent
from .listing import Listing
from .options import NO_GROUPS


def draw_split(listing: Listing, split_seed: int) -> tuple[Split, list[str]]:
    """Return the split and notes on it: the given one, with missing parts taken from train, or a drawn one.

    Raises DataError for a class that has only one image, or none in train.
    """
    classes, labels = listing.classes, listing.targets
    _check_two_images(listing, labels)
    if listing.parts is None or set(listing.parts) == {"train"}:
        notes = ["only train is given: val and test drawn from it"] if listing.parts else []
        groups, group_notes = _whole_groups(listing, np.arange(len(labels)))
        notes += group_notes
        if groups is None:
            split = splits.stratified(labels, split_seed, classes)
        else:
            split = splits.grouped(labels, groups, split_seed, classes)
    else:
        split, notes = _given_split(listing, labels, split_seed)
    _check_train(listing, split, labels)
    for part in ("val", "test"):
        if lacking := absent(classes, labels[split[part]]):
            notes.append(f"no {part} image of class {first_few(lacking)}")
    return split, notes


def _given_split(listing: Listing, labels: NDArray, split_seed: int) -> tuple[Split, list[str]]:
    """The split that the folder gives, where val or test, if missing, are taken from train; and notes."""
    given = np.array(listing.parts)
    index = {part: np.flatnonzero(given == part) for part in PARTS}
    if not len(index["train"]):
        raise DataError(f"{' and '.join(sorted(set(given)))} images are given but none for train; add some")
    notes = []
    groups = listing.group_numbers
    if groups is not None and (n := _in_several_parts(index, groups)):
        notes.append(f"{counted(n, 'group')} in more than one part of the given split")
    for part in ("val", "test"):
        if not len(index[part]):
            train = index["train"]
            train_groups, group_notes = _whole_groups(listing, train)
            rest, held = splits.held_out(labels[train], train_groups, split_seed, listing.classes)
            index["train"], index[part] = train[rest], train[held]
            kind = "stratified" if train_groups is None else "whole groups"
            taken = counted(len(held), "image")
            notes += [f"no {part} is given: a fifth of train taken for it ({kind}, {taken})", *group_notes]
    return Split("given", **index), notes


def _whole_groups(listing: Listing, index: NDArray[np.int64]) -> tuple[NDArray[np.int64] | None, list[str]]:
    """Return the groups of the images at `index`, for a drawn split to keep whole, and notes; None for too few groups.

    Raises DataError when they are too few and the user named their column: what was asked for can't be done.
    """
    groups = listing.group_numbers
    if groups is None:
        return None, []
    n = len(np.unique(groups[index]))
    if n >= splits.FIFTHS:
        return groups[index], []
    found = f"column {listing.group_column!r} has {n} groups, too few to split by ({splits.FIFTHS} are needed)"
    if listing.groups_named:
        raise DataError(f"{found}; name another column, or leave groups out with --group-column {NO_GROUPS}")
    return None, [f"{found}: the split is drawn by class, so images of one group lie in several parts"]


def _in_several_parts(index: dict[str, NDArray[np.int64]], groups: NDArray[np.int64]) -> int:
    """How many groups have images in two parts or more."""
    parts = Counter(int(group) for part in PARTS for group in np.unique(groups[index[part]]))
    return sum(n > 1 for n in parts.values())


def _check_two_images(listing: Listing, labels: NDArray) -> None:
    """Raise DataError for a class with one image: there is nothing to learn it from, or nothing to test it on."""
    for name, n in zip(listing.classes, count_classes(labels, len(listing.classes)), strict=True):
        if n == 1:
            raise DataError(
                f"class {name!r} has one image only ({listing.first_of(name)}); add images of it or remove the class"
            )


def _check_train(listing: Listing, split: Split, labels: NDArray) -> None:
    """Raise DataError for a class that has no image in train."""
    lacking = absent(listing.classes, labels[split.train])
    for name in lacking[:1]:
        known = first_few([other for other in listing.classes if other not in lacking], 10)
        advice = "add training images or remove the class"
        if split.name == "grouped":
            advice = f"its groups are too few to be in every part: add some, or pass --group-column {NO_GROUPS}"
        raise DataError(
            f"class {name!r} (of {listing.first_of(name) or 'no image'}) has no image in train, "
            f"whose classes are {known}; {advice}"
        )
