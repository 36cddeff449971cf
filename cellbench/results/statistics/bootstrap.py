"""Bootstrap resampling of images, of groups of images, or of groups within each class, and the resulting interval.

What is drawn over what, and why, with sources: docs/statistics.md.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special  # scipy.stats has the same by other names, and takes longer to import than most tables

from ...core.data import Labels
from ...core.scoring.sums import sums_of

LEVEL = 0.95
RESAMPLES = 2000
FEWEST_GROUPS = 5  # with fewer groups in a class, resampling them says nothing
SLOW_RESAMPLES = 500  # for figures that have to sort the images of each resample
_AT_ONCE = 2_000_000  # weights to hold in memory at a time

# A figure of each resample, (n,), from the weights of the kinds in it, (n, kinds).
OfWeights = Callable[[NDArray[np.float64]], NDArray[np.float64]]

IMAGES, GROUPS, GROUPS_OF_CLASSES = "test images", "groups", "groups within class"
CELLS_ONLY, SEEDS, DRAWS = "cells, all from these wells", "seeds", "draws of the split"


@dataclass(frozen=True)
class Interval:
    """The confidence interval of a figure.

    low, high: ends of the interval at confidence `level`. over: what was resampled, one of the names above. n: how
    many of these there are. few_groups: positions of the classes that have too few groups to resample, so that their
    images were resampled instead. For these classes the interval says nothing about other wells.
    """

    low: float
    high: float
    level: float
    over: str
    n: int
    few_groups: tuple[int, ...] = ()

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Design:
    """What a bootstrap resamples. Images of one kind are drawn together (a group), or are interchangeable.

    kind: the kind of each image, (n images,). copies: the number of units of each kind, (kinds,); a group is one unit.
    stratum: the stratum of each kind, (kinds,). over: what the units are, one of the names above. n: the number of
    units. freedom: degrees of freedom. few_groups: see `Interval`.
    """

    kind: NDArray[np.int64]
    copies: NDArray[np.int64]
    stratum: NDArray[np.int64]
    over: str
    n: int
    freedom: int
    few_groups: tuple[int, ...] = ()

    def sums_of(self, truth: Labels, predicted: Labels, classes: int | None) -> NDArray[np.float64]:
        """Return the sums over the images of each kind that figures are computed from, (kinds, …); see `sums`."""
        return sums_of(truth, predicted, self.kind, len(self.copies), classes)


def design_of(truth: Labels, groups: NDArray[np.int64] | None, code: NDArray[np.int64]) -> Design:
    """Return what a bootstrap is to resample: images if `groups` is None, else groups.

    If all images of each group have the same single label, groups are drawn within each class, but images of a class
    with fewer than FEWEST_GROUPS groups. Where no class has that many, or groups hold several classes, groups are
    drawn from all, or images if there are fewer than FEWEST_GROUPS groups. code (n,): images with the same code are
    interchangeable.
    """
    n = len(truth)
    if groups is None:
        return _drawn(np.zeros(n, int), np.zeros(n, bool), np.zeros(n, int), code, IMAGES)
    group = np.unique(groups, return_inverse=True)[1]
    of_one_class = truth.ndim == 1 and len(np.unique(np.stack([group, truth]), axis=1).T) == group.max() + 1
    of_one_class = of_one_class and bool((np.bincount(_stratum_of_groups(truth, group)) >= FEWEST_GROUPS).any())
    stratum = truth if of_one_class else np.zeros(n, int)
    few = np.flatnonzero((found := np.bincount(_stratum_of_groups(stratum, group))) * (found < FEWEST_GROUPS))
    whole = ~np.isin(stratum, few)
    over = GROUPS_OF_CLASSES if of_one_class else GROUPS
    return _drawn(stratum, whole, group, code, over if whole.any() else CELLS_ONLY, tuple(few.tolist()))


def _stratum_of_groups(stratum: Labels, group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the stratum of each group; a group in several strata counts once in each."""
    pairs: NDArray[np.int64] = np.unique(np.stack([stratum, group]), axis=1)
    strata: NDArray[np.int64] = pairs[0]
    return strata


