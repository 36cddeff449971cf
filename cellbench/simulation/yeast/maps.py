"""Shapes of simulated yeast cells on the canvas: distances to outlines, soft masks and random fields.

Units and tensors are those of `renderer`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..drawing import REAL, Draws
from .cells import CANVAS, VARIATION, Cells, Organelles

SOFTNESS = 1.3  # slope, per pixel, of the sigmoid that outlines have before blur
NOWHERE = 99.0  # distance, in pixels, to an organelle that a cell doesn't have


@dataclass(frozen=True)
class Maps:
    """Shapes on the canvas, (m, pixels): signed distances (negative inside), soft masks and smooth random fields."""

    x: Tensor
    y: Tensor
    edge: Tensor
    body: Tensor
    nucleus_edge: Tensor
    nucleus: Tensor
    vacuole_edge: Tensor
    vacuole: Tensor
    grain: Tensor
    lumps: Tensor


def draw_maps(cells: Cells, organelles: Organelles, crops: int, draws: Draws) -> Maps:
    """Signed distances and soft masks of each cell and its organelles; outlines are bent by the random fields."""
    m = len(cells)
    # One field a crop serves all its cells: they lie apart, and a field costs as much as a cell.
    bend = smooth_field(crops, 7, draws)
    grain = 0.6 * smooth_field(crops, 9, draws) + 0.7 * smooth_field(crops, 19, draws)
    lumps = 0.5 * smooth_field(crops, 12, draws) + 0.9 * smooth_field(crops, 24, draws)
    bend, grain, lumps = bend[cells.crop], grain[cells.crop], lumps[cells.crop]
    grid = torch.arange(CANVAS, dtype=REAL) - (CANVAS - 1) / 2
    x = (grid.expand(CANVAS, -1).reshape(1, -1) - cells.x[:, None]).contiguous()
    y = (grid[:, None].expand(-1, CANVAS).reshape(1, -1) - cells.y[:, None]).contiguous()

    rho_squared = _ellipse(x, y, *cells.axes, cells.tilt)
    irregular = (VARIATION.outline_sigma * draws.factor(0.4, m) * cells.radius / 17)[:, None]
    edge = (rho_squared.sqrt() - 1) * cells.radius[:, None] + irregular * bend
    inside = torch.sigmoid(-SOFTNESS * edge)
    roundness = draws.uniform(m, low=0.15, high=0.55)[:, None]  # of the body, seen in its brightness
    body = inside * (1 - roundness + 1.25 * roundness * (1 - rho_squared).clamp(min=0).sqrt())
    nucleus_edge = _nucleus_edge(x, y, organelles, draws) + 0.9 * irregular * lumps
    vacuole_edge = _vacuole_edge(x, y, organelles) + irregular * lumps
    return Maps(
        x=x,
        y=y,
        edge=edge,
        body=body,
        nucleus_edge=nucleus_edge,
        nucleus=torch.sigmoid(-SOFTNESS * nucleus_edge),
        vacuole_edge=vacuole_edge,
        vacuole=torch.sigmoid(-SOFTNESS * vacuole_edge) * inside,
        grain=grain,
        lumps=lumps,
    )


def _nucleus_edge(x: Tensor, y: Tensor, organelles: Organelles, draws: Draws) -> Tensor:
    """Signed distance to a slightly oval nucleus."""
    m = len(x)
    radius = organelles.nucleus_radius
    squeeze = draws.uniform(m, low=1.0, high=1.14)
    axes = radius.clamp(min=1e-3) * squeeze, radius.clamp(min=1e-3) / squeeze
    from_centre = x - organelles.nucleus_x[:, None], y - organelles.nucleus_y[:, None]
    rho = _ellipse(*from_centre, *axes, draws.uniform(m, high=math.pi)).sqrt()
    return torch.where(radius[:, None] > 0, (rho - 1) * radius[:, None], NOWHERE)


def _vacuole_edge(x: Tensor, y: Tensor, organelles: Organelles) -> Tensor:
    """Signed distance to the nearer one of two round vacuoles."""
    distance = [
        torch.hypot(x - organelles.vacuole_x[:, [i]], y - organelles.vacuole_y[:, [i]])
        - torch.where(organelles.vacuole_radius > 0, organelles.vacuole_radius, -NOWHERE)[:, [i]]
        for i in range(2)
    ]
    return torch.minimum(*distance)


def smooth_field(crops: int, knots: int, draws: Draws) -> Tensor:
    """Return a smooth random field of about unit variance, (crops, pixels); the more knots, the finer."""
    coarse = draws.normal(crops, 1, knots, knots)
    fine = torch.nn.functional.interpolate(coarse, size=(CANVAS, CANVAS), mode="bicubic", align_corners=True)
    return fine.reshape(crops, -1)


def _ellipse(x: Tensor, y: Tensor, long: Tensor, short: Tensor, tilt: Tensor) -> Tensor:
    """Return the squared distance from an ellipse's centre in units of its outline, so 1 on the outline."""
    cos, sin = torch.cos(tilt), torch.sin(tilt)
    xx = (cos / long) ** 2 + (sin / short) ** 2
    yy = (sin / long) ** 2 + (cos / short) ** 2
    xy = 2 * cos * sin * (1 / long**2 - 1 / short**2)
    return ((xx[:, None] * x + xy[:, None] * y) * x + yy[:, None] * y * y).clamp_(min=1e-6)
