"""The swap test: whether two methods differ in a figure, by exchanging their answers by image or by group.

If neither method is better, an image's answers may as well be those of the other method (Yeh 2000, More accurate tests
for the statistical significance of result differences). Unlike the bootstrap it holds its level with rare classes and
few groups.
"""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...core.data import Labels
from ...core.scoring.sums import Figure, sums_of
from .bootstrap import codes_of

SWAPS = 9999
MOST_EXACT = 13  # units up to which all swaps are tried, 8,192
_AT_ONCE = 2_000_000  # numbers to hold in memory at a time


def swap_test(
    truth: Labels,
    a: Sequence[Labels],
    b: Sequence[Labels],
    figure: Figure,
    groups: NDArray[np.int64] | None = None,
    classes: int | None = None,
    swaps: int = SWAPS,
) -> float:
    """Return the two-sided p value of no difference between two methods in a figure.

    truth, a, b: labels, a and b for each seed; the fewer seeds are repeated so that each meets another. figure: a
    function of sums over images, see `sums`. groups (n,): whole groups are swapped. p is exact for up to 13 units
    that differ, else from random swaps with a fixed seed; where none of these is as extreme, it is the normal tail.
    """
    pairs = list(_met(a, b))
    unit = codes_of([truth, *a, *b]) if groups is None else np.unique(groups, return_inverse=True)[1]
    copies = np.bincount(unit) if groups is None else np.ones(unit.max() + 1, int)
    of_a, of_b = (
        np.stack([sums_of(truth, pair[side], unit, len(copies), classes) for pair in pairs]) for side in (0, 1)
    )
    change = of_b - of_a
    differs = np.abs(change).reshape(len(pairs), len(copies), -1).max((0, 2)) > 0
    if not differs.any():
        return 1.0
    change, copies = change[:, differs], copies[differs]
    totals = of_a.sum(1), of_b.sum(1)

    def gains(swapped: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return b's figure minus a's, (n,), after a share of each kind's images was swapped, (n, kinds)."""
        found = np.zeros(len(swapped))
        for total_a, total_b, one in zip(*totals, change, strict=True):
            moved = (swapped @ one.reshape(len(one), -1)).reshape(-1, *one.shape[1:])
            found += (figure(total_b - moved) - figure(total_a + moved)) / len(pairs)
        return found

    observed = abs(float(gains(np.zeros((1, len(copies))))[0]))
    exact = bool(copies.sum() <= MOST_EXACT)
    found = np.concatenate([gains(part) for part in _swapped(copies, exact, swaps, change[0, 0].size)])
    extreme = np.count_nonzero(np.abs(found) >= observed - 1e-12)
    if exact:
        return extreme / len(found)
    if extreme:
        return (extreme + 1) / (len(found) + 1)
    return float(min(1 / (len(found) + 1), 2 * special.ndtr(-observed / found.std())))


def _met(a: Sequence[Labels], b: Sequence[Labels]) -> Iterator[tuple[Labels, Labels]]:
    """Yield pairs of a seed of a and one of b, so that each seed of either is in as many pairs."""
    n = math.lcm(len(a), len(b))
    return zip(itertools.islice(itertools.cycle(a), n), itertools.islice(itertools.cycle(b), n), strict=True)


def _swapped(copies: NDArray[np.int64], exact: bool, swaps: int, size: int) -> Iterator[NDArray[np.float64]]:
    """Yield the share of each kind's images that are swapped, (n, kinds), a chunk at a time.

    size: how many numbers the sums of one kind are.
    """
    if exact:
        flips = np.arange(2 ** copies.sum())[:, None] >> np.arange(copies.sum()) & 1
        kind = np.repeat(np.arange(len(copies)), copies)
        yield np.stack([flips[:, kind == k].mean(1) for k in range(len(copies))], 1)
        return
    rng = np.random.default_rng(0)
    chunk = max(1, _AT_ONCE // max(len(copies), size))
    for start in range(0, swaps, chunk):
        yield rng.binomial(copies, 0.5, (min(chunk, swaps - start), len(copies))) / copies