def _drawn(
    stratum: Labels,
    whole: NDArray[np.bool_],
    group: NDArray[np.int64],
    code: NDArray[np.int64],
    over: str,
    few: tuple[int, ...] = (),
) -> Design:
    """Return a design that resamples groups for images where `whole` is true, and single images elsewhere."""
    keys = np.stack([stratum, whole, np.where(whole, group, code)])
    kinds, kind, images = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    copies = np.where(kinds[1], 1, images)
    counted = (kinds[1] == 1) if whole.any() else np.ones(len(copies), bool)
    units, strata = int(copies[counted].sum()), len(np.unique(kinds[0][counted]))
    return Design(kind.ravel(), copies, kinds[0], over, units, max(1, units - strata), few if whole.any() else ())


def resting_on(design: Design, name: str, truth: Labels, groups: NDArray[np.int64] | None) -> Design:
    """Return the design with the `n` of a figure of one class: for 'f1:3', the number of groups or images of class 3.

    For other figures, the design is returned unchanged.
    """
    if ":" not in name:
        return design
    k = int(name.partition(":")[2])
    has = truth[:, k] if truth.ndim == 2 else truth == k
    whole = groups is not None and design.over != CELLS_ONLY and k not in design.few_groups
    n = len(np.unique(groups[has])) if groups is not None and whole else np.count_nonzero(has)
    return replace(design, n=max(1, int(n)))


def weights_of(design: Design, resamples: int, fewer: int = 1) -> Iterator[NDArray[np.float64]]:
    """Yield the weights of the kinds in each resample, (resamples, kinds), a chunk of resamples at a time.

    This is the rescaling bootstrap of Rao and Wu: from each stratum one unit fewer is drawn than it has, and weights
    are scaled up to make up for it, which makes the variance right in small strata too.

    fewer: 0 for the plain bootstrap, whose weights are whole numbers if each kind is a single unit.
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


def _drawn_times(rng: np.random.Generator, copies: NDArray[np.int64], draws: int, resamples: int) -> NDArray[np.int64]:
    """Return how often each kind is drawn in each resample, (resamples, kinds).

    Units are drawn one by one where a multinomial draw would take longer.
    """
    kinds = len(copies)
    if 4 * kinds < draws:
        return rng.multinomial(draws, copies / copies.sum(), size=resamples)
    drawn = np.repeat(np.arange(kinds), copies)[rng.integers(0, copies.sum(), (resamples, draws))]
    drawn += kinds * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=kinds * resamples).reshape(resamples, kinds)


def resampled(design: Design, sums: Sequence[NDArray[np.float64]], resamples: int) -> list[list[NDArray[np.float64]]]:
    """Return, for each array of `sums`, (kinds, ...), its sums in each resample, as chunks (resamples, ...)."""
    chunks: list[list[NDArray[np.float64]]] = [[] for _ in sums]
    for weights in weights_of(design, resamples):
        for parts, one in zip(chunks, sums, strict=True):
            parts.append((weights @ one.reshape(len(one), -1)).reshape(-1, *one.shape[1:]))
    return chunks


def bounds(values: NDArray[np.float64], design: Design, level: float, whole_range: bool = True) -> Interval:
    """Return the percentile interval of a figure from its values in the resamples, (resamples,).

    Its tails are widened as Student's t is for `design.freedom` degrees of freedom (Hesterberg). It is nan to nan
    where no value is finite.

    whole_range: whether a figure that is 0 or 1 in all resamples gets the bound of Clopper and Pearson for `design.n`.
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


def codes_of(columns: Sequence[Labels]) -> NDArray[np.int64]:
    """Return a number for each image, (n,), that is equal for images with equal values in all columns.

    columns: whole numbers or bool, each (n,) or (n, classes).
    """
    code = np.zeros(len(columns[0]), np.int64)
    for column in (part for each in columns for part in (each.T if each.ndim == 2 else (each,))):
        code = np.unique(code * (int(column.max(initial=0)) + 1) + column, return_inverse=True)[1]
    return code
