"""What a bootstrap draws: images, or groups of images, or groups within class; and the interval that comes of it.

What is drawn over what, and why, with sources: docs/statistics.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special  # scipy.stats has the same by other names, and takes longer to import than most tables

from ..core.sums import sums_of

LEVEL = 0.95
RESAMPLES = 2000
FEWEST_GROUPS = 5  # of a class, so that drawing among them says something
SLOW_RESAMPLES = 500  # of figures that each resample has to sort images for
_AT_ONCE = 2_000_000  # weights in memory

IMAGES, GROUPS, GROUPS_OF_CLASSES = "test images", "groups", "groups within class"
CELLS_ONLY, SEEDS = "cells of these wells only", "seeds"


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
class Design:
    """kind: of each image (n,), those that always come together or are interchangeable; copies: of each kind, how
    often it can be drawn (a group: once); stratum: of each kind. n units of `over`, with `freedom` degrees."""

    kind: NDArray[Any]
    copies: NDArray[Any]
    stratum: NDArray[Any]
    over: str
    n: int
    freedom: int
    few_groups: tuple[int, ...] = ()

    def sums_of(self, truth: NDArray[Any], predicted: NDArray[Any], classes: int | None) -> NDArray[np.float64]:
        """What figures follow from, of the images of each kind; see `core.sums`."""
        return sums_of(truth, predicted, self.kind, len(self.copies), classes)


def design_of(truth: NDArray[Any], groups: NDArray[Any] | None, code: NDArray[Any]) -> Design:
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
    stratum: NDArray[Any],
    whole: NDArray[Any],
    group: NDArray[Any],
    code: NDArray[Any],
    over: str,
    few: tuple[int, ...] = (),
) -> Design:
    """Groups where `whole`, else images."""
    keys = np.stack([stratum, whole, np.where(whole, group, code)])
    kinds, kind, images = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    copies = np.where(kinds[1], 1, images)
    counted = (kinds[1] == 1) if whole.any() else np.ones(len(copies), bool)
    units, strata = int(copies[counted].sum()), len(np.unique(kinds[0][counted]))
    return Design(kind.ravel(), copies, kinds[0], over, units, max(1, units - strata), few if whole.any() else ())


def resting_on(design: Design, name: str, truth: NDArray[Any], groups: NDArray[Any] | None) -> Design:
    """The design with n as what 'f1:3' rests on: the groups, or images, of class 3."""
    if ":" not in name:
        return design
    k = int(name.partition(":")[2])
    has = truth[:, k] if truth.ndim == 2 else truth == k
    whole = groups is not None and design.over != CELLS_ONLY and k not in design.few_groups
    n = len(np.unique(groups[has])) if groups is not None and whole else np.count_nonzero(has)
    return replace(design, n=max(1, int(n)))


def weights_of(design: Design, resamples: int, fewer: int = 1) -> Iterator[NDArray[np.float64]]:
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


def _drawn_times(rng: np.random.Generator, copies: NDArray[Any], draws: int, resamples: int) -> NDArray[np.int64]:
    """How often each kind is drawn, (resamples, kinds); one by one where a multinomial draw would take longer."""
    kinds = len(copies)
    if 4 * kinds < draws:
        return rng.multinomial(draws, copies / copies.sum(), size=resamples)
    drawn = np.repeat(np.arange(kinds), copies)[rng.integers(0, copies.sum(), (resamples, draws))]
    drawn += kinds * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=kinds * resamples).reshape(resamples, kinds)


def resampled(design: Design, sums: Sequence[NDArray[Any]], resamples: int) -> list[list[NDArray[Any]]]:
    """For each of `sums` (kinds, ...) chunks of what resamples add up to, (resamples, ...)."""
    chunks: list[list[NDArray[Any]]] = [[] for _ in sums]
    for weights in weights_of(design, resamples):
        for parts, one in zip(chunks, sums, strict=True):
            parts.append((weights @ one.reshape(len(one), -1)).reshape(-1, *one.shape[1:]))
    return chunks


def bounds(values: NDArray[Any], design: Design, level: float, whole_range: bool = True) -> Interval:
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


def codes_of(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """A number for each image (n,), the same where all columns, (n,) or (n, classes), agree."""
    code = np.zeros(len(columns[0]), np.int64)
    for column in (part for each in columns for part in (each.T if each.ndim == 2 else (each,))):
        code = np.unique(code * (int(column.max(initial=0)) + 1) + column, return_inverse=True)[1]
    return code
