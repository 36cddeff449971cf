"""Patterns of a protein that are lines and dots: filaments, vesicles, bodies, spindles and bridges.

Units and tensors are those of `renderer`.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ..drawing import Draws
from .cells import Cells
from .points import (
    Points,
    Scene,
    discs,
    in_cell,
    in_nucleus,
    join,
    near_nucleus,
    near_pole,
    pixel,
    repeat_rows,
    rings,
    worms,
)
from .structures import Structure


def trace_microtubules(scene: Scene) -> Points:
    """Filaments from the centrosome and from around the nucleus to the rim; in mitosis, a spindle."""
    cells, draws = scene.cells, scene.draws
    resting = (~cells.mitotic).nonzero()[:, 0]
    cell = repeat_rows(resting, 42.0, draws)
    heading = draws.angle(len(cell))
    x, y = cells.pole_x[cell], cells.pole_y[cell]
    aster = worms(cell, x, y, heading, draws, steps=38, step=1.6, curl=1.3, wiggle=0.2, light=0.42)
    cell = repeat_rows(resting, 70.0, draws)
    x, y, outward = near_nucleus(cells, cell, draws, 0.12)
    heading = outward + 0.8 * draws.normal(len(cell))
    others = worms(cell, x, y, heading, draws, steps=26, step=1.6, curl=1.4, wiggle=0.3, light=0.42)
    together = join(aster, others, trace_spindles(scene))
    # Filaments above and below the nucleus are seen too, but few are in the focal plane.
    passing = scene.maps.nucleus.flatten()[pixel(cells, together)] * ~cells.mitotic[together.cell]
    return Points(together.cell, together.x, together.y, together.light * (1 - 0.7 * passing), "cell")


def trace_spindles(scene: Scene) -> Points:
    """Two poles beside the plate, with fibres between them and a few to the rim."""
    cells, draws = scene.cells, scene.draws
    cell = repeat_rows(cells.mitotic.nonzero()[:, 0], 34.0, draws, least=20)
    host = cells[cell]
    side = torch.where(draws.chance(0.5, len(cell)), 1.0, -1.0)
    axis = host.nucleus_tilt + math.pi / 2
    gap = side * 0.62 * host.nucleus_long
    x, y = host.nucleus_x + gap * torch.cos(axis), host.nucleus_y + gap * torch.sin(axis)
    on_plate = 0.75 * host.nucleus_long * draws.uniform(len(cell), low=-1, high=1)
    to_x = host.nucleus_x + on_plate * torch.cos(host.nucleus_tilt) - x
    to_y = host.nucleus_y + on_plate * torch.sin(host.nucleus_tilt) - y
    heading = torch.where(draws.chance(0.8, len(cell)), torch.atan2(to_y, to_x), draws.angle(len(cell)))
    return worms(cell, x, y, heading, draws, steps=11, step=1.1, light=0.42, curl=0.4, where="cell")


def trace_bridges(cells: Cells, pairs: Tensor, draws: Draws) -> Points:
    """The thin bridge between two cells that have just divided, brightest on both sides of its middle."""
    one, other = cells[pairs[:, 0]], cells[pairs[:, 1]]
    heading = torch.atan2(other.y - one.y, other.x - one.x)
    middle = one.reach(heading) / (one.reach(heading) + other.reach(heading + math.pi))
    x, y = one.x + middle * (other.x - one.x), one.y + middle * (other.y - one.y)
    start_x, start_y = x - 8 * torch.cos(heading), y - 8 * torch.sin(heading)
    lines = [
        worms(pairs[:, 0], start_x, start_y, heading + tilt, draws, steps=16, step=1.0, light=1.1, curl=0.12, where="")
        for tilt in (-0.03, 0.03)
    ]
    return join(*lines)


Tracer = Callable[[Scene, Tensor], Points]


def _nucleoli_centres(scene: Scene, rows: Tensor) -> Points:
    """A few small dots in each nucleolus."""
    x, y, radius = (value[rows] for value in scene.nucleoli)
    cell, blob = (radius > 0).nonzero(as_tuple=True)
    pick = repeat_rows(torch.arange(len(cell)), 3.5, scene.draws, least=2)
    cell, blob = cell[pick], blob[pick]
    angle, size = scene.draws.angle(len(pick)), radius[cell, blob]
    distance = 0.75 * size * scene.draws.uniform(len(pick)).sqrt()
    x, y = x[cell, blob] + distance * torch.cos(angle), y[cell, blob] + distance * torch.sin(angle)
    return discs(rows[cell], x, y, scene.draws.uniform(len(pick), low=0.3, high=0.9), scene.draws, where="nucleus")


def _nuclear_bodies(scene: Scene, rows: Tensor) -> Points:
    """A few dots in the nucleus."""
    cell = repeat_rows(rows, 6.0, scene.draws, least=2)
    x, y = in_nucleus(scene.cells, cell, scene.draws)
    size = scene.draws.uniform(len(cell), low=0.4, high=1.4)
    return discs(cell, x, y, size, scene.draws, light=1.1, where="nucleus")


def _golgi(scene: Scene, rows: Tensor) -> Points:
    """A bundle of short ribbons beside the nucleus."""
    cell = repeat_rows(rows, 24.0, scene.draws, least=10)
    x, y, heading = near_pole(scene.cells, cell, scene.draws, 7.0, 0.45)
    heading = heading + 0.8 * scene.draws.normal(len(cell))
    return worms(cell, x, y, heading, scene.draws, steps=7, curl=1.5, light=0.8)


def _vesicles(number: float, low: float, high: float, scale: float | None, light: float = 1.0) -> Tracer:
    """Return a tracer that draws about `number` dots in each cell, of radii from `low` to `high`.

    scale: that of `near_nucleus`; None spreads the dots all over the cytoplasm.
    """

    def trace(scene: Scene, rows: Tensor) -> Points:
        cell = repeat_rows(rows, number * scene.draws.factor(0.3, len(rows)), scene.draws, least=3)
        if scale is None:
            x, y, _ = in_cell(scene.cells, cell, scene.draws)
        else:
            x, y, _ = near_nucleus(scene.cells, cell, scene.draws, scale)
        size = scene.draws.uniform(len(cell), low=low, high=high)
        return discs(cell, x, y, size, scene.draws, light=light)

    return trace


def _intermediate_filaments(scene: Scene, rows: Tensor) -> Points:
    """Many wavy filaments from around the nucleus."""
    cell = repeat_rows(rows, 90.0, scene.draws)
    x, y, outward = near_nucleus(scene.cells, cell, scene.draws, 0.12)
    heading = outward + 1.1 * scene.draws.normal(len(cell))
    return worms(cell, x, y, heading, scene.draws, steps=28, step=1.3, curl=2.2, wiggle=0.55, light=0.4)


def _actin(scene: Scene, rows: Tensor) -> Points:
    """Long, nearly parallel fibres."""
    direction = scene.draws.angle(len(scene.cells))
    cell = repeat_rows(rows, 20.0, scene.draws, least=8)
    x, y, _ = in_cell(scene.cells, cell, scene.draws)
    heading = direction[cell] + 0.1 * scene.draws.normal(len(cell))
    back = 24.0
    x, y = x - back * torch.cos(heading), y - back * torch.sin(heading)
    return worms(cell, x, y, heading, scene.draws, steps=40, curl=0.12, light=0.7, where="cell")


def _focal_adhesions(scene: Scene, rows: Tensor) -> Points:
    """Short bars that point outward, near the rim."""
    cell = repeat_rows(rows, 26.0, scene.draws, least=8)
    x, y, outward = in_cell(scene.cells, cell, scene.draws, 0.5, 0.94)
    heading = outward + 0.25 * scene.draws.normal(len(cell))
    return worms(cell, x, y, heading, scene.draws, steps=6, step=0.9, light=1.2, where="cell")


def _microtubule_ends(scene: Scene, rows: Tensor) -> Points:
    """Short bright pieces towards the rim."""
    cell = repeat_rows(rows, 34.0, scene.draws, least=10)
    x, y, outward = in_cell(scene.cells, cell, scene.draws, 0.35, 0.95)
    heading = outward + 0.5 * scene.draws.normal(len(cell))
    return worms(cell, x, y, heading, scene.draws, steps=3, step=0.9, light=0.9)


def _organizing_center(scene: Scene, rows: Tensor) -> Points:
    """A loose cluster of dots at the centrosome's place."""
    cells, draws = scene.cells, scene.draws
    cell = repeat_rows(rows, 9.0, draws, least=4)
    x, y = (place[cell] + 1.9 * draws.normal(len(cell)) for place in (cells.pole_x, cells.pole_y))
    return discs(cell, x, y, draws.uniform(len(cell), low=0.4, high=1.4), draws, light=0.5, where="cell")


