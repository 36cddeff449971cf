"""From scores to labels by one shared rule, and from labels to figures; a metric is a row of data."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Metric:
    """How to compute one figure; `function(truth, predicted)` takes labels, not scores."""

    name: str
    function: Callable[[NDArray, NDArray], float]


def decide(scores: NDArray[np.float32], thresholds: NDArray | float = 0.0, multilabel: bool = False) -> NDArray:
    """Labels from scores (n, classes): the largest score, or every class above its threshold when multi-label."""
    return scores > thresholds if multilabel else scores.argmax(1).astype(np.int64)


def accuracy(truth: NDArray, predicted: NDArray) -> float:
    """Share of images whose label, or whose whole set of labels, is right."""
    right = truth == predicted
    return float(np.mean(right.all(1) if right.ndim == 2 else right))


def balanced_accuracy(truth: NDArray, predicted: NDArray) -> float:
    """Mean recall over the classes that occur in `truth`; chance is 1 / classes."""
    recalls = [np.mean(predicted[truth == k] == k) for k in np.unique(truth)]
    return float(np.mean(recalls))


def macro_f1(truth: NDArray, predicted: NDArray) -> float:
    """Mean F1 over the classes that occur in the truth or in the prediction, as scikit-learn's 'macro'."""
    from sklearn.metrics import f1_score

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class that is never predicted has F1 0; that is its figure
        return float(f1_score(truth, predicted, average="macro", zero_division=0))


METRICS = (
    Metric("accuracy", accuracy),
    Metric("balanced_accuracy", balanced_accuracy),
    Metric("macro_f1", macro_f1),
)


def evaluate(truth: NDArray, scores: NDArray[np.float32]) -> dict[str, float]:
    """Every metric that can be computed, plus `n`, the number of images it rests on."""
    multilabel = truth.ndim == 2
    predicted = decide(scores, multilabel=multilabel)
    figures: dict[str, float] = {"n": len(truth)}
    for metric in METRICS:
        if multilabel and metric.function is balanced_accuracy:
            continue  # undefined for several labels an image; absent, never faked
        figures[metric.name] = metric.function(truth, predicted)
    return figures
