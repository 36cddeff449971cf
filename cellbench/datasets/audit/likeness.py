"""Statistics of a series of values: whether neighbours are alike, and how far apart values still are."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from .result import SEED, Index

ALPHA = 0.01  # significance level of the permutation test, over all classes together
WEAKEST = 0.1  # a weaker correlation is no leak to speak of, even if so many images make it significant
FEWEST_FOR_ORDER = 30  # a class with fewer says nothing about its order
LAGS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike neighbouring images are, in each class and feature.

    observed: correlations of neighbours, (classes, features). p: (classes,) p-value of each class's strongest
    feature, corrected for the number of classes.
    """

    observed: NDArray
    p: NDArray

    @property
    def strongest(self) -> NDArray:
        """The correlation of each class's strongest feature, (classes,)."""
        return self.observed.max(1)

    @property
    def are_alike(self) -> NDArray[np.bool_]:
        """Whether neighbours of each class are alike: significantly, and enough to matter."""
        return (self.p <= ALPHA) & (self.strongest >= WEAKEST)


def neighbours(values: NDArray, runs: Sequence[tuple[Index, Index]], permutations: int) -> Likeness:
    """Return the correlations of each feature between neighbours, tested against permuted orders.

    values: (features, n). runs: for each class the positions of its images, and where in that list the left image of
    each pair of neighbours stands.

    A class's statistic is the correlation of its strongest feature, in standard deviations of its null distribution. p
    compares it with the largest statistic of all classes in each permutation (the max statistic of Westfall and Young),
    so that p holds over all classes together.
    """
    rng = np.random.default_rng(SEED)
    observed, null = [], []
    for run, left in runs:
        series = values[:, run]
        observed.append(_correlation(series[:, left], series[:, left + 1]))
        rows = max(1, 4_000_000 // (len(run) * len(series)))
        pieces = []
        for start in range(0, permutations, rows):
            mixed = rng.permuted(np.tile(np.arange(len(run)), (min(rows, permutations - start), 1)), axis=1)
            pieces.append(_correlation(series[:, mixed[:, left]], series[:, mixed[:, left + 1]]).max(0))
        null.append(np.concatenate(pieces))
    found, chance = np.stack(observed), np.stack(null)
    centre, spread = chance.mean(1), np.maximum(chance.std(1), 1e-12)
    most = ((chance - centre[:, None]) / spread[:, None]).max(0)
    score = (found.max(1) - centre) / spread
    return Likeness(found, (1 + (most >= score[:, None]).sum(1)) / (permutations + 1))


def _correlation(a: NDArray, b: NDArray) -> NDArray:
    """Pearson's correlation over the last axis; 0 where one of the two doesn't vary."""
    a, b = a - a.mean(-1, keepdims=True), b - b.mean(-1, keepdims=True)
    scale = np.sqrt(np.einsum("...i,...i->...", a, a) * np.einsum("...i,...i->...", b, b))
    return np.einsum("...i,...i->...", a, b) / np.where(scale > 0, scale, np.inf)


def lag_curve(values: NDArray, run: Index) -> dict[str, float]:
    """Return, by lag, Pearson's correlation between images of one class that stand LAGS places apart.

    values: (n,) of all images. run: positions of the class's images. Lags with fewer than FEWEST_FOR_ORDER pairs are
    left out; if that leaves none, lag 1 is used.
    """
    series = values[run]
    lags = [lag for lag in LAGS if lag <= len(run) - FEWEST_FOR_ORDER] or [1]
    return {str(lag): round(float(_correlation(series[:-lag], series[lag:])), 4) for lag in lags}


def autocorrelation(values: NDArray) -> NDArray:
    """Autocorrelation of values (n,) at lags 0 to n - 1: the usual biased estimate, by Fourier transform."""
    centred = values - values.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    found = np.fft.irfft(power)[: len(centred)]
    return found / found[0] if found[0] > 0 else np.zeros(len(centred))


def reach_of_likeness(curves: Sequence[NDArray]) -> int:
    """The last lag up to which the mean autocorrelation, weighted by the curves' lengths, stays above chance.

    Chance at a lag is what comes of series whose values are alike up to the lag before and no further (Bartlett's
    large-lag standard error). A few long series have some correlation at any lag, which a permutation test would take
    for likeness.
    """
    longest = max(len(curve) // 2 for curve in curves)
    mean, variance, weight = np.zeros(longest + 1), np.zeros(longest + 1), np.zeros(longest + 1)
    for curve in curves:
        n, last = len(curve), len(curve) // 2
        shorter = np.r_[0, 0, np.cumsum(curve[1:last] ** 2)]  # entry L: sum of the squares at lags 1 to L - 1
        mean[: last + 1] += n * curve[: last + 1]
        variance[: last + 1] += n**2 * (1 + 2 * shorter[: last + 1]) / n
        weight[: last + 1] += n
    above = mean / weight > NormalDist().inv_cdf(1 - ALPHA) * np.sqrt(variance) / weight
    return int(np.argmin(np.r_[above, False])) - 1
