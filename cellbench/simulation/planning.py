"""Whole-number planning and random numbers that the simulators share.

Apart from `drawing`, which needs torch: listing the data sets must not wait for that.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..core.data import PARTS

SEED = 0
PURPOSES = ("plan", "conditions", "chunks")  # the order is part of what defines the images


def apportion(n: int, weights: Sequence[int]) -> NDArray[np.int64]:
    """Return `n` divided in proportion to whole-number weights; the remainder goes to the largest fractions.

    It computes with whole numbers alone, so the result is the same on every machine.
    """
    share = n * np.asarray(weights, dtype=np.int64)
    total = int(sum(weights))
    counts = share // total
    counts[np.argsort(-(share % total), kind="stable")[: n - counts.sum()]] += 1
    return counts


def generator(seed: int, part: str, purpose: str) -> np.random.Generator:
    """Return a random generator for one purpose in one part of a data set, independent of all others."""
    return np.random.default_rng([seed, PARTS.index(part), PURPOSES.index(purpose)])
