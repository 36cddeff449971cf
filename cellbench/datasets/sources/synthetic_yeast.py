"""Simulated yeast cells in DeepYeast's layout: the embedded default data set, and one of DeepYeast's full size.

The look follows 36 real cells: grey levels, noise and power spectra of both channels were compared with theirs. The
difficulty was set to two targets before any methods were compared, and then frozen: the yeast study's SVM (30×30 pixels
of three channels over their mean, RBF, gamma=0.001, C=1) at 45-50 % with 5,000 cells, for which 49.1 % is claimed on
real ones, and a ResNet-18 at 80-86 % with 10,000. On seeds that tuned nothing, 2,500 test cells from other wells:

    SVM, 5,000 training cells, seeds 301-304:     48.2, 47.1, 47.6, 45.5 %; mean 47.1
    ResNet-18, 10,000 cells, seed 301, one run:   84.6 % (12 epochs of one-cycle SGD, label smoothing, augmentation)

Peroxisomes, 2.6 % of the cells, are the rarest and hardest class: recall 0.00-0.02 with that SVM, 0.51 with that net.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.data import Dataset, Info
from ...core.errors import DataError
from ...simulation.planning import SEED, apportion
from ...simulation.yeast.crops import SHAPE, simulate
from ...simulation.yeast.plan import MIN_WELLS, Counts
from ..files import cache
from ..registry import dataset
from .deepyeast import CHANNELS, CLASSES, COUNTS
from .simulated import assemble

DEMO_SIZES = {"train": 1200, "val": 400, "test": 600}
INFO = Info(
    licence="MIT (simulated by cellbench)",
    citation=(
        "Simulated by cellbench; classes, their proportions and the image layout follow DeepYeast "
        "(Pärnamaa & Parts, G3 7(5), 2017)."
    ),
    synthetic=True,
    notes=(
        "Simulated images, not photographs: no claim about real cells can rest on them.",
        "A well holds one protein, so one label; wells don't straddle the split.",
    ),
)


@dataset(
    "synthetic-yeast",
    summary="simulated yeast cells, 12 protein localisations, DeepYeast's class imbalance",
    licence=INFO.licence,
    size="2,200 cells, 64×64",
    classes=CLASSES,
    channels=CHANNELS,
    standard=True,
    made_on_demand=True,
    revision=1,
    defaults={"epochs": 20},  # a demo is done in minutes
)
def build(scratch: Path, source: Path | None) -> Dataset:
    """Simulate the demo in seconds: 1,200 / 400 / 600 cells in train / val / test."""
    return simulate_dataset("synthetic-yeast", {part: class_counts(n) for part, n in DEMO_SIZES.items()})


@dataset(
    "synthetic-yeast-full",
    summary="simulated yeast cells in DeepYeast's full size, with its class counts in each part",
    licence=INFO.licence,
    size="90,000 cells, 64×64",
    classes=CLASSES,
    channels=CHANNELS,
    revision=1,
)
def build_full(scratch: Path, source: Path | None) -> Dataset:
    """Simulate 65,000 / 12,500 / 12,500 cells in train / val / test, in a memory map."""
    return simulate_dataset("synthetic-yeast-full", COUNTS, images_file=scratch / cache.IMAGES)


def simulate_dataset(
    name: str, counts: Mapping[str, Counts], seed: int = SEED, images_file: Path | None = None
) -> Dataset:
    """A data set with `counts` cells of each class by part; images in memory, or in a memory map at `images_file`."""

    def fill(part: str, out: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        crops = simulate(counts[part], part, seed, out=out)
        return crops.labels, crops.wells

    return assemble(
        name,
        {part: sum(of_part) for part, of_part in counts.items()},
        SHAPE,
        fill,
        classes=CLASSES,
        channels=CHANNELS,
        split="by-well",
        info=INFO,
        images_file=images_file,
    )


def class_counts(n: int) -> tuple[int, ...]:
    """Return how many of `n` cells each class gets: in proportion to DeepYeast's train, but at least MIN_WELLS."""
    if n < MIN_WELLS * len(CLASSES):
        raise DataError(f"{n} cells asked for; at least {MIN_WELLS * len(CLASSES)} are needed, {MIN_WELLS} a class")
    counts = apportion(n, COUNTS["train"])
    while counts.min() < MIN_WELLS:
        counts[counts.argmin()] += 1
        counts[counts.argmax()] -= 1
    return tuple(int(count) for count in counts)
