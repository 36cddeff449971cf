"""Statistics of a series: are neighbours alike, and how far apart still?"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from .finding import SEED, Index

ALPHA = 0.01  # of the permutation test, over all classes together
WEAKEST = 0.1  # a correlation below is no leak to speak of, however many images make it significant
FEWEST_IMAGES = 30  # below, a class has no say on its order
LAGS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True, eq=False)
class Likeness:
    """Correlations of neighbours (classes, features), and p (classes,) of each class's strongest feature, over all
    classes together."""

    observed: NDArray
    p: NDArray

    @property
    def strongest(self) -> NDArray:
        return self.observed.max(1)

    @property
    def alike(self) -> NDArray[np.bool_]:
        return (self.p <= ALPHA) & (self.strongest >= WEAKEST)


def neighbours(values: NDArray, runs: Sequence[tuple[Index, Index]], permutations: int) -> Likeness:
    """Correlation of each feature between neighbours, and how rarely it is as strong in permuted order.

    values: (features, n). runs: by class its images, and the places in them of the left one of each pair.
    A class's statistic is its strongest feature's correlation, in standard deviations of its own null distribution; p
    compares it with the largest one of all classes in each permutation (Westfall and Young's max statistic), so that
    over all classes together a false alarm is as rare as p says.
    """
    rng = np.random.default_rng(SEED)
    observed, null = [], []
    for run, left in runs:
        own = values[:, run]
        observed.append(_correlation(own[:, left], own[:, left + 1]))
        rows = max(1, 4_000_000 // (len(run) * len(own)))
        pieces = []
        for start in range(0, permutations, rows):
            mixed = rng.permuted(np.tile(np.arange(len(run)), (min(rows, permutations - start), 1)), axis=1)
            pieces.append(_correlation(own[:, mixed[:, left]], own[:, mixed[:, left + 1]]).max(0))
        null.append(np.concatenate(pieces))
    found, chance = np.stack(observed), np.stack(null)
    centre, spread = chance.mean(1), np.maximum(chance.std(1), 1e-12)
    most = ((chance - centre[:, None]) / spread[:, None]).max(0)
    score = (found.max(1) - centre) / spread
    return Likeness(found, (1 + (most >= score[:, None]).sum(1)) / (permutations + 1))


def _correlation(a: NDArray, b: NDArray) -> NDArray:
    """Pearson's, over the last axis; 0 where a side doesn't vary."""
    a, b = a - a.mean(-1, keepdims=True), b - b.mean(-1, keepdims=True)
    scale = np.sqrt(np.einsum("...i,...i->...", a, a) * np.einsum("...i,...i->...", b, b))
    return np.einsum("...i,...i->...", a, b) / np.where(scale > 0, scale, np.inf)


def lag_curve(values: NDArray, run: Index) -> dict[str, float]:
    """Pearson's correlation of values (n,) of a class's images that stand LAGS places apart, as far as they go."""
    own = values[run]
    lags = [lag for lag in LAGS if lag <= len(run) - FEWEST_IMAGES] or [1]
    return {str(lag): round(float(_correlation(own[:-lag], own[lag:])), 4) for lag in lags}


def autocorrelation(values: NDArray) -> NDArray:
    """Of values (n,), at lags 0 to n - 1, by Fourier transform; the usual estimate, that falls to 0 with the lag."""
    centred = values - values.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    found = np.fft.irfft(power)[: len(centred)]
    return found / found[0] if found[0] > 0 else np.zeros(len(centred))


def reach(curves: Sequence[NDArray]) -> int:
    """The last lag up to which autocorrelations, averaged over curves with their lengths as weights, stay above chance.

    Chance at a lag is what runs give that are alike up to the lag before and no further (Bartlett's large-lag standard
    error): a few long runs have correlations at any lag, which a permutation would take for likeness.
    """
    longest = max(len(curve) // 2 for curve in curves)
    mean, variance, weight = np.zeros(longest + 1), np.zeros(longest + 1), np.zeros(longest + 1)
    for curve in curves:
        n, last = len(curve), len(curve) // 2
        shorter = np.r_[0, 0, np.cumsum(curve[1:last] ** 2)]  # at lag L of the squares at lags 1 to L - 1
        mean[: last + 1] += n * curve[: last + 1]
        variance[: last + 1] += n**2 * (1 + 2 * shorter[: last + 1]) / n
        weight[: last + 1] += n
    above = mean / weight > NormalDist().inv_cdf(1 - ALPHA) * np.sqrt(variance) / weight
    return int(np.argmin(np.r_[above, False])) - 1
