"""How sure a figure is, and whether two differ: intervals and paired tests as pure functions of arrays.

What is drawn over what, and why, with sources: docs/statistics.md.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # scipy.stats has the same by other names, and takes longer to import than most tables

LEVEL = 0.95
RESAMPLES = 2000
FEWEST_GROUPS = 5  # of a class, so that drawing among them says something
FEWEST_SEEDS = 3
FLIPS = 9999
_AT_ONCE = 2_000_000  # weights in memory
_SLOW_RESAMPLES = 500  # of figures that each resample has to sort images for

IMAGES, GROUPS, GROUPS_OF_CLASSES = "test images", "groups", "groups within class"
CELLS_ONLY, SEEDS = "cells of these wells only", "seeds"

Decisions = NDArray  # (n,) int64 labels; (n, classes) bool where images have several
Figure = Callable[[NDArray], NDArray]


@dataclass(frozen=True)
class Interval:
    """low, high: of the figure, at confidence `level`. over: what was drawn, one of the names above; n: how many.

    few_groups: positions of the classes that have too few groups, so that their cells were drawn: of these the
    interval holds for cells of these wells only.
    """

    low: float
    high: float
    level: float
    over: str
    n: int
    few_groups: tuple[int, ...] = ()

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Comparison:
    """b minus a in `figure`, its interval, and the two-sided p of no difference by `test`, over n units `over`."""

    figure: str
    difference: float
    interval: Interval | None
    p: float
    test: str
    over: str
    n: int


# Intervals


def interval(
    truth: Decisions,
    predicted: Decisions | Sequence[Decisions],
    figure: str = "accuracy",
    groups: NDArray | None = None,
    *,
    scores: NDArray | Sequence[NDArray] | None = None,
    classes: int | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Interval:
    """The bootstrap interval of one of FIGURES; see `intervals`."""
    (found,) = intervals(
        truth, predicted, (figure,), groups, scores=scores, classes=classes, level=level, resamples=resamples
    ).values()
    return found


def intervals(
    truth: Decisions,
    predicted: Decisions | Sequence[Decisions],
    figures: Sequence[str],
    groups: NDArray | None = None,
    *,
    scores: NDArray | Sequence[NDArray] | None = None,
    classes: int | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> dict[str, Interval]:
    """Bootstrap intervals of several figures from the same resamples: over images, or over `groups` (n,).

    predicted: one array, or one a seed: then of the mean over seeds. scores: likewise, (n, classes), for figures of
    RANKED. classes: how many there are (default: as labels show). `'f1:3'` is the F1 of class 3; so are 'precision:3'
    and 'recall:3'. Same arrays, same interval.
    """
    several = _seeds(predicted, truth)
    of_scores = _seeds(scores, truth, of_scores=True) if scores is not None else []
    found = {}
    summed = [name for name in figures if name not in RANKED]
    if summed:
        design = _design(truth, groups, _codes([truth, *several]))
        drawn = _resampled(design, [_sums(truth, one, design, classes) for one in several], resamples)
        for name in summed:
            values = [np.concatenate([_of(name)(c) for c in chunks]) for chunks in drawn]
            found[name] = _bounds(np.mean(values, 0), _resting_on(design, name, truth, groups), level)
    for name in set(figures) & RANKED.keys():
        design = _design(truth, groups, np.arange(len(truth)))
        draws = (w[:, design.kind] for w in _weights(design, min(resamples, _SLOW_RESAMPLES)))
        values = np.concatenate([[RANKED[name](truth, one, w) for one in of_scores] for w in draws], 1)  # type: ignore[assignment]
        found[name] = _bounds(np.mean(values, 0), design, level)
    return {name: found[name] for name in figures}


def interval_of(
    function: Callable[[NDArray, NDArray], float],
    truth: Decisions,
    predicted: NDArray,
    groups: NDArray | None = None,
    *,
    level: float = LEVEL,
    resamples: int = _SLOW_RESAMPLES,
) -> Interval:
    """The bootstrap interval of any function of truth and prediction (labels or scores, a row an image)."""
    design = _design(truth, groups, np.arange(len(truth)))
    every = np.arange(len(truth))
    values = [
        function(truth[index], predicted[index])
        for weights in _weights(design, resamples, fewer=0)
        for index in (np.repeat(every, times) for times in weights[:, design.kind].astype(int))
    ]
    return _bounds(np.asarray(values, float), design, level)


def interval_over_seeds(mean: float, sd: float | None, n: int, level: float = LEVEL) -> Interval | None:
    """The t interval of the mean of n seeds with sample deviation sd; None below three seeds, or where all are the
    same, which tells nothing."""
    if n < FEWEST_SEEDS or not sd:
        return None
    return _t_interval(mean, sd / np.sqrt(n), n - 1, level, n)


def _t_interval(centre: float, error: float, freedom: float, level: float, n: int) -> Interval:
    margin = float(special.stdtrit(freedom, (1 + level) / 2) * error)
    return Interval(centre - margin, centre + margin, level, SEEDS, n)


# Two methods on the same images


def compare(
    truth: Decisions,
    a: Decisions | Sequence[Decisions],
    b: Decisions | Sequence[Decisions],
    figure: str = "accuracy",
    groups: NDArray | None = None,
    *,
    classes: int | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Comparison:
    """b against a on the same images; each one array, or one a seed.

    The interval is that of a paired bootstrap. p is McNemar's (mid-p) for accuracy without groups and seeds; with
    them that of flipping the signs of differences, of whole groups; for other figures that of the paired bootstrap.
    """
    many_a, many_b = _seeds(a, truth), _seeds(b, truth)
    design = _design(truth, groups, _codes([truth, *many_a, *many_b]))
    sums = [_sums(truth, one, design, classes) for one in (*many_a, *many_b)]
    of = _of(figure)
    sign = np.repeat([-1 / len(many_a), 1 / len(many_b)], [len(many_a), len(many_b)])
    whole = float(sum(s * of(c.sum(0)[None])[0] for s, c in zip(sign, sums, strict=True)))
    drawn = _resampled(design, sums, resamples)
    differences = np.concatenate(
        [sum(s * of(c) for s, c in zip(sign, cs, strict=True)) for cs in zip(*drawn, strict=True)]
    )
    span = _bounds(differences, design, level, whole_range=False)
    if figure == "accuracy":
        return Comparison(figure, whole, span, *paired_test(truth, many_a, many_b, groups))
    p = _bootstrap_p(whole, differences, design.freedom)
    return Comparison(figure, whole, span, p, "paired bootstrap", design.over, design.n)


def paired_test(
    truth: Decisions, a: Decisions | Sequence[Decisions], b: Decisions | Sequence[Decisions], groups: NDArray | None
) -> tuple[float, str, str, int]:
    """p of equal accuracy, the test, what it is over and how many of these; as `compare`, without an interval."""
    many_a, many_b = _seeds(a, truth), _seeds(b, truth)
    gain = np.mean([one == truth for one in many_b], 0) - np.mean([one == truth for one in many_a], 0)
    if groups is None and len(many_a) == len(many_b) == 1:
        return mcnemar(gain < 0, gain > 0), "McNemar, mid-p", IMAGES, len(truth)
    unit = np.arange(len(truth)) if groups is None else np.unique(groups, return_inverse=True)[1]
    return sign_flip(np.bincount(unit, gain)), "sign flips", IMAGES if groups is None else GROUPS, int(unit.max()) + 1


def mcnemar(only_a: NDArray[np.bool_], only_b: NDArray[np.bool_]) -> float:
    """McNemar's two-sided mid-p from the images that only a, and only b, gets right; 1 where there are none."""
    low, high = sorted((np.count_nonzero(only_a), np.count_nonzero(only_b)))
    return _mid_p(int(low), int(high))