def _centrosome(scene: Scene, rows: Tensor) -> Points:
    """One or two bright dots."""
    cells, draws = scene.cells, scene.draws
    cell = torch.cat([rows, rows[draws.chance(0.6, len(rows))]])
    x, y = (place[cell] + 1.3 * draws.normal(len(cell)) for place in (cells.pole_x, cells.pole_y))
    return discs(cell, x, y, draws.uniform(len(cell), low=0.3, high=0.9), draws, light=2.2, where="cell")


def _lipid_droplets(scene: Scene, rows: Tensor) -> Points:
    cell = repeat_rows(rows, 22.0 * scene.draws.factor(0.4, len(rows)), scene.draws, least=6)
    x, y, _ = near_nucleus(scene.cells, cell, scene.draws, 0.22)
    return rings(cell, x, y, scene.draws.uniform(len(cell), low=1.3, high=2.8), scene.draws, light=0.9)


def _mitochondria(scene: Scene, rows: Tensor) -> Points:
    """Short curved tubes, ever fewer away from the nucleus."""
    cell = repeat_rows(rows, 75.0, scene.draws, least=30)
    x, y, outward = near_nucleus(scene.cells, cell, scene.draws, 0.26)
    heading = outward + 1.0 * scene.draws.normal(len(cell))
    return worms(cell, x, y, heading, scene.draws, steps=9, step=1.1, curl=1.5, wiggle=0.4, light=0.6)


