"""Simulated human cells in the layout of the Human Protein Atlas: four stains, several labels an image.

Which labels an image has is as in the contest's own label file; how they look is simulated, from what the Atlas says of
each localisation. No figure of any method was used to set the looks or the conditions, so the difficulty is whatever it
came to be. Measured once afterwards on the ten labels, test part, 1,200 training images at 64×64, thresholds from val:

    every label everywhere:                                         macro-F1 0.241, mean average precision 0.148
    one-vs-rest RBF SVM, C=10, on 32×32 pixels:                     macro-F1 0.296, mean average precision 0.259
    the same on HOG of the protein and nucleus channels:            macro-F1 0.358, mean average precision 0.363
    ResNet-18, 12 epochs of one-cycle AdamW, flips and rotations:   macro-F1 0.645, mean average precision 0.690

Patterns that look alike in the Atlas (endosomes and lysosomes; centrosome and microtubule organizing center) share a
painter, or its idea, with other numbers, and are as hard to tell apart as those numbers make them.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.data import Dataset, Info
from ...simulation.human.crops import SHAPE, simulate
from ...simulation.human.structures import Structure
from ...simulation.planning import SEED
from ..registry import dataset
from .hpa import HPA10, HPA28
from .simulated import assemble

ATLAS = HPA28.labels
TEN = HPA10.labels  # each is one of the 28 by name
CHANNELS = HPA28.channels
SIZES = {"train": 1200, "val": 400, "test": 600}
INFO = Info(
    licence="MIT (simulated by cellbench)",
    citation=(
        "Simulated by cellbench; labels, their combinations and the four stains follow the Human Protein Atlas "
        "(proteinatlas.org) and its contest on Kaggle in 2018 (Ouyang et al., Nature Methods 16, 2019)."
    ),
    synthetic=True,
    notes=(
        "Simulated images, not photographs: no claim about real cells can rest on them.",
        "A slide holds one antibody, so one combination of labels; slides don't straddle the split.",
        "Labels too rare for a part of this size are on a few single-image slides there, so they are more frequent "
        "than in the Atlas.",
    ),
)


def build(name: str, classes: tuple[str, ...], scratch: Path, source: Path | None) -> Dataset:
    """Simulate 1,200 / 400 / 600 images in train / val / test, in seconds."""
    return simulate_dataset(name, SIZES, classes)


def places(classes: Iterable[str]) -> tuple[Structure, ...]:
    """Return the simulation's structures for these classes; they are numbered as in the contest."""
    return tuple(Structure(ATLAS.index(name)) for name in classes)


def simulate_dataset(name: str, sizes: Mapping[str, int], classes: tuple[str, ...], seed: int = SEED) -> Dataset:
    """Simulate a data set. sizes: the number of images in each part."""

    def fill(part: str, out: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        crops = simulate(sizes[part], part, places(classes), seed, out=out)
        return crops.labels, crops.slides

    return assemble(name, sizes, SHAPE, fill, classes=classes, channels=CHANNELS, split="by-slide", info=INFO)


for _name, _classes, _labels in (
    ("synthetic-hpa", TEN, "10 labels in the Human Protein Atlas's combinations"),
    ("synthetic-hpa28", ATLAS, "all 28 labels of the Human Protein Atlas's contest"),
):
    dataset(
        _name,
        summary=f"simulated human cells, {_labels}, several an image",
        licence=INFO.licence,
        size=f"{sum(SIZES.values()):,} images, {SHAPE[1]}×{SHAPE[2]}",
        classes=_classes,
        channels=CHANNELS,
        made_on_demand=True,
        revision=1,
        defaults={"epochs": 12},
    )(partial(build, _name, _classes))
