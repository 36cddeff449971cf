"""A small machine that tells what a large one will be like."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

SAMPLES_FOR_ONE = 8  # as many samples as this make one of the pilot: it takes some hundredths of the whole's time
SMALLEST = 2_000  # samples below which no pilot is worth its time


def share_of_vectors(X: Tensor, y: NDArray, **settings: object) -> float:
    """Return the share of support vectors among every eighth sample, fitted by LIBSVM; 1 for few samples.

    X: (n, features) float32; y: (n,) class numbers, ascending. settings: of scikit-learn's SVC. The share is larger
    than that among all samples would be, as sparse samples lie near the border more often.
    """
    from sklearn.svm import SVC

    features, labels = X[::SAMPLES_FOR_ONE].cpu().numpy(), y[::SAMPLES_FOR_ONE]
    if len(y) < SMALLEST or len(np.unique(labels)) < 2:
        return 1.0
    return float(SVC(**settings).fit(features, labels).n_support_.sum() / len(labels))
