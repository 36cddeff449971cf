"""Draws simulated yeast cells: geometry, two stains, a microscope and a camera, a chunk of crops at a time.

Units: pixels from the crop's centre and radians; brightness in units of the camera's background. Tensors over cells
are (m,), over cells and pixels (m, pixels); the pixels are those of the crop and a margin that blur reaches into.

Bytes depend on the seed alone. Every chunk has its own generator and is drawn by one thread, so neither the number of
threads nor the size of the data set can change a chunk. Arithmetic is in double precision: another CPU rounds
differently in the 16th digit, which in single precision would turn thousands of grey values over and here none.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..drawing import Draws, draw_chunks
from .cells import Wells, lay_out, place_cells
from .dots import scatter_dots, trace_tubes
from .maps import draw_maps
from .microscope import collect, expose, focus
from .stains import protein_peak, stain_cell, stain_protein

CHUNK = 16  # part of what defines the images: another size makes other images


def render(wells: Mapping[str, NDArray], shown: NDArray[np.int64], seeds: NDArray, out: NDArray[np.uint8]) -> None:
    """Draw one crop for each entry of `shown`, the row of `wells` that it looks like, into `out`.

    out: (n, 2, SIDE, SIDE); seeds: one for each CHUNK of crops. Uses as many threads as torch is set to.
    """
    draw_chunks(render_chunk, wells, shown, seeds, out, CHUNK)


def render_chunk(wells: Wells, shown: Tensor, draws: Draws) -> Tensor:
    """Draw crops, (crops, 2, SIDE, SIDE) uint8: cell stain and protein."""
    crops = len(shown)
    conditions = {name: column[shown] for name, column in wells.items()}  # of each crop's well
    cells = place_cells(conditions, crops, draws)
    well = {name: column[cells.crop] for name, column in conditions.items()}  # of each cell's well
    organelles = lay_out(cells, well, draws)
    maps = draw_maps(cells, organelles, crops, draws)
    peak = protein_peak(well, len(cells), draws)
    stain = stain_cell(cells, well, maps, draws)
    protein = stain_protein(cells, organelles, well, maps, peak, draws)
    dots = [*scatter_dots(cells, organelles, well, peak, draws), *trace_tubes(cells, well, peak, draws)]
    light = collect(cells, stain, protein, dots, crops, draws)
    return expose(*focus(light, conditions, draws), conditions, draws)
