"""Classes that test has too few images of for the interval of an average over classes."""

import numpy as np

from ...core.data import Labels
from ...core.scoring.metrics import METRICS

FEWEST_IMAGES = 10  # with fewer of a class, intervals of macro-F1 hold too few truths: docs/statistics.md
OVER_CLASSES = frozenset(metric.name for metric in METRICS if metric.averages_classes)


def rare_classes(truth: Labels) -> dict[int, int]:
    """Return the number of test images of each class that has some, but fewer than FEWEST_IMAGES, by its position.

    truth: labels, (n,) int64 or (n, classes) bool.
    """
    counts = truth.sum(0) if truth.ndim == 2 else np.bincount(truth)
    return {k: int(n) for k, n in enumerate(counts) if 0 < n < FEWEST_IMAGES}
