"""Shapes of simulated human cells on the canvas: which cell owns each pixel, soft masks, nucleoli and random fields.

Units and tensors are those of `renderer`.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from ..drawing import REAL, Draws
from .cells import CANVAS, NOWHERE, SLOTS, VARIATION, Cells, Slides


@dataclass(frozen=True)
class Maps:
    """What lies where, (crops, pixels): owners, distances in pixels (negative inside), soft masks and random fields."""

    owner: Tensor
    edge: Tensor
    border: Tensor
    inside: Tensor
    nucleus_edge: Tensor
    nucleus: Tensor
    nucleoli: Tensor
    cytoplasm: Tensor
    coarse: Tensor
    fine: Tensor
    mesh: Tensor

    def on_pixels(self, per_cell: Tensor) -> Tensor:
        """Return, for every pixel, (crops, pixels), the value of the cell that owns it. per_cell: (m,)."""
        return per_cell[self.owner]


def draw_maps(cells: Cells, crops: int, conditions: Slides, draws: Draws) -> tuple[Maps, tuple[Tensor, Tensor, Tensor]]:
    """Return the maps of all crops, and the nucleoli: x, y and radius, (m, 4) each."""
    bend = smooth_field(crops, 12, draws)
    coarse = smooth_field(crops, 22, draws)
    fine = 0.6 * smooth_field(crops, 45, draws) + 0.8 * smooth_field(crops, 80, draws)
    mesh = torch.minimum(smooth_field(crops, 30, draws).abs(), smooth_field(crops, 38, draws).abs())

    grid = torch.arange(CANVAS, dtype=REAL) - (CANVAS - 1) / 2
    across, down = grid.expand(CANVAS, -1).reshape(1, -1), grid[:, None].expand(-1, CANVAS).reshape(1, -1)
    outlines = torch.full((crops, SLOTS, CANVAS**2), NOWHERE, dtype=REAL)
    outlines[cells.crop, cells.slot] = _outlines(cells)
    nearest, slot = outlines.min(1)
    second = outlines.scatter_(1, slot[:, None], NOWHERE).amin(1)
    row = torch.zeros(crops, SLOTS, dtype=torch.long)
    row[cells.crop, cells.slot] = torch.arange(len(cells))
    owner = row.gather(1, slot)

    radius = cells.radius[owner]
    border = 0.5 * (nearest - second) * radius
    edge = torch.maximum((nearest - 1 + VARIATION.bend * bend) * radius, border + 0.6 + 0.5 * bend)
    inside = torch.sigmoid(-1.5 * edge)

    cos, sin = torch.cos(cells.nucleus_tilt)[owner], torch.sin(cells.nucleus_tilt)[owner]
    x, y = across - cells.nucleus_x[owner], down - cells.nucleus_y[owner]
    long, short = cells.nucleus_long[owner], cells.nucleus_short[owner]
    rho = torch.hypot((x * cos + y * sin) / long, (y * cos - x * sin) / short)
    nucleus_edge = (rho - 1) * (long * short).sqrt() + 0.45 * bend + 0.25 * coarse
    nucleus = torch.sigmoid(-1.7 * nucleus_edge) * inside

    blobs = _place_nucleoli(cells, conditions, draws)
    distance = torch.full_like(x, NOWHERE)
    for i in range(blobs[0].shape[1]):
        dx, dy = across - blobs[0][:, i][owner], down - blobs[1][:, i][owner]
        distance = torch.minimum(distance, torch.hypot(dx, dy) - blobs[2][:, i][owner])
    nucleoli = torch.sigmoid(-1.6 * (distance + 0.7 * coarse)) * nucleus

    # A spread cell is thick at its nucleus and thin at its rim.
    thickness = 0.3 + 0.7 * torch.exp(-nucleus_edge.clamp(min=0) / (0.42 * radius))
    maps = Maps(
        owner=owner,
        edge=edge,
        border=border,
        inside=inside,
        nucleus_edge=nucleus_edge,
        nucleus=nucleus,
        nucleoli=nucleoli,
        cytoplasm=inside * thickness * (1 - 0.85 * nucleus),
        coarse=coarse,
        fine=fine,
        mesh=mesh,
    )
    return maps, blobs


def _outlines(cells: Cells) -> Tensor:
    """Return pixels' distances from each cell's centre in units of its outline there, (m, pixels).

    They are computed at half the resolution and interpolated.
    """
    knots = CANVAS // 2
    weights = _interpolation(knots, "bilinear")
    grid = torch.linspace(-(CANVAS - 1) / 2, (CANVAS - 1) / 2, knots, dtype=REAL)
    x = grid.expand(knots, -1).reshape(1, -1) - cells.x[:, None]
    y = grid[:, None].expand(-1, knots).reshape(1, -1) - cells.y[:, None]
    far = torch.hypot(x, y).clamp_(min=1e-3)
    cos, sin = torch.cos(cells.tilt)[:, None] / far, torch.sin(cells.tilt)[:, None] / far
    outline = far / cells.shape(x * cos + y * sin, y * cos - x * sin)
    return (weights @ outline.view(-1, knots, knots) @ weights.T).reshape(len(cells), -1)


def _place_nucleoli(cells: Cells, conditions: Slides, draws: Draws) -> tuple[Tensor, Tensor, Tensor]:
    """x, y and radius (m, 4) of a nucleus's one to four nucleoli; a radius below 0 means there is none."""
    m, slots = len(cells), 4
    number = (1 + draws.poisson(conditions["nucleoli"][cells.crop])).clamp(max=slots)[:, None]
    rho, angle = 0.68 * draws.uniform(m, slots).sqrt(), draws.angle(m, slots)
    u, v = cells.nucleus_long[:, None] * rho * torch.cos(angle), cells.nucleus_short[:, None] * rho * torch.sin(angle)
    cos, sin = torch.cos(cells.nucleus_tilt)[:, None], torch.sin(cells.nucleus_tilt)[:, None]
    size = draws.uniform(m, slots, low=0.16, high=0.34) * cells.nucleus_short[:, None] * (2 / number) ** 0.25
    there = (torch.arange(slots)[None] < number) & ~cells.mitotic[:, None]
    return (
        cells.nucleus_x[:, None] + cos * u - sin * v,
        cells.nucleus_y[:, None] + sin * u + cos * v,
        torch.where(there, size, -NOWHERE),
    )


def smooth_field(crops: int, knots: int, draws: Draws) -> Tensor:
    """Return a smooth random field of about unit variance, (crops, pixels); the more knots, the finer."""
    weights = _interpolation(knots, "bicubic")
    weights = weights / weights.square().sum(1, keepdim=True).sqrt()  # noise keeps its variance between knots
    return (weights @ draws.normal(crops, knots, knots) @ weights.T).reshape(crops, -1)


@cache
def _interpolation(knots: int, mode: str) -> Tensor:
    """(CANVAS, knots) weights of interpolation along one axis, from knots that span the canvas."""
    eye = torch.eye(knots, dtype=REAL)[None, None]
    return torch.nn.functional.interpolate(eye, size=(CANVAS, knots), mode=mode, align_corners=True)[0, 0]
