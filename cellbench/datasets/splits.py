"""Drawn splits, and limits on the number of images.

They depend on the data and `split_seed`, never on a method or on the seed of a run: so comparisons are paired.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.data import PARTS, Split, absent_classes, count_classes
from ..core.errors import BackendError, DataError
from ..core.extras import EXTRAS

PART_WORDS = {  # what people call the parts
    **dict.fromkeys(("train", "training", "tra"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing", "tes"), "test"),
}
PART_FORM = rf"({'|'.join(PART_WORDS)})([ _-]?(images?|imgs?|set|data))?"  # of the names of their folders, in any case
FIFTHS = 5  # test is one fifth, val the next, train the other three

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]  # the positions to train on, and those that are held out


class Splitter(Protocol):
    """One of scikit-learn's classes that split samples into folds, such as StratifiedKFold."""

    def split(self, X: NDArray, y: NDArray) -> Iterable[Fold]: ...


def stratified(labels: NDArray, split_seed: int = 0, classes: Sequence[str] = ()) -> Split:
    """Train, val and test of 60, 20 and 20 %, with every class in the same proportion in each.

    labels: (n,) int64; or (n, classes) bool, which are split by iterative stratification (Sechidis et al. 2011): it
    keeps the proportion of every label about alike, beginning with the rarest. classes: their names, for messages.
    Raises DataError when a class has fewer than 5 images.
    """
    _check_enough(labels, classes)
    folds = class_folds(labels, FIFTHS, split_seed)
    return _from_folds("stratified", folds.split(np.zeros(len(labels)), labels))


def grouped(labels: NDArray, groups: NDArray[np.int64], split_seed: int = 0, classes: Sequence[str] = ()) -> Split:
    """Train, val and test of about 60, 20 and 20 %, with no group in two parts and classes as even as that allows.

    An image with several labels counts as its rarest one. Raises DataError when there are fewer than 5 groups, or when
    a class has fewer than 5 images.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    _check_enough(labels, classes)
    _check_groups(groups)
    folds = StratifiedGroupKFold(FIFTHS, shuffle=True, random_state=split_seed)
    return _from_folds("grouped", folds.split(np.zeros(len(labels)), rarest(labels), groups))


def held_out(
    labels: NDArray,
    groups: NDArray[np.int64] | None = None,
    split_seed: int = 0,
    classes: Sequence[str] = (),
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return positions that stay and positions that are held out, a fifth: for a given split that lacks val or test.

    The positions are drawn so that each class is in proportion; with groups, these are kept whole.
    """
    split = stratified(labels, split_seed, classes) if groups is None else grouped(labels, groups, split_seed, classes)
    return np.sort(np.concatenate([split.train, split.val])), split.test


def leave_one_out(labels: NDArray, groups: NDArray[np.int64], k: int) -> Split:
    """Return the split whose test images are group number k, in ascending order of the numbers in `groups`.

    Val is about a fifth of the other images: whole groups where there are at least 5 others, else the next group alone.
    Raises DataError when fewer than three groups leave none to train on.
    """
    names = np.unique(groups)
    if len(names) < len(PARTS):
        raise DataError(f"{len(names)} groups are too few to leave one out; at least {len(PARTS)} are needed")
    test = groups == names[k]
    others = np.flatnonzero(~test)
    if len(names) - 1 < FIFTHS:
        val = np.flatnonzero(groups == names[(k + 1) % len(names)])
    else:
        from sklearn.model_selection import StratifiedGroupKFold

        folds = StratifiedGroupKFold(FIFTHS, shuffle=True, random_state=0)
        _, at = next(iter(folds.split(np.zeros(len(others)), rarest(labels[others]), groups[others])))
        val = np.sort(others[at])
    train = np.setdiff1d(others, val)
    return Split("leave-one-out", train=train, val=val, test=np.flatnonzero(test))


def limited_parts(split: Split, labels: NDArray, limit: int | None, val_limit: int | None) -> dict[str, NDArray]:
    """Return the positions of the images to use in each part: all of test; of train and val what the limits allow."""
    return {
        "train": limited(split.train, labels, limit),
        "val": limited(split.val, labels, val_limit, what="val images"),
        "test": split.test,
    }


