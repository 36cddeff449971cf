"""Draws simulated human cells as in the Human Protein Atlas: geometry, four stains, a confocal microscope, a camera.

Units: pixels from the crop's centre and radians; brightness in units of a pattern's bright structures. Tensors over
cells are (m,), over crops and pixels (crops, pixels); the pixels are those of the crop and of a margin around it. Cells
in a layer hardly overlap, so each pixel belongs to one cell, its owner, and is drawn once however many cells there are.

Bytes depend on the seed alone, as with the simulated yeast: a generator and a thread for each chunk, double precision.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..drawing import Draws, draw_chunks
from .cells import CANVAS, Slides, place_cells
from .maps import draw_maps
from .microscope import expose, focus, splat
from .points import Scene
from .stains import stain_areas, stain_er, stain_microtubules, stain_nucleus, stain_structures
from .tracers import trace_bridges, trace_microtubules

CHUNK = 8  # part of what defines the images: another size makes other images


def render(slides: Mapping[str, NDArray], shown: NDArray[np.int64], seeds: NDArray, out: NDArray[np.uint8]) -> None:
    """Draw n crops and write them to `out`, (n, 4, SIDE, SIDE).

    slides: the conditions of each slide, columns (slides,) by name, and `weights`, (slides, 28), of the Atlas's
    patterns in its contest's order. shown: (n,), the slide that each crop comes from, its row in `slides`. seeds: one
    for each CHUNK of crops. Uses as many threads as torch is set to.
    """
    draw_chunks(render_chunk, slides, shown, seeds, out, CHUNK)


def render_chunk(slides: Slides, shown: Tensor, draws: Draws) -> Tensor:
    """Draw crops, (crops, 4, SIDE, SIDE) uint8: microtubules, protein, nucleus, endoplasmic reticulum."""
    conditions = {name: column[shown] for name, column in slides.items()}  # of each crop's slide
    cells, sisters = place_cells(conditions, draws)
    maps, nucleoli = draw_maps(cells, len(shown), conditions, draws)
    scene = Scene(cells, maps, nucleoli, draws)
    filaments = trace_microtubules(scene)
    bridges = trace_bridges(cells, sisters, draws)
    expression = torch.exp(conditions["expression_sigma"][cells.crop] * draws.normal(len(cells)))
    protein = stain_areas(scene, conditions, expression)
    points = stain_structures(scene, conditions, expression, filaments, bridges)
    stains = [stain_microtubules(scene), protein, stain_nucleus(scene), stain_er(scene, conditions)]
    dense = torch.stack([stain.view(-1, CANVAS, CANVAS) for stain in stains], 1)
    sparse = splat(scene, [(0, filaments), (0, bridges), *points], len(shown))
    return expose(focus(dense, sparse, conditions, draws), conditions, draws)