@functools.lru_cache(maxsize=4096)
def _mid_p(low: int, high: int) -> float:
    """Twice the chance that a coin falls on one side fewer than `low` times, and once that of `low` times."""
    n = low + high
    below = special.bdtr(low - 1, n, 0.5) if low else 0.0
    return 1.0 if low == high else float(below + special.bdtr(low, n, 0.5))


def sign_flip(differences: NDArray, flips: int = FLIPS) -> float:
    """Two-sided p of a sum of independent differences (units,), each as likely to have the other sign.

    Exact up to 13 units that differ, else from `flips` fixed random ones, or Hoeffding's bound where it is smaller than
    these resolve. Five units cannot give less than 1/16.
    """
    sizes = np.round(np.abs(differences[differences != 0]), 12)
    if not len(sizes):
        return 1.0
    if len(sizes) <= 13:
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
def _signs(counts: tuple[int, ...], flips: int) -> NDArray:
    """Sums of `counts` random signs, (flips, len(counts)); fewer flips where that would be much."""
    flips = min(flips, max(999, 5_000_000 // len(counts)))
    return 2.0 * np.random.default_rng(0).binomial(counts, 0.5, size=(flips, len(counts))) - counts


def compare_over_seeds(
    a: tuple[float, float | None, float],
    b: tuple[float, float | None, float],
    figure: str = "accuracy",
    level: float = LEVEL,
) -> Comparison | None:
    """b against a, each (mean, sample deviation, n) of seeds: Welch's t test, and its interval; None below three seeds
    of either, or where neither's differ. n is infinite of what no seed changes, whose deviation is 0."""
    n = min(a[2], b[2])
    if n < FEWEST_SEEDS or not (a[1] or b[1]):
        return None
    errors = [(sd or 0) ** 2 / seeds for _, sd, seeds in (a, b)]
    freedom = sum(errors) ** 2 / sum(e**2 / (seeds - 1) for e, (*_, seeds) in zip(errors, (a, b), strict=True))
    difference, error = b[0] - a[0], float(np.sqrt(sum(errors)))
    p = float(2 * special.stdtr(freedom, -abs(difference) / error))
    span = _t_interval(difference, error, freedom, level, int(n))
    return Comparison(figure, difference, span, p, "Welch's t", SEEDS, int(n))


def holm(p: ArrayLike, family: int | None = None) -> NDArray[np.float64]:
    """p values of a family, adjusted by Holm's step-down: reject those at most alpha, and the family errs at alpha.

    family: how many comparisons there are, if p holds the smallest of more: of k methods against the best, which the
    same figures picked, k (k - 1) / 2.
    """
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    adjusted = np.minimum(1, np.maximum.accumulate(p[order] * ((family or len(p)) - np.arange(len(p)))))
    return adjusted[np.argsort(order, kind="stable")]


# What is drawn


@dataclass(frozen=True)
class _Design:
    """kind: of each image (n,), those that always come together or are interchangeable; copies: of each kind, how
    often it can be drawn (a group: once); stratum: of each kind. n units of `over`, with `freedom` degrees."""

    kind: NDArray
    copies: NDArray
    stratum: NDArray
    over: str
    n: int
    freedom: int
    few_groups: tuple[int, ...] = ()


def _design(truth: NDArray, groups: NDArray | None, code: NDArray) -> _Design:
    """What to draw among; code (n,): images with the same one are interchangeable."""
    n = len(truth)
    if groups is None:
        return _drawn(np.zeros(n, int), np.zeros(n, bool), np.zeros(n, int), code, IMAGES)
    group = np.unique(groups, return_inverse=True)[1]
    of_one_class = truth.ndim == 1 and len(np.unique(np.stack([group, truth]), axis=1).T) == group.max() + 1
    stratum = truth if of_one_class else np.zeros(n, int)
    pairs = np.unique(np.stack([stratum, group]), axis=1)[0]
    few = np.flatnonzero((found := np.bincount(pairs)) * (found < FEWEST_GROUPS))
    whole = ~np.isin(stratum, few)
    over = GROUPS_OF_CLASSES if of_one_class else GROUPS
    return _drawn(stratum, whole, group, code, over if whole.any() else CELLS_ONLY, tuple(few.tolist()))


def _drawn(
    stratum: NDArray, whole: NDArray, group: NDArray, code: NDArray, over: str, few: tuple[int, ...] = ()
) -> _Design:
    """Groups where `whole`, else images."""
    keys = np.stack([stratum, whole, np.where(whole, group, code)])
    kinds, kind, images = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    copies = np.where(kinds[1], 1, images)
    counted = (kinds[1] == 1) if whole.any() else np.ones(len(copies), bool)
    units, strata = int(copies[counted].sum()), len(np.unique(kinds[0][counted]))
    return _Design(kind.ravel(), copies, kinds[0], over, units, max(1, units - strata), few if whole.any() else ())


def _resting_on(design: _Design, name: str, truth: NDArray, groups: NDArray | None) -> _Design:
    """The design with n as what 'f1:3' rests on: the groups, or images, of class 3."""
    if ":" not in name:
        return design
    k = int(name.partition(":")[2])
    has = truth[:, k] if truth.ndim == 2 else truth == k
    whole = groups is not None and design.over != CELLS_ONLY and k not in design.few_groups
    n = len(np.unique(groups[has])) if groups is not None and whole else np.count_nonzero(has)
    return replace(design, n=max(1, int(n)))


def _weights(design: _Design, resamples: int, fewer: int = 1) -> Iterator[NDArray[np.float64]]:
    """Weights (resamples, kinds), a chunk at a time, of the rescaling bootstrap of Rao and Wu: one unit fewer than a
    stratum has is drawn from it, and weighs as much more, which makes the variance right in small strata too.

    fewer: 0 for the plain bootstrap, whose weights are whole numbers where no kind has copies.
    """
    rng = np.random.default_rng(0)
    chunk = max(1, _AT_ONCE // len(design.copies))
    strata = [np.flatnonzero(design.stratum == h) for h in np.unique(design.stratum)]
    for start in range(0, resamples, chunk):
        weights = np.ones((min(chunk, resamples - start), len(design.copies)))
        for kinds in strata:
            copies = design.copies[kinds]
            units = copies.sum()
            if units > 1:
                drawn = _drawn_times(rng, copies, int(units) - fewer, len(weights))
                weights[:, kinds] = drawn * (units / (units - fewer)) / copies
        yield weights


def _drawn_times(rng: np.random.Generator, copies: NDArray, draws: int, resamples: int) -> NDArray[np.int64]:
    """How often each kind is drawn, (resamples, kinds); one by one where a multinomial draw would take longer."""
    kinds = len(copies)
    if 4 * kinds < draws:
        return rng.multinomial(draws, copies / copies.sum(), size=resamples)
    drawn = np.repeat(np.arange(kinds), copies)[rng.integers(0, copies.sum(), (resamples, draws))]
    drawn += kinds * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=kinds * resamples).reshape(resamples, kinds)


def _resampled(design: _Design, sums: Sequence[NDArray], resamples: int) -> list[list[NDArray]]:
    """For each of `sums` (kinds, ...) chunks of what resamples add up to, (resamples, ...)."""
    chunks: list[list[NDArray]] = [[] for _ in sums]
    for weights in _weights(design, resamples):
        for parts, one in zip(chunks, sums, strict=True):
            parts.append((weights @ one.reshape(len(one), -1)).reshape(-1, *one.shape[1:]))
    return chunks


def _bounds(values: NDArray, design: _Design, level: float, whole_range: bool = True) -> Interval:
    """The percentile interval, its tails those of Student's t for the number of units (Hesterberg).

    whole_range: a figure that no resample moves off 0 or 1 gets the bound of Clopper and Pearson for the units.
    """
    values = values[np.isfinite(values)]
    if not len(values):
        return Interval(float("nan"), float("nan"), level, design.over, design.n, design.few_groups)
    tail = special.ndtr(special.stdtrit(design.freedom, (1 - level) / 2))
    low, high = np.quantile(values, [tail, 1 - tail], method="weibull")
    if whole_range and np.ptp(values) < 1e-9 and min(abs(low), abs(1 - low)) < 1e-9:
        certain = ((1 - level) / 2) ** (1 / design.n)
        low, high = (certain, 1.0) if low > 0.5 else (0.0, 1 - certain)
    return Interval(float(low), float(high), level, design.over, design.n, design.few_groups)


def _bootstrap_p(difference: float, differences: NDArray, freedom: int) -> float:
    """Student's, of the difference over its standard error: no share of resamples would be small enough for Holm."""
    error = float(np.nanstd(differences, ddof=1))
    return float(2 * special.stdtr(freedom, -abs(difference) / error)) if error > 1e-12 else 1.0


# Sums over images, and figures of them


def _seeds(given: NDArray | Sequence[NDArray], truth: NDArray, of_scores: bool = False) -> list[NDArray]:
    """One array a seed."""
    one = isinstance(given, np.ndarray) and given.ndim == (2 if of_scores else truth.ndim)
    return [given] if one else list(given)  # type: ignore[list-item]


def _codes(columns: Sequence[NDArray]) -> NDArray:
    """A number for each image (n,), the same where all columns, (n,) or (n, classes), agree."""
    code = np.zeros(len(columns[0]), np.int64)
    for column in (part for each in columns for part in (each.T if each.ndim == 2 else (each,))):
        code = np.unique(code * (int(column.max(initial=0)) + 1) + column, return_inverse=True)[1]
    return code


def _sums(truth: NDArray, predicted: NDArray, design: _Design, classes: int | None) -> NDArray[np.float64]:
    """What figures are made of, summed over the images of each kind.

    One label: confusion matrices (kinds, classes, classes), truth by row. Several: (kinds, 3 * classes + 4): of each
    class the images where both, truth, prediction have it; then exact matches, the sums over images of precision and
    of recall, and images.
    """
    kinds = len(design.copies)
    if truth.ndim == 1:
        k = classes or int(max(truth.max(initial=0), predicted.max(initial=0))) + 1
        cell = (design.kind * k + truth) * k + predicted
        return np.bincount(cell, minlength=kinds * k * k).reshape(kinds, k, k).astype(float)
    hits = truth & predicted
    of_image = hits.sum(1)
    images = (
        (truth == predicted).all(1),
        of_image / np.maximum(1, predicted.sum(1)),
        of_image / np.maximum(1, truth.sum(1)),
        np.ones(len(truth)),
    )
    columns = (*hits.T, *truth.T, *predicted.T, *images)
    return np.stack([np.bincount(design.kind, column, kinds) for column in columns], 1)


def _accuracy(sums: NDArray) -> NDArray:
    return np.trace(sums, axis1=1, axis2=2) / sums.sum((1, 2))


def _exact_match(sums: NDArray) -> NDArray:
    return sums[:, -4] / sums[:, -1]


def _sample_averaged_f1(sums: NDArray) -> NDArray:
    precision, recall = sums[:, -3] / sums[:, -1], sums[:, -2] / sums[:, -1]
    return _ratio(2 * precision * recall, precision + recall, 0)


def _by_class(sums: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Of each class, (resamples, classes): images that truth and prediction have, that truth, that prediction has."""
    if sums.ndim == 3:
        return np.diagonal(sums, axis1=1, axis2=2), sums.sum(2), sums.sum(1)
    both, truth, predicted = np.split(sums[:, :-4], 3, axis=1)
    return both, truth, predicted


def _micro_f1(sums: NDArray) -> NDArray:
    both, truth, predicted = (part.sum(1) for part in _by_class(sums))
    return _ratio(2 * both, truth + predicted, 0)


def _precision(sums: NDArray) -> NDArray:
    both, truth, predicted = _by_class(sums)
    return np.where(truth > 0, _ratio(both, predicted), np.nan)


def _recall(sums: NDArray) -> NDArray:
    both, truth, _ = _by_class(sums)
    return _ratio(both, truth)


def _f1(sums: NDArray) -> NDArray:
    both, truth, predicted = _by_class(sums)
    return np.where(truth > 0, _ratio(2 * both, truth + predicted), np.nan)


def _ratio(part: NDArray, of: NDArray, where_none: float = np.nan) -> NDArray:
    return np.divide(part, of, out=np.full_like(of, where_none), where=of > 0)


def _mean(of_class: Figure) -> Figure:
    """The mean over classes that have images in truth."""

    def figure(sums: NDArray) -> NDArray:
        values = of_class(sums)
        n = np.isfinite(values).sum(1)
        return _ratio(np.nansum(values, 1), n.astype(float))

    return figure


FIGURES: dict[str, Figure] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _mean(_recall),
    "macro_f1": _mean(_f1),
    "micro_f1": _micro_f1,
    "exact_match": _exact_match,
    "sample_averaged_f1": _sample_averaged_f1,
}
OF_CLASS: dict[str, Figure] = {"precision": _precision, "recall": _recall, "f1": _f1}


def _of(name: str) -> Figure:
    """The function of sums that 'macro_f1', or 'f1:3' for class 3, names."""
    kind, _, position = name.partition(":")
    return (lambda sums: OF_CLASS[kind](sums)[:, int(position)]) if position else FIGURES[name]


def _mean_average_precision(truth: NDArray, scores: NDArray, weights: NDArray) -> NDArray:
    """Of each row of weights (resamples, n); scores of one class are taken to differ from each other."""
    of_class = []
    for k in np.flatnonzero(truth.any(0)):
        order = np.argsort(-scores[:, k], kind="stable")
        drawn = weights[:, order]
        hits = drawn * truth[order, k]
        precision = _ratio(hits.cumsum(1), drawn.cumsum(1), 0)
        of_class.append(_ratio((hits * precision).sum(1), hits.sum(1)))
    return np.nanmean(of_class, 0) if of_class else np.full(len(weights), np.nan)


RANKED: dict[str, Callable[[NDArray, NDArray, NDArray], NDArray]] = {"mean_average_precision": _mean_average_precision}