def _aggresome(scene: Scene, rows: Tensor) -> Points:
    draws = scene.draws
    x, y, _ = near_pole(scene.cells, rows, draws, 4.0, 0.2)
    return discs(rows, x, y, draws.uniform(len(rows), low=3.2, high=5.5), draws, light=1.4)


def _rods_and_rings(scene: Scene, rows: Tensor) -> Points:
    """A few straight rods and a few rings."""
    draws = scene.draws
    cell = repeat_rows(rows, 2.5, draws)
    x, y, _ = near_nucleus(scene.cells, cell, draws, 0.25, gap=4)
    rods = worms(cell, x, y, draws.angle(len(cell)), draws, steps=9, step=0.9, curl=0.3, light=1.5)
    cell = repeat_rows(rows, 1.2, draws)
    x, y, _ = near_nucleus(scene.cells, cell, draws, 0.25, gap=4)
    return join(rods, rings(cell, x, y, draws.uniform(len(cell), low=2.0, high=3.5), draws, light=1.4))


# Patterns made of lines and dots.
TRACERS: dict[Structure, Tracer] = {
    Structure.NUCLEOLI_FIBRILLAR_CENTER: _nucleoli_centres,
    Structure.NUCLEAR_BODIES: _nuclear_bodies,
    Structure.GOLGI_APPARATUS: _golgi,
    Structure.PEROXISOMES: _vesicles(60, 0.2, 0.6, None, 0.8),
    Structure.ENDOSOMES: _vesicles(20, 0.8, 1.7, 0.3),
    Structure.LYSOSOMES: _vesicles(26, 0.9, 2.2, 0.13),
    Structure.INTERMEDIATE_FILAMENTS: _intermediate_filaments,
    Structure.ACTIN_FILAMENTS: _actin,
    Structure.FOCAL_ADHESION_SITES: _focal_adhesions,
    Structure.MICROTUBULE_ENDS: _microtubule_ends,
    Structure.MICROTUBULE_ORGANIZING_CENTER: _organizing_center,
    Structure.CENTROSOME: _centrosome,
    Structure.LIPID_DROPLETS: _lipid_droplets,
    Structure.MITOCHONDRIA: _mitochondria,
    Structure.AGGRESOME: _aggresome,
    Structure.CYTOPLASMIC_BODIES: _vesicles(7, 0.8, 2.0, None, 1.3),
    Structure.RODS_RINGS: _rods_and_rings,
}
