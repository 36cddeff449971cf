"""Simulated yeast cells: planned, drawn and handed over as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS
from ...core.errors import DataError
from ...core.machine.memory import release_pages
from ..planning import SEED, generator
from .plan import Counts, plan
from .wells import CONDITIONS, Conditions, draw_wells

SHAPE = (2, 64, 64)  # cell stain and protein
STRETCH = 256  # chunks after which a memory map's pages are released: what is written needn't stay in memory


@dataclass(frozen=True, eq=False)
class Crops:
    """Simulated cells: images (n, 2, 64, 64) uint8, labels and wells (n,) int64, wells counted from 0."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    wells: NDArray[np.int64]


def simulate(
    counts: Counts,
    part: str = "train",
    seed: int = SEED,
    conditions: Conditions = CONDITIONS,
    out: NDArray[np.uint8] | None = None,
) -> Crops:
    """Simulate cells. Another part or another seed has other wells.

    counts: cells of each class, in the order of `PATTERNS`. out: where to write the images, if given.
    """
    from . import renderer  # here, not above: listing the data sets must not wait for torch

    if part not in PARTS:
        raise DataError(f"part is {part!r}; allowed are {', '.join(PARTS)}")
    planned = plan(counts, part, seed)
    n = len(planned.labels)
    images = np.empty((n, *SHAPE), np.uint8) if out is None else out
    rng = generator(seed, part, "conditions")
    wells = draw_wells(planned.well_labels, conditions, rng)
    foreign = rng.random(n) < conditions.foreign_share
    shown = np.where(foreign, rng.integers(len(planned.well_labels), size=n), planned.wells)
    seeds = generator(seed, part, "chunks").integers(2**32, size=-(-n // renderer.CHUNK))
    chunk = renderer.CHUNK
    for start in range(0, n, STRETCH * chunk):
        stretch = slice(start, start + STRETCH * chunk)
        render_seeds = seeds[start // chunk : start // chunk + STRETCH]
        renderer.render(wells, shown[stretch], render_seeds, images[stretch])
        release_pages(images)
    return Crops(images, planned.labels, planned.wells)
