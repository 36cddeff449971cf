"""The results of stress tests for one row of a table, averaged over its random seeds, with their intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..core.mixed_values import SettingValues
from ..core.records.stress import Curve, StressRecord
from ..core.records.stress_answers import Answers
from .rows.row import Row
from .statistics.bootstrap import Interval
from .statistics.comparisons import compare
from .statistics.intervals import FEWEST_SEEDS, intervals
from .statistics.joint import mean_over_images_and_seeds
from .statistics.rare import OVER_CLASSES, rare_classes


@dataclass(frozen=True)
class PooledCurve:
    """A curve of `core.records.stress.Curve` whose figures are means over seeds.

    seeds: how many. n: number of test images. sd: standard deviations over seeds, by metric, from two seeds on.
    figure: the metric that the curve is judged by: accuracy, or macro-F1 where images have several labels. spans: the
    95 % interval of that metric at each strength, () without answers to draw it over. fall: that metric at the largest
    strength minus that at 0; fall_span: its interval, of the same images, or None.
    """

    name: str
    unit: str
    strengths: tuple[float, ...]
    figures: Mapping[str, tuple[float, ...]]
    sd: Mapping[str, tuple[float, ...]]
    seen: SettingValues
    seeds: int
    n: int
    spans: tuple[Interval, ...] = ()
    fall_span: Interval | None = None

    @property
    def figure(self) -> str:
        return "accuracy" if "accuracy" in self.figures else "macro_f1"

    @property
    def values(self) -> tuple[float, ...]:
        """The metric that the curve is judged by, at each strength."""
        return self.figures[self.figure]

    @property
    def fall(self) -> float:
        return self.values[-1] - self.values[0]


def stress_of(row: Row) -> list[PooledCurve]:
    """Return the curves of the row's stress test with the most images, in its order; [] without a stress test.

    Each is a mean over all runs tested on as many images with the same draws and strengths.
    """
    tested = [(found, run.stress_answers) for run in row.runs if (found := run.stress)]
    if not tested:
        return []
    first = max((record for record, _ in tested), key=lambda one: one.n)
    same = [pair for pair in tested if (pair[0].n, pair[0].draws) == (first.n, first.draws)]
    return [pooled(curve, same) for curve in first.curves]


def stress_problems(row: Row) -> list[str]:
    """Return a line for each stress test beside a record of the row that is not used, and why."""
    return [run.stress_problem for run in row.runs if run.stress_problem]


def pooled(curve: Curve, tested: Sequence[tuple[StressRecord, Answers | None]]) -> PooledCurve:
    """Return the mean of one perturbation's curve over those records that tested it with the same strengths."""
    alike = [
        (other, answers)
        for record, answers in tested
        for other in record.curves
        if (other.name, other.strengths) == (curve.name, curve.strengths)
    ]
    curves = [other for other, _ in alike]
    names = [name for name in curve.figures if all(name in other.figures for other in curves)]
    values = {name: np.array([other.figures[name] for other in curves]) for name in names}
    found = PooledCurve(
        curve.name,
        curve.unit,
        curve.strengths,
        {name: tuple(of_seeds.mean(0).tolist()) for name, of_seeds in values.items()},
        {name: tuple(of_seeds.std(0, ddof=1).tolist()) for name, of_seeds in values.items() if len(alike) > 1},
        curve.seen,
        len(alike),
        tested[0][0].n,
    )
    answers = [each for _, each in alike if each is not None and curve.name in each.predicted]
    return _with_intervals(found, values, answers) if len(answers) == len(alike) else found


def _with_intervals(
    curve: PooledCurve, values: Mapping[str, NDArray[np.float64]], answers: Sequence[Answers]
) -> PooledCurve:
    """Return the curve with intervals over images or groups and, from FEWEST_SEEDS seeds on, over seeds as well."""
    first, figure = answers[0], curve.figure
    if any(not np.array_equal(one.index, first.index) or not np.array_equal(one.truth, first.truth) for one in answers):
        return curve
    if figure in OVER_CLASSES and rare_classes(first.truth):
        return curve
    given = [[one.predicted[curve.name][at].astype(first.truth.dtype) for one in answers] for at in _steps(curve)]
    spans = [intervals(first.truth, labels, [figure], first.groups, classes=first.classes)[figure] for labels in given]
    fall = compare(first.truth, given[0], given[-1], figure, first.groups, classes=first.classes, tested=False)
    by_seed = values[figure]
    return replace(
        curve,
        spans=tuple(_over_seeds(by_seed[:, at], span, 0, 1) for at, span in enumerate(spans)),
        fall_span=fall.interval and _over_seeds(by_seed[:, -1] - by_seed[:, 0], fall.interval, -1, 1),
    )


def _steps(curve: PooledCurve) -> range:
    return range(len(curve.strengths))


def _over_seeds(by_seed: NDArray[np.float64], images: Interval, least: float, most: float) -> Interval:
    """Return the interval of a mean over images and seeds, see `joint`; with few seeds that over images."""
    if len(by_seed) < FEWEST_SEEDS or not by_seed.std():
        return images
    sd = float(by_seed.std(ddof=1))
    return mean_over_images_and_seeds(float(by_seed.mean()), images, sd, len(by_seed), least, most)
