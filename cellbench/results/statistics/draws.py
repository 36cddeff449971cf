"""Rows of several draws of one split: how certain their mean is, and whether two of them differ.

Draws of one data set share most of their training images, so that their figures vary less than those of new data sets
would. The variance over J draws is therefore multiplied by 1/J + test/train in place of 1/J (Nadeau and Bengio 2003,
Inference for the generalization error), where test and train are numbers of images.
"""

import math
from collections.abc import Mapping
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from scipy import special

from ...core.split_names import draws_in
from .bootstrap import DRAWS, LEVEL, Interval
from .comparisons import Comparison

if TYPE_CHECKING:
    from ..rows.row import Row

FEWEST_DRAWS = 3


def by_draw(row: "Row", figure: str) -> dict[int, float]:
    """Return the mean over seeds of a figure on test, by draw, for the draws of which it is on record."""
    found: dict[int, list[float]] = {}
    for run in row.runs:
        value = run.record.metrics.get("test", {}).get(figure)
        if value is not None:
            found.setdefault(draws_in(run.record.spec.split)[0], []).append(value)
    return {draw: fmean(values) for draw, values in found.items()}


def interval_over_draws(row: "Row", figure: str) -> Interval | None:
    """Return the 95 % interval of a row's mean over draws; None for fewer than FEWEST_DRAWS draws or equal figures."""
    values = list(by_draw(row, figure).values())
    margin = _margin(values, _test_to_train(row))
    return None if margin is None else _interval(fmean(values), margin, len(values))


def compare_over_draws(a: "Row", b: "Row", figure: str) -> Comparison | None:
    """Return the comparison of b with a, paired by draw; None if they share fewer than FEWEST_DRAWS draws."""
    gains = _paired(by_draw(a, figure), by_draw(b, figure))
    margin = _margin(gains, max(_test_to_train(a), _test_to_train(b)))
    if margin is None:
        return None
    mean, n = fmean(gains), len(gains)
    error = margin / special.stdtrit(n - 1, (1 + LEVEL) / 2)
    p = float(2 * special.stdtr(n - 1, -abs(mean) / error))
    return Comparison(figure, mean, _interval(mean, margin, n), p, "corrected t over draws", DRAWS, n)


def _paired(a: Mapping[int, float], b: Mapping[int, float]) -> list[float]:
    return [b[draw] - a[draw] for draw in sorted(a.keys() & b.keys())]


def _test_to_train(row: "Row") -> float:
    """Return the number of test images for each training image; 0 where numbers are not on record."""
    return (row.n_test or 0) / row.n_train if row.n_train else 0.0


def _margin(values: list[float], test_to_train: float) -> float | None:
    """Return half the interval of the mean of values by draw, or None where they say nothing of it."""
    n = len(values)
    if n < FEWEST_DRAWS or not (deviation := stdev(values)):
        return None
    error = deviation * math.sqrt(1 / n + test_to_train)
    return float(special.stdtrit(n - 1, (1 + LEVEL) / 2)) * error


def _interval(centre: float, margin: float, n: int) -> Interval:
    return Interval(centre - margin, centre + margin, LEVEL, DRAWS, n)
