"""Turns the decisions of one-against-one machines into votes, and into one score for every class."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray


def votes(decisions: NDArray, n_classes: int) -> NDArray[np.float64]:
    """Return how many machines vote for each class, (n, classes).

    decisions: (n, pairs) in the order (0, 1), (0, 2), ..., (1, 2), ... A positive decision is a vote for the first
    class of its pair, any other, so zero too, for the second. This is LIBSVM's rule (svm_predict_values in svm.cpp).
    LIBSVM then predicts the first of the classes that have most votes.
    """
    return _won(np.asarray(decisions) > 0, n_classes)


def one_score_per_class(decisions: NDArray, n_classes: int) -> NDArray[np.float64]:
    """Return a score for each class, (n, classes): its votes, plus its sum of decisions squeezed into (-1/3, 1/3).

    decisions: (n, pairs), as for `votes`.

    scikit-learn makes 'ovr' scores of 'ovo' ones in this way (_ovr_decision_function in sklearn.utils.multiclass); it
    counts a decision of zero for the first class of the pair, unlike LIBSVM.
    """
    decisions = np.asarray(decisions, dtype=np.float64)
    first, second = pairs_of(n_classes)
    confidence = decisions @ (first - second)
    return _won(decisions >= 0, n_classes) + confidence / (3 * (np.abs(confidence) + 1))


def _won(for_first: NDArray[np.bool_], n_classes: int) -> NDArray[np.float64]:
    first, second = pairs_of(n_classes)
    return for_first @ first + ~for_first @ second


def pairs_of(n_classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two matrices (pairs, classes): 1 at the first class of each pair, and 1 at the second, else 0."""
    pairs = np.array(list(combinations(range(n_classes), 2)))
    return np.eye(n_classes)[pairs[:, 0]], np.eye(n_classes)[pairs[:, 1]]
