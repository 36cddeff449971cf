"""The results of stress tests for one row of a table, averaged over its random seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.stress import Curve, StressRecord
from .rows import Row


@dataclass(frozen=True)
class PooledCurve:
    """A curve of `core.stress.Curve` whose figures are means over seeds.

    seeds: how many. n: number of test images. sd: standard deviations over seeds, by metric, from two seeds on.
    """

    name: str
    unit: str
    strengths: tuple[float, ...]
    figures: Mapping[str, tuple[float, ...]]
    sd: Mapping[str, tuple[float, ...]]
    seen: Mapping[str, Any]
    seeds: int
    n: int


def stress_of(row: Row) -> list[PooledCurve]:
    """Return the row's curves, in the order of the first record; [] if no run of the row has a stress test.

    A curve is the mean over those runs that were tested on as many images, with the same draws and strengths, as the
    run that was tested on most images.
    """
    records = [found for run in row.runs if (found := run.stress)]
    if not records:
        return []
    first = max(records, key=lambda one: one.n)
    same = [one for one in records if (one.n, one.draws) == (first.n, first.draws)]
    return [pooled(curve, same) for curve in first.curves]


def stress_problems(row: Row) -> list[str]:
    """Return a line for each stress test beside a record of the row that is not used, and why."""
    return [run.stress_problem for run in row.runs if run.stress_problem]


def pooled(curve: Curve, records: Sequence[StressRecord]) -> PooledCurve:
    """Return the mean of one perturbation's curve over those records that tested it with the same strengths."""
    alike = [
        other
        for record in records
        for other in record.curves
        if (other.name, other.strengths) == (curve.name, curve.strengths)
    ]
    names = [name for name in curve.figures if all(name in other.figures for other in alike)]
    values = {name: np.array([other.figures[name] for other in alike]) for name in names}
    return PooledCurve(
        curve.name,
        curve.unit,
        curve.strengths,
        {name: tuple(of_seeds.mean(0).tolist()) for name, of_seeds in values.items()},
        {name: tuple(of_seeds.std(0, ddof=1).tolist()) for name, of_seeds in values.items() if len(alike) > 1},
        curve.seen,
        len(alike),
        records[0].n,
    )
