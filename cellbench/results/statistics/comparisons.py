"""Whether two methods differ in a figure by their answers on the same images: paired tests, intervals of differences.

What is drawn over what, and why, with sources: docs/statistics.md.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # scipy.stats has the same by other names, and takes longer to import than most tables

from ...core.data import Labels
from ...core.scoring.sums import Figure
from .bootstrap import (
    GROUPS,
    IMAGES,
    LEVEL,
    RESAMPLES,
    SEEDS,
    Interval,
    OfWeights,
    bounds,
    codes_of,
    design_of,
    weights_of,
)
from .intervals import FEWEST_SEEDS, by_seed, figure_of, mean_of, t_interval
from .jackknife import has_few_groups, jackknifed
from .swaps import swap_test

FLIPS = 9999
MOST_EXACT = 16  # units up to which all flips of signs are tried, 65,536


@dataclass(frozen=True)
class Comparison:
    """The comparison of two methods, a and b, in one figure.

    difference: the figure of b minus that of a. interval: of the difference, or None. p: two-sided p value of no
    difference, or NaN. test: name of the test that gave it. over: what the test's units are. n: how many there are.
    """

    figure: str
    difference: float
    interval: Interval | None
    p: float
    test: str
    over: str
    n: int


def compare(
    truth: Labels,
    a: Labels | Sequence[Labels],
    b: Labels | Sequence[Labels],
    figure: str = "accuracy",
    groups: NDArray[np.int64] | None = None,
    *,
    classes: int | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    tested: bool = True,
) -> Comparison:
    """Return the comparison of b with a on the same images.

    a, b: predicted labels, one array, or one array for each seed. The interval is that of a paired bootstrap. For
    accuracy, p is McNemar's mid-p without groups and with one seed each, else that of flipping the signs of the
    differences of images, or of whole groups. For other figures, p is that of swapping answers, see `swaps`. Over few
    groups the interval is that of a jackknife. tested: whether to compute p, which takes most of the time; else it is
    NaN.
    """
    many_a, many_b = by_seed(a, truth), by_seed(b, truth)
    design = design_of(truth, groups, codes_of([truth, *many_a, *many_b]))
    of_a, of_b = ([design.sums_of(truth, one, classes) for one in many] for many in (many_a, many_b))
    gain = _gain(figure_of(figure), of_a, of_b)
    difference = float(gain(np.ones((1, len(design.copies))))[0])
    span = jackknifed(gain, design, level, "plain") if has_few_groups(design) else None
    if span is None:
        differences = np.concatenate([gain(weights) for weights in weights_of(design, resamples)])
        span = bounds(differences, design, level, whole_range=False)
    if tested and figure == "accuracy":
        return Comparison(figure, difference, span, *paired_test(truth, many_a, many_b, groups))
    p = swap_test(truth, many_a, many_b, figure_of(figure), groups, classes) if tested else math.nan
    over, n = (IMAGES, len(truth)) if groups is None else (GROUPS, len(np.unique(groups)))
    return Comparison(figure, difference, span, p, "swaps" if tested else "", over, n)


def _gain(figure: Figure, of_a: Sequence[NDArray[np.float64]], of_b: Sequence[NDArray[np.float64]]) -> OfWeights:
    """Return a function of weights of kinds, (n, kinds), that gives b's figure minus a's, (n,)."""
    a, b = mean_of(figure, of_a), mean_of(figure, of_b)
    return lambda weights: b(weights) - a(weights)


def paired_test(
    truth: Labels,
    a: Labels | Sequence[Labels],
    b: Labels | Sequence[Labels],
    groups: NDArray[np.int64] | None,
) -> tuple[float, str, str, int]:
    """Return the p value of equal accuracy, the name of the test, what its units are, and how many there are.

    The test is that of `compare`, without the cost of an interval.
    """
    many_a, many_b = by_seed(a, truth), by_seed(b, truth)
    gain = np.mean([one == truth for one in many_b], 0) - np.mean([one == truth for one in many_a], 0)
    if groups is None and len(many_a) == len(many_b) == 1:
        return mcnemar(gain < 0, gain > 0), "McNemar, mid-p", IMAGES, len(truth)
    unit = np.arange(len(truth)) if groups is None else np.unique(groups, return_inverse=True)[1]
    return sign_flip(np.bincount(unit, gain)), "sign flips", IMAGES if groups is None else GROUPS, int(unit.max()) + 1


def mcnemar(only_a: NDArray[np.bool_], only_b: NDArray[np.bool_]) -> float:
    """Return McNemar's two-sided mid-p value; 1 if both masks are empty.

    only_a, only_b: bool masks of the images that only a, or only b, labels correctly.
    """
    low, high = sorted((np.count_nonzero(only_a), np.count_nonzero(only_b)))
    return _mid_p(int(low), int(high))


@functools.lru_cache(maxsize=4096)
def _mid_p(low: int, high: int) -> float:
    """Return the two-sided mid-p value of `low` heads in low + high tosses of a fair coin.

    It is twice the probability of fewer than `low` heads plus once the probability of exactly `low`.
    """
    n = low + high
    below = special.bdtr(low - 1, n, 0.5) if low else 0.0
    return 1.0 if low == high else float(below + special.bdtr(low, n, 0.5))


def sign_flip(differences: NDArray[np.int64] | NDArray[np.float64], flips: int = FLIPS) -> float:
    """Return the two-sided p value of a sum of independent differences, (units,), by flipping their signs.

    Under the null hypothesis, each difference is as likely to have the other sign. p is exact for up to 16 nonzero
    differences, else from `flips` random flips with a fixed seed, or Hoeffding's bound where that is smaller. Five
    units cannot give less than 1/16.
    """
    sizes = np.round(np.abs(differences[differences != 0]), 12)
    if not len(sizes):
        return 1.0
    if len(sizes) <= MOST_EXACT:
        signs, observed_too = 1.0 - 2 * ((np.arange(2 ** len(sizes))[:, None] >> np.arange(len(sizes))) & 1), 0
    else:
        sizes, counts = np.unique(sizes, return_counts=True) if len(sizes) > 500 else (sizes, np.ones(len(sizes), int))
        signs, observed_too = _signs(tuple(counts.tolist()), flips), 1
    sums = np.abs(signs @ sizes)
    extreme = np.count_nonzero(sums >= abs(differences.sum()) - 1e-9)
    p = (extreme + observed_too) / (len(sums) + observed_too)
    bound = 2 * np.exp(-(differences.sum() ** 2) / (2 * np.sum(differences**2)))
    return float(min(p, bound) if observed_too else p)


@functools.lru_cache(maxsize=8)
def _signs(counts: tuple[int, ...], flips: int) -> NDArray[np.floating]:
    """Return sums of random signs, (flips, len(counts)): each column holds sums of counts[column] signs.

    There are fewer flips, but at least 999, where the array would be large.
    """
    flips = min(flips, max(999, 5_000_000 // len(counts)))
    return 2.0 * np.random.default_rng(0).binomial(counts, 0.5, size=(flips, len(counts))) - counts


def compare_over_seeds(
    a: tuple[float, float | None, float],
    b: tuple[float, float | None, float],
    figure: str = "accuracy",
    level: float = LEVEL,
) -> Comparison | None:
    """Return the comparison of b with a over seeds by Welch's t test, with its interval.

    a, b: mean, sample standard deviation and number of seeds. For a method that no seed changes, the deviation is 0 and
    the number is infinite. Return None if either has fewer than FEWEST_SEEDS seeds, or if both deviations are 0 or
    missing.
    """
    n = min(a[2], b[2])
    if n < FEWEST_SEEDS or not (a[1] or b[1]):
        return None
    difference, (error, freedom) = b[0] - a[0], welch_error(a, b)
    p = float(2 * special.stdtr(freedom, -abs(difference) / error))
    span = t_interval(difference, error, freedom, level, int(n))
    return Comparison(figure, difference, span, p, "Welch's t", SEEDS, int(n))


def welch_error(a: tuple[float, float | None, float], b: tuple[float, float | None, float]) -> tuple[float, float]:
    """Return the standard error of a difference of means over seeds, and its degrees of freedom (Welch, Satterthwaite).

    a, b: as `compare_over_seeds` takes them; one deviation has to be above 0.
    """
    errors = [(sd or 0) ** 2 / seeds for _, sd, seeds in (a, b)]
    freedom = sum(errors) ** 2 / sum(e**2 / (seeds - 1) for e, (*_, seeds) in zip(errors, (a, b), strict=True))
    return float(np.sqrt(sum(errors))), float(freedom)


def holm(p: ArrayLike, family: int | None = None) -> NDArray[np.float64]:
    """Return p values adjusted by Holm's step-down method, in the order given.

    Rejecting those of at most alpha keeps the probability of any false rejection at alpha or below.

    family: the number of comparisons, if p holds only some of them: k (k - 1) / 2 if k methods were compared with the
    best, which was picked by the same figures.
    """
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    adjusted = np.minimum(1, np.maximum.accumulate(p[order] * ((family or len(p)) - np.arange(len(p)))))
    return adjusted[np.argsort(order, kind="stable")]
