"""Points of light that draw lines, discs and rings, and places in a cell to put them.

Units and tensors are those of `renderer`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..drawing import REAL, Draws
from .cells import CANVAS, Cells
from .maps import Maps

SPREAD = 1.0  # sigma, in pixels, of a point of light as it is seen: sets how much light makes a line or dot bright


@dataclass(frozen=True)
class Points:
    """Points of light, (n,): the cell of each, its place and its light. Between them they draw lines and dots.

    where: the part of the point's cell in which its light is kept, "cell", "cytoplasm" or "nucleus"; "" keeps all.
    """

    cell: Tensor
    x: Tensor
    y: Tensor
    light: Tensor
    where: str = "cytoplasm"


@dataclass(frozen=True)
class Scene:
    """What a pattern is drawn from: cells, their maps, their nucleoli (x, y and radius), and random numbers."""

    cells: Cells
    maps: Maps
    nucleoli: tuple[Tensor, Tensor, Tensor]
    draws: Draws


def pixel(cells: Cells, points: Points) -> Tensor:
    """Return each point's index in flattened maps, (n,) int64; points off the canvas are moved to its rim."""
    x, y = ((place + (CANVAS - 1) / 2).round().long().clamp(0, CANVAS - 1) for place in (points.x, points.y))
    return cells.crop[points.cell] * CANVAS**2 + y * CANVAS + x


def worms(
    cell: Tensor,
    x: Tensor,
    y: Tensor,
    heading: Tensor,
    draws: Draws,
    *,
    steps: int,
    step: float = 1.2,
    curl: float = 0.0,
    wiggle: float = 0.0,
    light: float = 1.0,
    where: str = "cytoplasm",
    sigma: float = 0.3,
) -> Points:
    """Curved lines from (x, y), `steps` points each. curl: sigma of a line's whole turn; wiggle: size of its waves."""
    n = len(cell)
    along = torch.arange(steps, dtype=REAL)[None] / steps
    angle = heading[:, None] + curl * draws.normal(n, 1) * along
    if wiggle:
        angle = angle + wiggle * torch.sin(
            2 * math.pi * (along * draws.uniform(n, 1, low=1, high=3) + draws.uniform(n, 1))
        )
    x = x[:, None] + step * torch.cumsum(angle.cos(), 1)
    y = y[:, None] + step * torch.cumsum(angle.sin(), 1)
    amount = light * step * SPREAD * math.sqrt(2 * math.pi) * draws.factor(sigma, n)
    amount = amount[:, None].expand(n, steps)
    return Points(cell.repeat_interleave(steps), x.reshape(-1), y.reshape(-1), amount.reshape(-1), where)


def discs(
    cell: Tensor, x: Tensor, y: Tensor, radius: Tensor, draws: Draws, *, light: float = 1.0, where: str = "cytoplasm"
) -> Points:
    """Return round dots of radius `radius`, each filled with points that lie like the seeds of a sunflower."""
    n, seeds = len(cell), 12 if not len(radius) or float(radius.max()) < 3 else 90
    i = torch.arange(seeds, dtype=REAL)
    rho, angle = ((i + 0.5) / seeds).sqrt(), i * math.pi * (3 - math.sqrt(5))
    total = light * math.pi * (radius.square() + 2 * SPREAD**2) * draws.factor(0.3, n)
    return _around(cell, x, y, radius, rho, angle, total, where)


def rings(
    cell: Tensor, x: Tensor, y: Tensor, radius: Tensor, draws: Draws, *, light: float = 1.0, where: str = "cytoplasm"
) -> Points:
    """Return circles of radius `radius`, each a ring of points."""
    seeds = 14
    angle = torch.arange(seeds, dtype=REAL) * 2 * math.pi / seeds
    total = light * 2 * math.pi * radius * SPREAD * math.sqrt(2 * math.pi) * draws.factor(0.3, len(cell))
    return _around(cell, x, y, radius, torch.ones(seeds, dtype=REAL), angle, total, where)


def _around(
    cell: Tensor, x: Tensor, y: Tensor, radius: Tensor, rho: Tensor, angle: Tensor, total: Tensor, where: str
) -> Points:
    """Return points around each (x, y), at shares `rho` of its radius and at angles `angle`.

    total: (n,) the light of each dot, which its points share.
    """
    seeds = len(rho)
    px = x[:, None] + radius[:, None] * rho * torch.cos(angle)
    py = y[:, None] + radius[:, None] * rho * torch.sin(angle)
    light = (total / seeds)[:, None].expand(-1, seeds)
    return Points(cell.repeat_interleave(seeds), px.reshape(-1), py.reshape(-1), light.reshape(-1), where)


def join(*groups: Points) -> Points:
    """Return the points of all groups in one; `where` is that of the first group."""
    cell, x, y, light = (torch.cat([getattr(group, name) for group in groups]) for name in ("cell", "x", "y", "light"))
    return Points(cell, x, y, light, groups[0].where)


def repeat_rows(rows: Tensor, mean: float | Tensor, draws: Draws, least: int = 1) -> Tensor:
    """Each of `rows` repeated about `mean` times, at least `least`."""
    number = draws.poisson(torch.as_tensor(mean, dtype=REAL).expand(len(rows))).clamp(min=least)
    return rows.repeat_interleave(number.long())


def in_cell(cells: Cells, cell: Tensor, draws: Draws, low: float = 0.0, high: float = 0.95) -> tuple[Tensor, ...]:
    """Places between two shares of the way from a cell's centre to its outline: x, y and the direction there."""
    direction = draws.angle(len(cell))
    share = draws.uniform(len(cell), low=low**2, high=high**2).sqrt()
    distance = share * cells[cell].reach(direction)
    return cells.x[cell] + distance * torch.cos(direction), cells.y[cell] + distance * torch.sin(direction), direction


def near_nucleus(cells: Cells, cell: Tensor, draws: Draws, scale: float, gap: float = 1.5) -> tuple[Tensor, ...]:
    """Return places around the nucleus, ever fewer away from it: x, y and direction. scale: in radii of the cell."""
    direction = draws.angle(len(cell))
    host = cells[cell]
    distance = host.nucleus_reach(direction) + gap - scale * host.radius * torch.log1p(-draws.uniform(len(cell)))
    return host.nucleus_x + distance * torch.cos(direction), host.nucleus_y + distance * torch.sin(direction), direction


def in_nucleus(cells: Cells, cell: Tensor, draws: Draws, high: float = 0.85) -> tuple[Tensor, Tensor]:
    """Places in the nucleus, evenly over its area."""
    direction = draws.angle(len(cell))
    host = cells[cell]
    distance = high * draws.uniform(len(cell)).sqrt() * host.nucleus_reach(direction)
    return host.nucleus_x + distance * torch.cos(direction), host.nucleus_y + distance * torch.sin(direction)


def near_pole(cells: Cells, cell: Tensor, draws: Draws, outward: float, along: float) -> tuple[Tensor, Tensor, Tensor]:
    """Places beside the nucleus on the centrosome's side, and the direction along its rim there."""
    host = cells[cell]
    side = host.pole_side + along * draws.normal(len(cell))
    distance = host.nucleus_reach(side) + 1.5 + outward * draws.uniform(len(cell))
    x, y = host.nucleus_x + distance * torch.cos(side), host.nucleus_y + distance * torch.sin(side)
    return x, y, side + math.pi / 2
