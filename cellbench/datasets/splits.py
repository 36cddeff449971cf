"""Drawn splits and limits; they depend on the data and `split_seed`, never on a method or a run's seed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.data import Split, absent_classes, count_classes
from ..core.errors import BackendError, DataError
from ..core.extras import EXTRAS

FIFTHS = 5  # test is one fifth, validation the next, training the other three


def stratified(labels: NDArray, split_seed: int = 0, classes: Sequence[str] = ()) -> Split:
    """60/20/20 with every class in the same proportion in each part. Needs 5 images of every class.

    labels: (n,) int64, or (n, classes) bool: then by iterative stratification (Sechidis et al. 2011), which keeps
    the proportion of every label about alike, the rarest first. classes: their names, for error messages.
    """
    _check_enough(labels, classes)
    folds = class_folds(labels, FIFTHS, split_seed)
    return _from_folds("stratified", folds.split(np.zeros(len(labels)), labels))


def grouped(labels: NDArray, groups: NDArray[np.int64], split_seed: int = 0, classes: Sequence[str] = ()) -> Split:
    """About 60/20/20 with no group in two parts and classes as even as whole groups allow.

    Needs 5 groups and 5 images of every class. An image with several labels counts as its rarest one.
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
    """Positions that stay and the fifth that is held out, stratified, with groups whole: what a given split lacks."""
    split = stratified(labels, split_seed, classes) if groups is None else grouped(labels, groups, split_seed, classes)
    return np.sort(np.concatenate([split.train, split.val])), split.test


def limited_parts(split: Split, labels: NDArray, limit: int | None, val_limit: int | None) -> dict[str, NDArray]:
    """Positions of the images of each part that are used: all of test, of train and val those within the limits."""
    return {
        "train": limited(split.train, labels, limit),
        "val": limited(split.val, labels, val_limit, what="val images"),
        "test": split.test,
    }


def limited(
    index: NDArray[np.int64], labels: NDArray, limit: int | None, split_seed: int = 0, what: str = "images"
) -> NDArray[np.int64]:
    """At most `limit` of the positions `index`: stratified, every class kept, and nested (100 lie within 200).

    labels: of the whole data set, (n,) int64 or (n, classes) bool; an image with several labels counts as its
    rarest one. what: the images, for the message. Raises DataError when `limit` is smaller than the number of classes.
    """
    if limit is None or limit >= len(index):
        return index
    own = rarest(labels[index])
    present = np.unique(own)
    if limit < len(present):
        raise DataError(
            f"a limit of {limit} {what} leaves some of {len(present)} classes empty; give at least that many"
        )
    order = np.random.default_rng(split_seed).permutation(len(index))
    place = np.empty(len(index))
    for k in present:
        of_class = order[own[order] == k]
        place[of_class] = np.r_[
            -1, (np.arange(1, len(of_class)) + 0.5) / len(of_class)
        ]  # the first of each class leads
    return np.sort(index[np.argsort(place, kind="stable")[:limit]])


def val_in_proportion(split: Split, labels: NDArray, limit: int) -> int:
    """Number of val images for `limit` training images: the same share of the part, at least one of each class in val.

    labels: of the whole data set, as in `limited`.
    """
    classes = len(np.unique(rarest(labels[split.val])))
    return max(classes, round(limit * len(split.val) / len(split.train)))


def rarest(labels: NDArray) -> NDArray[np.int64]:
    """One class number an image: its label, or of several, (n, classes) bool, the rarest one."""
    if labels.ndim == 1:
        return labels
    return np.where(labels, labels.sum(0), len(labels) + 1).argmin(1)


def absent(classes: Sequence[str], labels: NDArray) -> list[str]:
    """The classes that none of the labels has."""
    return absent_classes(classes, count_classes(labels, len(classes)))


def class_folds(labels: NDArray, k: int, split_seed: int = 0) -> Any:
    """What draws k folds with every class, or of several labels an image every label, in the same proportion."""
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


def _check_enough(labels: NDArray, classes: Sequence[str]) -> None:
    """Raise DataError naming the smallest class when it cannot be in every fifth."""
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


def _from_folds(name: str, folds) -> Split:  # type: ignore[no-untyped-def]
    parts = [np.sort(held_out).astype(np.int64) for _, held_out in folds]
    return Split(name, train=np.sort(np.concatenate(parts[2:])), val=parts[1], test=parts[0])
