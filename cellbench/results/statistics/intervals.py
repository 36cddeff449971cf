"""How sure a figure is: its interval over images, groups of images or seeds, as pure functions of arrays.

What is drawn over what, and why, with sources: docs/statistics.md.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special  # scipy.stats has the same by other names, and takes longer to import than most tables

from ...core.data import Labels
from ...core.scoring.metrics import NAMED, OF_CLASS
from ...core.scoring.sums import Figure
from .bootstrap import (
    LEVEL,
    RESAMPLES,
    SEEDS,
    SLOW_RESAMPLES,
    Interval,
    OfWeights,
    bounds,
    codes_of,
    design_of,
    resampled,
    resting_on,
    weights_of,
)
from .jackknife import has_few_groups, jackknifed

FEWEST_SEEDS = 3

D = TypeVar("D", bound=np.generic)
Array = TypeVar("Array", bound=NDArray[np.generic])


def interval(
    truth: Labels,
    predicted: Labels | Sequence[Labels],
    figure: str = "accuracy",
    groups: NDArray[np.int64] | None = None,
    *,
    scores: NDArray[np.floating] | Sequence[NDArray[np.floating]] | None = None,
    classes: int | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the bootstrap interval of one figure; see `intervals`."""
    (found,) = intervals(
        truth, predicted, (figure,), groups, scores=scores, classes=classes, level=level, resamples=resamples
    ).values()
    return found


def intervals(
    truth: Labels,
    predicted: Labels | Sequence[Labels],
    figures: Sequence[str],
    groups: NDArray[np.int64] | None = None,
    *,
    scores: NDArray[np.floating] | Sequence[NDArray[np.floating]] | None = None,
    classes: int | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> dict[str, Interval]:
    """Return the bootstrap interval of each figure, over images or, if given, over `groups` (n,).

    figures: names of metrics, or 'f1:3' for the F1 of class 3, likewise 'precision:3' and 'recall:3'. predicted: one
    array, or one array for each seed; with several, intervals are of the mean over seeds. scores: likewise, each
    (n, classes), for metrics that take scores. classes: number of classes (default: as found in the labels). The same
    arrays always give the same intervals.
    """
    ordered = [name for name in figures if name in NAMED and NAMED[name].of_scores]
    summed = [name for name in figures if name not in ordered]
    found = _of_labels(truth, by_seed(predicted, truth), summed, groups, classes, level, resamples) if summed else {}
    if ordered:
        of_seeds = by_seed(scores, truth, of_scores=True) if scores is not None else []
        found |= _of_scores(truth, of_seeds, ordered, groups, level, resamples)
    return {name: found[name] for name in figures}


def _of_labels(
    truth: Labels,
    seeds: Sequence[Labels],
    figures: Sequence[str],
    groups: NDArray[np.int64] | None,
    classes: int | None,
    level: float,
    resamples: int,
) -> dict[str, Interval]:
    """Return an interval of each figure, for figures that are computed from sums over images.

    seeds: the labels that were predicted with each seed.
    """
    design = design_of(truth, groups, codes_of([truth, *seeds]))
    of_seeds = [design.sums_of(truth, predicted, classes) for predicted in seeds]
    drawn = resampled(design, of_seeds, resamples)
    found = {}
    for name in figures:
        figure, resting = figure_of(name), resting_on(design, name, truth, groups)
        if has_few_groups(resting) and (span := jackknifed(mean_of(figure, of_seeds), resting, level)):
            found[name] = span
            continue
        values = [np.concatenate([figure(sums) for sums in chunks]) for chunks in drawn]
        found[name] = bounds(np.mean(values, 0), resting, level)
    return found


def mean_of(figure: Figure, of_seeds: Sequence[NDArray[np.float64]]) -> OfWeights:
    """Return a function that computes a figure for many resamples at once, averaged over seeds.

    It takes how often each kind of image is in each resample, (n, kinds), and returns the figure of each, (n,).
    """

    def weighted(weights: NDArray[np.float64], sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return figure((weights @ sums.reshape(len(sums), -1)).reshape(-1, *sums.shape[1:]))

    return lambda weights: np.mean([weighted(weights, sums) for sums in of_seeds], 0)


def _of_scores(
    truth: Labels,
    seeds: Sequence[NDArray[np.floating]],
    figures: Sequence[str],
    groups: NDArray[np.int64] | None,
    level: float,
    n: int,
) -> dict[str, Interval]:
    """Return an interval of each figure, for figures that depend on the order of scores.

    seeds: the scores of each seed. There are at most SLOW_RESAMPLES of the n resamples, as images are sorted for each.
    """
    design = design_of(truth, groups, np.arange(len(truth)))
    found = {}
    for name in figures:
        of_weights = NAMED[name].of_scores
        assert of_weights
        drawn = (weights[:, design.kind] for weights in weights_of(design, min(n, SLOW_RESAMPLES)))
        values = np.concatenate([[of_weights(truth, scores, weights) for scores in seeds] for weights in drawn], 1)
        found[name] = bounds(np.mean(values, 0), design, level)
    return found


def figure_of(name: str) -> Figure:
    """Return the function that computes a figure, such as 'macro_f1' or 'f1:3' for class 3, from sums."""
    kind, _, position = name.partition(":")
    if position:
        return lambda sums: OF_CLASS[kind](sums)[:, int(position)]
    figure = NAMED[name].of_sums
    assert figure
    return figure


def interval_of(
    function: Callable[[Labels, NDArray[D]], float],
    truth: Labels,
    predicted: NDArray[D],
    groups: NDArray[np.int64] | None = None,
    *,
    level: float = LEVEL,
    resamples: int = SLOW_RESAMPLES,
) -> Interval:
    """Return the bootstrap interval of a figure that `function` computes from truth and predictions.

    predicted: labels or scores, one row for each image. groups: (n,), or None to resample images.
    """
    design = design_of(truth, groups, np.arange(len(truth)))
    every = np.arange(len(truth))
    values = [
        function(truth[index], predicted[index])
        for weights in weights_of(design, resamples, fewer=0)
        for index in (np.repeat(every, times) for times in weights[:, design.kind].astype(int))
    ]
    return bounds(np.asarray(values, float), design, level)


def interval_over_seeds(mean: float, sd: float | None, n: int, level: float = LEVEL) -> Interval | None:
    """Return Student's t interval of the mean of n seeds with sample standard deviation sd.

    Return None for fewer than FEWEST_SEEDS seeds, or if all seeds gave the same, from which nothing can be inferred.
    """
    if n < FEWEST_SEEDS or not sd:
        return None
    return t_interval(mean, sd / np.sqrt(n), n - 1, level, n)


def t_interval(centre: float, error: float, freedom: float, level: float, n: int) -> Interval:
    margin = float(special.stdtrit(freedom, (1 + level) / 2) * error)
    return Interval(centre - margin, centre + margin, level, SEEDS, n)


def by_seed(given: Array | Sequence[Array], truth: Labels, of_scores: bool = False) -> list[Array]:
    """Return a list with one array for each seed, from one array or from several."""
    one = isinstance(given, np.ndarray) and given.ndim == (2 if of_scores else truth.ndim)
    return [given] if one else list(given)  # type: ignore[list-item]
