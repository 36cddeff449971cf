"""Simulated human cells: planned, drawn and handed over as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..planning import SEED, generator
from .plan import plan
from .slides import CONDITIONS, Conditions, draw_slides
from .structures import Structure

SHAPE = (4, 128, 128)  # microtubules, protein, nucleus, endoplasmic reticulum


@dataclass(frozen=True, eq=False)
class Crops:
    """Simulated crops: images (n, 4, 128, 128) uint8, labels (n, places) bool, slides (n,) int64 from 0."""

    images: NDArray[np.uint8]
    labels: NDArray[np.bool_]
    slides: NDArray[np.int64]


def simulate(
    n: int,
    part: str,
    places: tuple[Structure, ...],
    seed: int = SEED,
    conditions: Conditions = CONDITIONS,
    out: NDArray[np.uint8] | None = None,
) -> Crops:
    """Simulate `n` crops. Another part or another seed has other slides.

    places: the structures that are labels; a crop has one or more of them. out: where to write the images, if given.
    """
    from . import renderer  # here, not above: listing the data sets must not wait for torch

    planned = plan(n, part, places, seed)
    images = np.empty((n, *SHAPE), np.uint8) if out is None else out
    labels = np.zeros((len(planned.slide_labels), len(Structure)), bool)
    labels[:, places] = planned.slide_labels
    slides = draw_slides(labels, conditions, generator(seed, part, "conditions"))
    seeds = generator(seed, part, "chunks").integers(2**32, size=-(-n // renderer.CHUNK))
    renderer.render(slides, planned.slides, seeds, images)
    return Crops(images, planned.labels, planned.slides)
