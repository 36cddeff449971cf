"""Which simulated cell lies in which well."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..planning import SEED, apportion, generator

Counts = Sequence[int]
CELLS_PER_WELL = 10
MIN_WELLS = 3  # of each class in each part, so that a class never depends on the conditions of one well


@dataclass(frozen=True, eq=False)
class Plan:
    """Which cells to draw: the class of each, (n,) int64, its well, (n,) int64, and the class of each well."""

    labels: NDArray[np.int64]
    wells: NDArray[np.int64]
    well_labels: NDArray[np.int64]


def plan(counts: Counts, part: str, seed: int = SEED) -> Plan:
    """Divide the cells of each class among wells of about CELLS_PER_WELL, and shuffle all cells."""
    rng = generator(seed, part, "plan")
    labels, wells = [], []
    well_labels: list[int] = []
    for label, n in enumerate(counts):
        n_wells = min(n, max(MIN_WELLS, round(n / CELLS_PER_WELL)))
        # Nearly even sizes: a well that held much of a rare class would decide what the class looks like.
        sizes = apportion(n, [int(weight) for weight in rng.integers(7, 14, size=n_wells)])
        first = len(well_labels)
        labels.append(np.full(n, label))
        wells.append(np.repeat(np.arange(first, first + n_wells), sizes))
        well_labels += [label] * n_wells
    order = rng.permutation(sum(counts))
    return Plan(np.concatenate(labels)[order], np.concatenate(wells)[order], np.array(well_labels))
