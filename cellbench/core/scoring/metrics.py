"""From scores to labels by one shared rule, and from labels to figures. A metric is one row of METRICS: its value and
its bootstrap interval (`results.statistics`) come from the same definition."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..data import Labels
from ..errors import DataError
from . import sums
from .sums import Figure, ratio, sums_of

Weighted = Callable[[Labels, NDArray[np.floating], NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Metric:
    """A metric of a method's predictions: a share from 0 to 1, and the higher the better.

    name: its name in records. title: its name as people write it. labels: how many labels an image must have. of_sums:
    a function that computes it from sums over images (see `sums`), or None if it depends on the order of scores.
    of_scores: for the latter, a function of truth (n, classes), scores (n, classes) and weights of the images
    (resamples, n) that returns the metric for each row of weights, (resamples,). averages_classes: whether it is an
    average over classes, so that a class of few images weighs as much as any other.
    """

    name: str
    title: str
    labels: Literal["one", "several", "both"]
    of_sums: Figure | None = None
    of_scores: Weighted | None = None
    averages_classes: bool = False

    def __call__(self, truth: Labels, answers: NDArray[Any]) -> float:
        """Return the figure over all images, or nan if it does not exist.

        answers: predicted labels, or scores for a metric that takes scores.
        """
        if self.of_sums:
            return float(self.of_sums(sums_of(truth, answers))[0])
        assert self.of_scores
        return float(self.of_scores(truth, answers, np.ones((1, len(truth))))[0])


def _average_precision(
    truth: Labels, scores: NDArray[np.floating], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean average precision for each row of weights, (resamples,).

    It is the mean of `_area` over the classes with a positive in truth.
    """
    of_class = [_area(truth[:, k], scores[:, k], weights) for k in np.flatnonzero(truth.any(0))]
    return np.nanmean(of_class, 0) if of_class else np.full(len(weights), np.nan)


def _area(truth: Labels, scores: NDArray[np.floating], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the average precision of one class for each row of weights, (resamples,).

    It is the area under the precision-recall curve. Images with equal scores form one point of the curve.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)[::-1]  # of those with equal scores
    drawn = weights[:, order]
    hits = (drawn * truth[order]).cumsum(1)
    precision = ratio(hits[:, last], drawn.cumsum(1)[:, last], 0)
    recall = ratio(hits[:, last], np.broadcast_to(hits[:, -1:], (len(hits), len(last))))
    areas: NDArray[np.float64] = -(np.diff(recall, append=0) * precision).sum(1)
    return areas


accuracy = Metric("accuracy", "accuracy", "one", sums.accuracy)
# The mean recall over the classes that occur in truth; chance is 1 / classes.
balanced_accuracy = Metric(
    "balanced_accuracy", "balanced accuracy", "one", sums.balanced_accuracy, averages_classes=True
)
# Over the classes with a positive in truth, as F1 has no meaning without. scikit-learn's 'macro' with `labels` set to
# these classes; its default would count a class that is predicted though no image has it as an F1 of 0.
macro_f1 = Metric("macro_f1", "macro-F1", "both", sums.macro_f1, averages_classes=True)
# F1 of all pairs of image and label together.
micro_f1 = Metric("micro_f1", "micro F1", "several", sums.micro_f1)
# The share of images whose whole set of labels is right.
exact_match = Metric("exact_match", "exact match", "several", sums.exact_match)
# F1 of the mean precision and the mean recall of an image, as study 001 computed its 'F1'; not macro-F1.
sample_averaged_f1 = Metric("sample_averaged_f1", "sample averaged F1", "several", sums.sample_averaged_f1)
mean_average_precision = Metric(
    "mean_average_precision",
    "mean average precision",
    "several",
    of_scores=_average_precision,
    averages_classes=True,
)
METRICS = (
    accuracy,
    balanced_accuracy,
    macro_f1,
    micro_f1,
    exact_match,
    sample_averaged_f1,
    mean_average_precision,
)
NAMED = {metric.name: metric for metric in METRICS}
OF_CLASS: dict[str, Figure] = {
    "precision": sums.precision_by_class,
    "recall": sums.recall_by_class,
    "f1": sums.f1_by_class,
}


def decide(
    scores: NDArray[np.floating], multilabel: bool = False, thresholds: NDArray[np.floating] | float = 0.0
) -> Labels:
    """Return labels from scores (n, classes): the class with the largest score, (n,) int64.

    If multi-label, these are all classes with a score above the threshold, (n, classes) bool.
    """
    return scores > thresholds if multilabel else scores.argmax(1).astype(np.int64)


def validation_figure(truth: Labels, scores: NDArray[np.floating]) -> tuple[str, float]:
    """Return name and value of the figure by which C and epochs are chosen.

    It is macro-F1 or, where images have several labels, mean average precision, which needs no threshold. Raises
    DataError if images can have several labels and none has any.
    """
    if truth.ndim == 2:
        if not truth.any():
            raise DataError(
                "no validation image has a label, so none can tell which C or epoch is best; choose another split"
            )
        return "mean_average_precision", mean_average_precision(truth, scores)
    return "macro_f1", macro_f1(truth, decide(scores))


def evaluate(
    truth: Labels, scores: NDArray[np.floating], thresholds: NDArray[np.floating] | float = 0.0
) -> dict[str, float]:
    """Return the value of each metric that suits the labels, by name, and `n`, the number of images.

    A metric that cannot be computed, such as one without any positive, is absent.

    truth: (n,) int64, or (n, classes) bool where images have several labels. thresholds: (classes,), for several labels
    only; see `core.scoring.decision`.
    """
    multilabel = truth.ndim == 2
    predicted = decide(scores, multilabel, thresholds)
    suitable = [metric for metric in METRICS if metric.labels in ("several" if multilabel else "one", "both")]
    figures = {metric.name: metric(truth, predicted if metric.of_sums else scores) for metric in suitable}
    return {"n": len(truth), **{name: figure for name, figure in figures.items() if np.isfinite(figure)}}


def per_class(
    truth: Labels, scores: NDArray[np.floating], thresholds: NDArray[np.floating] | float = 0.0
) -> dict[str, list[float | None]]:
    """Return precision, recall, F1 and `n`, the number of images, of each class in the order of the scores' columns.

    A figure that does not exist is None: all three for a class without a positive, and precision for a class that is
    never predicted.
    """
    of_images = sums_of(truth, decide(scores, truth.ndim == 2, thresholds), classes=scores.shape[1])
    figures = {name: figure(of_images)[0].tolist() for name, figure in OF_CLASS.items()}
    known = {name: [x if np.isfinite(x) else None for x in values] for name, values in figures.items()}
    return {**known, "n": [int(n) for n in sums.images_by_class(of_images)[0]]}
