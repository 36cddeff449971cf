"""From scores to labels by one shared rule, and from labels to figures; a metric is a row of data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .errors import DataError

Figure = Callable[[NDArray, NDArray, NDArray], float]


@dataclass(frozen=True)
class Metric:
    """How to compute one figure from truth, predicted labels and scores, nan where there is no such figure.

    labels: how many an image must have.
    """

    name: str
    function: Figure
    labels: Literal["one", "several", "both"]


def decide(scores: NDArray[np.float32], multilabel: bool = False, thresholds: NDArray | float = 0.0) -> NDArray:
    """Labels from scores (n, classes): the largest score, or every class above its threshold when multi-label."""
    return scores > thresholds if multilabel else scores.argmax(1).astype(np.int64)


def validation_figure(truth: NDArray, scores: NDArray) -> tuple[str, float]:
    """Name and value of the figure by which C and epochs are chosen: macro-F1; of several labels an image mean average
    precision, which needs no threshold. Raises DataError when no image has a label."""
    if truth.ndim == 2:
        if not truth.any():
            raise DataError(
                "no validation image has a label, so none can tell which C or epoch is best; choose another split"
            )
        return "mean_average_precision", mean_average_precision(truth, scores)
    return "macro_f1", macro_f1(truth, decide(scores))


def accuracy(truth: NDArray, predicted: NDArray) -> float:
    """Share of images whose label is right."""
    return float(np.mean(truth == predicted))


def balanced_accuracy(truth: NDArray, predicted: NDArray) -> float:
    """Mean recall over the classes that occur in `truth`; chance is 1 / classes."""
    recalls = [np.mean(predicted[truth == k] == k) for k in np.unique(truth)]
    return float(np.mean(recalls))


def macro_f1(truth: NDArray, predicted: NDArray) -> float:
    """Mean F1 over the classes with a positive in truth, nan without any: F1 has no meaning then, and recall neither.

    It is scikit-learn's 'macro' with `labels` set to these classes; its default would count a class that is predicted
    though no image has it as an F1 of 0.
    """
    from sklearn.metrics import f1_score

    present = np.flatnonzero(truth.any(0)) if truth.ndim == 2 else np.unique(truth)
    if not len(present):
        return float("nan")
    return float(f1_score(truth, predicted, labels=present, average="macro", zero_division=0))


def micro_f1(truth: NDArray, predicted: NDArray) -> float:
    """F1 of all (image, label) pairs together."""
    hits = np.sum(truth & predicted)
    return float(2 * hits / max(1, truth.sum() + predicted.sum()))


def exact_match(truth: NDArray, predicted: NDArray) -> float:
    """Share of images whose whole set of labels is right."""
    return float(np.mean((truth == predicted).all(1)))


def sample_averaged_f1(truth: NDArray, predicted: NDArray) -> float:
    """F1 of the mean precision and the mean recall of an image, as study 001 computed its 'F1'; not macro-F1."""
    hits = (truth & predicted).sum(1)
    precision = np.mean(hits / np.maximum(1, predicted.sum(1)))
    recall = np.mean(hits / np.maximum(1, truth.sum(1)))
    return float(2 * precision * recall / (precision + recall)) if hits.any() else 0.0


def mean_average_precision(truth: NDArray, scores: NDArray) -> float:
    """Mean over classes with a positive in truth of the area under their precision-recall curve (average precision).

    nan when no class has one.
    """
    from sklearn.metrics import average_precision_score

    present = truth.any(0)
    if not present.any():
        return float("nan")
    return float(average_precision_score(truth[:, present], scores[:, present], average="macro"))


def _of_labels(function: Callable[[NDArray, NDArray], float]) -> Figure:
    return lambda truth, predicted, scores: function(truth, predicted)


METRICS = (
    Metric("accuracy", _of_labels(accuracy), "one"),
    Metric("balanced_accuracy", _of_labels(balanced_accuracy), "one"),
    Metric("macro_f1", _of_labels(macro_f1), "both"),
    Metric("micro_f1", _of_labels(micro_f1), "several"),
    Metric("exact_match", _of_labels(exact_match), "several"),
    Metric("sample_averaged_f1", _of_labels(sample_averaged_f1), "several"),
    Metric("mean_average_precision", lambda truth, _, scores: mean_average_precision(truth, scores), "several"),
)


def evaluate(truth: NDArray, scores: NDArray[np.float32], thresholds: NDArray | float = 0.0) -> dict[str, float]:
    """Every metric that suits the labels, (n,) int64 or (n, classes) bool, and `n`, the number of images.

    One that cannot be computed, as without any positive, is absent.

    thresholds: (classes,), of several labels an image, see `core.decision`.
    """
    multilabel = truth.ndim == 2
    predicted = decide(scores, multilabel, thresholds)
    kinds = ("several" if multilabel else "one", "both")
    figures = {metric.name: metric.function(truth, predicted, scores) for metric in METRICS if metric.labels in kinds}
    return {"n": len(truth), **{name: figure for name, figure in figures.items() if np.isfinite(figure)}}


def per_class(truth: NDArray, scores: NDArray[np.float32], thresholds: NDArray | float = 0.0) -> dict[str, list]:
    """Precision, recall and F1 of each class in the order of the scores' columns, and `n`, the images that have it.

    None where there is no such figure: all three of a class without a positive, precision of one never predicted.
    """
    from sklearn.metrics import precision_recall_fscore_support

    predicted = decide(scores, truth.ndim == 2, thresholds)
    *figures, n = precision_recall_fscore_support(
        truth, predicted, labels=np.arange(scores.shape[1]), zero_division=np.nan
    )
    named = dict(zip(("precision", "recall", "f1"), figures, strict=True))
    told = {
        name: [float(x) if images and np.isfinite(x) else None for x, images in zip(values, n, strict=True)]
        for name, values in named.items()
    }
    return {**told, "n": [int(images) for images in n]}