def limited(
    index: NDArray[np.int64], labels: NDArray, limit: int | None, split_seed: int = 0, what: str = "images"
) -> NDArray[np.int64]:
    """At most `limit` of the positions `index`, stratified, with every class, and nested: the first 100 lie in the 200.

    labels: of the whole data set, (n,) int64 or (n, classes) bool; an image with several labels counts as its rarest
    one. what: what the images are called in messages. Raises DataError when `limit` is less than the number of classes.
    """
    if limit is None or limit >= len(index):
        return index
    label = rarest(labels[index])
    present = np.unique(label)
    if limit < len(present):
        raise DataError(
            f"a limit of {limit} {what} leaves some of {len(present)} classes empty; give at least that many"
        )
    order = np.random.default_rng(split_seed).permutation(len(index))
    rank = np.empty(len(index))  # images are taken in this order
    for k in present:
        of_class = order[label[order] == k]
        rank[of_class] = (np.arange(len(of_class)) + 0.5) / len(of_class)
        rank[of_class[0]] = -1  # one of each class comes before all others
    return np.sort(index[np.argsort(rank, kind="stable")[:limit]])


def val_in_proportion(split: Split, labels: NDArray, limit: int) -> int:
    """Return how many val images go with `limit` training images: the same share, at least one for each class in val.

    labels: of the whole data set, as in `limited`.
    """
    classes = len(np.unique(rarest(labels[split.val])))
    return max(classes, round(limit * len(split.val) / len(split.train)))


def rarest(labels: NDArray) -> NDArray[np.int64]:
    """One class number for each image: its label, or its rarest one when labels are (n, classes) bool."""
    if labels.ndim == 1:
        return labels
    return np.where(labels, labels.sum(0), len(labels) + 1).argmin(1)


def absent(classes: Sequence[str], labels: NDArray) -> list[str]:
    """The names of the classes that no image has."""
    return absent_classes(classes, count_classes(labels, len(classes)))


def class_folds(labels: NDArray, k: int, split_seed: int = 0) -> Splitter:
    """Return a splitter into k folds with every class, or every label, in the same proportion."""
    if labels.ndim == 1:
        from sklearn.model_selection import StratifiedKFold

        return StratifiedKFold(k, shuffle=True, random_state=split_seed)
    try:
        from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
    except ImportError as error:
        raise BackendError(
            "splitting images of several labels needs the package iterative-stratification; "
            f"type: {EXTRAS['multilabel'].command}"
        ) from error
    return MultilabelStratifiedKFold(k, shuffle=True, random_state=split_seed)


def fold_numbers(labels: NDArray, groups: NDArray[np.int64] | None, k: int, split_seed: int = 0) -> NDArray[np.int64]:
    """Return the number of the fold, 0 to k - 1, that each image lies in, (n,): classes even, groups kept whole.

    labels: (n,) int64 or (n, classes) bool. groups: (n,) or None. There must be at least k images of a class, and k
    groups if there are any.
    """
    where, number = np.zeros(len(labels)), np.zeros(len(labels), np.int64)
    if groups is None:
        folds = class_folds(labels, k, split_seed).split(where, labels)
    else:
        from sklearn.model_selection import StratifiedGroupKFold

        folds = StratifiedGroupKFold(k, shuffle=True, random_state=split_seed).split(where, rarest(labels), groups)
    for fold, (_, held_out) in enumerate(folds):
        number[held_out] = fold
    return number


def _check_enough(labels: NDArray, classes: Sequence[str]) -> None:
    """Raise DataError that names the smallest class when it cannot be in every fifth."""
    if labels.ndim == 2:
        values, counts = np.arange(labels.shape[1]), labels.sum(0)
    else:
        values, counts = np.unique(labels, return_counts=True)
    if counts.min() < FIFTHS:
        k = values[counts.argmin()]
        raise DataError(
            f"class {classes[k] if len(classes) else k!s} has {counts.min()} images to draw a split from; "
            f"at least {FIFTHS} of each class are needed: add images, or give train, val and test yourself"
        )


def _check_groups(groups: NDArray[np.int64]) -> None:
    if (n := len(np.unique(groups))) < FIFTHS:
        raise DataError(f"{n} groups cannot be split by group; at least {FIFTHS} are needed: split by class")


def _from_folds(name: str, folds: Iterable[Fold]) -> Split:
    parts = [np.sort(held_out).astype(np.int64) for _, held_out in folds]
    return Split(name, train=np.sort(np.concatenate(parts[2:])), val=parts[1], test=parts[0])
