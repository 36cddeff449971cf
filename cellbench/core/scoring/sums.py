"""Sums over images, and the figures that follow from them.

Of one label an image the sums are a confusion matrix, (classes, classes), truth by row. Of several they are
(3 * classes + 4,): of each class the images where both, truth, prediction have it; then exact matches, the sums over
images of precision and of recall, and images. A leading axis holds many such sums at once: one for each group of
images, or for each resample of a bootstrap. All figures take (n, …) and give (n,), or (n, classes) by class; a figure
that does not exist is nan.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..data import Labels

Figure = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def sums_of(
    truth: Labels, predicted: Labels, kind: NDArray[np.int64] | None = None, kinds: int = 1, classes: int | None = None
) -> NDArray[np.float64]:
    """Return the sums over the images of each kind, (kinds, …), or, if `kind` (n,) is None, over all images, (1, …).

    classes: number of classes; with one label for each image, it is found from the labels by default.
    """
    if truth.ndim == 1:
        k = classes or int(max(truth.max(initial=0), predicted.max(initial=0))) + 1
        cell = truth * k + predicted if kind is None else (kind * k + truth) * k + predicted
        return np.bincount(cell, minlength=kinds * k * k).reshape(kinds, k, k).astype(float)
    hits = truth & predicted
    of_image = hits.sum(1)
    images = (
        (truth == predicted).all(1),
        of_image / np.maximum(1, predicted.sum(1)),
        of_image / np.maximum(1, truth.sum(1)),
        np.ones(len(truth)),
    )
    columns = (*hits.T, *truth.T, *predicted.T, *images)
    if kind is None:
        return np.array([[column.sum() for column in columns]], float)
    return np.stack([np.bincount(kind, column, kinds) for column in columns], 1)


def accuracy(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return ratio(np.trace(sums, axis1=1, axis2=2), sums.sum((1, 2)))


def balanced_accuracy(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return _mean(recall_by_class(sums))


def macro_f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return _mean(f1_by_class(sums))


def micro_f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    both, truth, predicted = (part.sum(1) for part in _by_class(sums))
    return ratio(2 * both, truth + predicted, 0)


def exact_match(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return ratio(sums[:, -4], sums[:, -1])


def sample_averaged_f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    precision, recall = ratio(sums[:, -3], sums[:, -1]), ratio(sums[:, -2], sums[:, -1])
    return ratio(2 * precision * recall, precision + recall, 0)


def precision_by_class(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    both, truth, predicted = _by_class(sums)
    return np.where(truth > 0, ratio(both, predicted), np.nan)


def recall_by_class(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    both, truth, _ = _by_class(sums)
    return ratio(both, truth)


def f1_by_class(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    both, truth, predicted = _by_class(sums)
    return np.where(truth > 0, ratio(2 * both, truth + predicted), np.nan)


def images_by_class(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many images have each class in truth, (n, classes)."""
    return _by_class(sums)[1]


def ratio(part: NDArray[np.float64], whole: NDArray[np.float64], where_none: float = np.nan) -> NDArray[np.float64]:
    """Return part / whole, with `where_none` where the whole is 0."""
    return np.divide(part, whole, out=np.full_like(whole, where_none), where=whole > 0)


def _by_class(sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return for each class, (n, classes), the number of images that have it in both, in truth, and in prediction."""
    if sums.ndim == 3:
        return np.diagonal(sums, axis1=1, axis2=2), sums.sum(2), sums.sum(1)
    both, truth, predicted = np.split(sums[:, :-4], 3, axis=1)
    return both, truth, predicted


def _mean(of_class: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the classes that have images in truth, that is, whose figure is finite."""
    known = np.isfinite(of_class)
    if not known.all():  # a class without images is left out first: zeros between others would round sums otherwise
        somewhere = known.any(0)
        of_class, known = np.ascontiguousarray(of_class[:, somewhere]), known[:, somewhere]
    return ratio(np.nansum(of_class, 1), known.sum(1).astype(float))
