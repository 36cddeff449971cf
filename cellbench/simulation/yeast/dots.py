"""Dots and tubes in simulated yeast cells, as points of light: vesicles, spindle poles and mitochondria.

Units and tensors are those of `renderer`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..drawing import REAL, Draws
from .cells import Cells, Organelles, Wells


@dataclass(frozen=True)
class Dots:
    """Points of light: the crop and the layer (0 in focus, 1 near, 2 far) of each, its place and its light."""

    crop: Tensor
    layer: Tensor
    x: Tensor
    y: Tensor
    light: Tensor


def scatter_dots(cells: Cells, organelles: Organelles, well: Wells, peak: Tensor, draws: Draws) -> list[Dots]:
    """Return the vesicles and the spindle poles of all cells, in this order."""
    return [
        _scatter_vesicles(cells, organelles, well, peak, draws),
        _place_spindle_poles(cells, organelles, well, peak, draws),
    ]


def _scatter_vesicles(cells: Cells, organelles: Organelles, well: Wells, peak: Tensor, draws: Draws) -> Dots:
    """Vesicles in the cytoplasm, kept out of the vacuole or sitting on its rim."""
    m = len(cells)
    room = torch.where(cells.bud, (cells.radius / 14).clamp(max=1) ** 1.5, 1.0)
    number = draws.poisson(well["vesicles"] * room)
    number = torch.where((well["vesicles"] > 1) & ~cells.bud & draws.chance(0.85, m), number.clamp(min=1), number)
    cell = torch.repeat_interleave(torch.arange(m), number.long())
    n = len(cell)
    x, y = _within(cells, cell, 0.88 * draws.uniform(n).sqrt(), draws.angle(n))
    host_x, host_y = organelles.vacuole_x[cell, 0], organelles.vacuole_y[cell, 0]
    radius = organelles.vacuole_radius[cell, 0]
    distance = torch.hypot(x - host_x, y - host_y).clamp(min=1e-3)
    on_rim = draws.uniform(n) < well["vesicles_on_vacuole"][cell]
    pushed_out = (distance < radius + 1.2) & draws.chance(0.8, n)
    moved = torch.where((radius > 0) & (on_rim | pushed_out), (radius + 1.2) / distance, 1.0)
    x, y = host_x + moved * (x - host_x), host_y + moved * (y - host_y)
    return _dots(cells, cell, x, y, well, peak, 0.4, draws)


def _place_spindle_poles(cells: Cells, organelles: Organelles, well: Wells, peak: Tensor, draws: Draws) -> Dots:
    """One or two poles on the nucleus. Once the pole has doubled, its copy wanders to the other side."""
    m = len(cells)
    poles = (well["spindle_poles"] > 0) & ~(cells.bud & draws.chance(0.7, m)) & (organelles.nucleus_radius > 0)
    second = poles & (draws.uniform(m) < well["spindle_poles"] - 1)
    side = draws.angle(m)
    opposite = side + math.pi + 0.9 * draws.normal(m)
    cell = torch.cat([poles.nonzero()[:, 0], second.nonzero()[:, 0]])
    side = torch.cat([side[poles], opposite[second]])
    distance = organelles.nucleus_radius[cell] * draws.uniform(len(cell), low=0.85, high=1.1)
    x = organelles.nucleus_x[cell] + distance * torch.cos(side)
    y = organelles.nucleus_y[cell] + distance * torch.sin(side)
    return _dots(cells, cell, x, y, well, peak, 0.3, draws)


def _within(cells: Cells, cell: Tensor, rho: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Return x and y, from the centres of the cells numbered `cell`, of places in polar coordinates of their ellipses.

    rho: 0 at the centre and 1 on the outline. angle: 0 along the long axis.
    """
    extra = (1,) * (rho.ndim - 1)
    long, short, tilt = (value[cell].reshape(-1, *extra) for value in (*cells.axes, cells.tilt))
    u, v = long * rho * torch.cos(angle), short * rho * torch.sin(angle)
    return torch.cos(tilt) * u - torch.sin(tilt) * v, torch.sin(tilt) * u + torch.cos(tilt) * v


def _dots(
    cells: Cells, cell: Tensor, x: Tensor, y: Tensor, well: Wells, peak: Tensor, sigma: float, draws: Draws
) -> Dots:
    """Return dots at places x, y from their cells' centres. sigma: that of the log-normal factor of their light."""
    layer = _layers(cell, well, draws)
    # A dot out of focus spreads its light; much of what is seen of it comes from clusters, hence more of it.
    share = torch.tensor([0.75, 1.5, 2.0], dtype=REAL)[layer]
    light = well["dot_light"][cell] * peak[cell] * draws.factor(sigma, len(cell)) * share * 2 * math.pi * 1.5**2
    return Dots(cells.crop[cell], layer, x + cells.x[cell], y + cells.y[cell], light)


def _layers(cell: Tensor, well: Wells, draws: Draws) -> Tensor:
    """The layer of each dot, by how often dots of its well are in focus (0), near it (1) or far from it (2)."""
    depth = draws.uniform(len(cell))
    sharp = well["dots_in_focus"][cell]
    return (depth >= sharp).long() + (depth >= sharp + well["dots_near_focus"][cell]).long()


def trace_tubes(cells: Cells, well: Wells, peak: Tensor, draws: Draws, steps: int = 24) -> list[Dots]:
    """Mitochondria: curved tubes that mostly follow the outline, each a row of dots of varying light."""
    mean = well["tubes"] * torch.where(cells.bud, (cells.radius / 14).clamp(max=1) ** 1.5, 1.0)
    number = torch.where(well["tubes"] > 0.5, draws.poisson(mean).clamp(min=2), 0.0)
    cell = torch.repeat_interleave(torch.arange(len(cells)), number.long())
    n = len(cell)
    along = torch.linspace(0, 1, steps, dtype=REAL)[None]
    wave = torch.sin(2 * math.pi * (along * draws.uniform(n, 1, low=0.5, high=1.5) + draws.uniform(n, 1)))
    rho = draws.uniform(n, 1, low=0.45, high=0.87) + 0.13 * wave + draws.uniform(n, 1, low=-0.11, high=0.11) * along
    turn = draws.uniform(n, 1, low=-2.8, high=2.8) * along
    inward = draws.chance(0.25, n, 1)
    rho = torch.where(inward, 0.85 * (1 - 1.5 * along * draws.uniform(n, 1)), rho)
    angle = draws.angle(n, 1) + torch.where(inward, 0.3 * turn, turn)
    x, y = _within(cells, cell, rho, angle)
    spacing = torch.hypot(x.diff(dim=1), y.diff(dim=1)).mean(1, keepdim=True)
    beads = 1 + 0.8 * torch.sin(2 * math.pi * (along * draws.uniform(n, 1, low=1, high=3) + draws.uniform(n, 1)))
    light = 3.4 * spacing * beads * draws.factor(0.35, n, 1) * (well["dot_light"] * peak)[cell, None]
    layer = _layers(cell, well, draws)[:, None].expand(n, steps)
    crop = cells.crop[cell, None].expand(n, steps)
    x, y = x + cells.x[cell, None], y + cells.y[cell, None]
    return [Dots(*(value.reshape(-1) for value in (crop, layer, x, y, light)))]
