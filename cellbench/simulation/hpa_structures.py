"""Lines and dots in simulated human cells, as points of light: filaments, vesicles, bodies, spindles and bridges.

Units and tensors are those of `hpa_renderer`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .drawing import REAL, Draws
from .hpa_cells import CANVAS, Cells, Maps

SPREAD = 1.0  # sigma, in pixels, of a point of light as it is seen: sets how much light makes a line or dot bright


@dataclass(frozen=True)
class Points:
    """Points of light, (n,): the cell of each, its place and its light. Between them they draw lines and dots.

    where: the part of its own cell that light is kept in, "cell", "cytoplasm", "nucleus" or "nucleoli"; "" keeps all.
    """

    of: Tensor
    x: Tensor
    y: Tensor
    light: Tensor
    where: str = "cytoplasm"


@dataclass(frozen=True)
class Scene:
    """What a pattern is drawn from."""

    cells: Cells
    maps: Maps
    nucleoli: tuple[Tensor, Tensor, Tensor]
    draws: Draws


def pixel(cells: Cells, points: Points) -> Tensor:
    """Where a point lies in maps that are flattened; points off the canvas are moved to its rim."""
    x, y = ((place + (CANVAS - 1) / 2).round().long().clamp(0, CANVAS - 1) for place in (points.x, points.y))
    return cells.crop[points.of] * CANVAS**2 + y * CANVAS + x


def worms(
    of: Tensor,
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
    n = len(of)
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
    return Points(of.repeat_interleave(steps), x.reshape(-1), y.reshape(-1), amount.reshape(-1), where)


def discs(
    of: Tensor, x: Tensor, y: Tensor, radius: Tensor, draws: Draws, *, light: float = 1.0, where: str = "cytoplasm"
) -> Points:
    """Round dots of a radius, each a sunflower of points."""
    n, seeds = len(of), 12 if not len(radius) or float(radius.max()) < 3 else 90
    i = torch.arange(seeds, dtype=REAL)
    rho, angle = ((i + 0.5) / seeds).sqrt(), i * math.pi * (3 - math.sqrt(5))
    total = light * math.pi * (radius.square() + 2 * SPREAD**2) * draws.factor(0.3, n)
    return _around(of, x, y, radius, rho, angle, total, where)


def rings(
    of: Tensor, x: Tensor, y: Tensor, radius: Tensor, draws: Draws, *, light: float = 1.0, where: str = "cytoplasm"
) -> Points:
    """Circles of a radius, each a ring of points."""
    seeds = 14
    angle = torch.arange(seeds, dtype=REAL) * 2 * math.pi / seeds
    total = light * 2 * math.pi * radius * SPREAD * math.sqrt(2 * math.pi) * draws.factor(0.3, len(of))
    return _around(of, x, y, radius, torch.ones(seeds, dtype=REAL), angle, total, where)


def _around(
    of: Tensor, x: Tensor, y: Tensor, radius: Tensor, rho: Tensor, angle: Tensor, total: Tensor, where: str
) -> Points:
    seeds = len(rho)
    px = x[:, None] + radius[:, None] * rho * torch.cos(angle)
    py = y[:, None] + radius[:, None] * rho * torch.sin(angle)
    light = (total / seeds)[:, None].expand(-1, seeds)
    return Points(of.repeat_interleave(seeds), px.reshape(-1), py.reshape(-1), light.reshape(-1), where)


def join(*groups: Points) -> Points:
    """Points of one pattern; all kept in the same place."""
    of, x, y, light = (torch.cat([getattr(group, name) for group in groups]) for name in ("of", "x", "y", "light"))
    return Points(of, x, y, light, groups[0].where)


def some(rows: Tensor, mean: float | Tensor, draws: Draws, least: int = 1) -> Tensor:
    """Each of `rows` repeated about `mean` times, at least `least`."""
    number = draws.poisson(torch.as_tensor(mean, dtype=REAL).expand(len(rows))).clamp(min=least)
    return rows.repeat_interleave(number.long())


def spread(cells: Cells, of: Tensor, draws: Draws, low: float = 0.0, high: float = 0.95) -> tuple[Tensor, ...]:
    """Places between two shares of the way from a cell's centre to its outline: x, y and the direction there."""
    direction = draws.angle(len(of))
    share = draws.uniform(len(of), low=low**2, high=high**2).sqrt()
    distance = share * cells[of].reach(direction)
    return cells.x[of] + distance * torch.cos(direction), cells.y[of] + distance * torch.sin(direction), direction


def near_nucleus(cells: Cells, of: Tensor, draws: Draws, scale: float, gap: float = 1.5) -> tuple[Tensor, ...]:
    """Places around the nucleus, ever fewer away from it; `scale` is in radii of the cell."""
    direction = draws.angle(len(of))
    mine = cells[of]
    distance = mine.nucleus_reach(direction) + gap - scale * mine.radius * torch.log1p(-draws.uniform(len(of)))
    return mine.nucleus_x + distance * torch.cos(direction), mine.nucleus_y + distance * torch.sin(direction), direction


def in_nucleus(cells: Cells, of: Tensor, draws: Draws, high: float = 0.85) -> tuple[Tensor, Tensor]:
    direction = draws.angle(len(of))
    mine = cells[of]
    distance = high * draws.uniform(len(of)).sqrt() * mine.nucleus_reach(direction)
    return mine.nucleus_x + distance * torch.cos(direction), mine.nucleus_y + distance * torch.sin(direction)


def near_pole(cells: Cells, of: Tensor, draws: Draws, outward: float, along: float) -> tuple[Tensor, Tensor, Tensor]:
    """Places beside the nucleus on the centrosome's side, and the direction along its rim there."""
    mine = cells[of]
    side = mine.pole_side + along * draws.normal(len(of))
    distance = mine.nucleus_reach(side) + 1.5 + outward * draws.uniform(len(of))
    x, y = mine.nucleus_x + distance * torch.cos(side), mine.nucleus_y + distance * torch.sin(side)
    return x, y, side + math.pi / 2


def trace_microtubules(scene: Scene) -> Points:
    """Filaments from the centrosome and from around the nucleus to the rim; in mitosis, a spindle."""
    cells, draws = scene.cells, scene.draws
    resting = (~cells.mitotic).nonzero()[:, 0]
    of = some(resting, 42.0, draws)
    heading = draws.angle(len(of))
    aster = worms(
        of, cells.pole_x[of], cells.pole_y[of], heading, draws, steps=38, step=1.6, curl=1.3, wiggle=0.2, light=0.42
    )
    of = some(resting, 70.0, draws)
    x, y, outward = near_nucleus(cells, of, draws, 0.12)
    heading = outward + 0.8 * draws.normal(len(of))
    others = worms(of, x, y, heading, draws, steps=26, step=1.6, curl=1.4, wiggle=0.3, light=0.42)
    together = join(aster, others, trace_spindles(scene))
    # Filaments above and below the nucleus are seen too, but few are in the focal plane.
    passing = scene.maps.nucleus.flatten()[pixel(cells, together)] * ~cells.mitotic[together.of]
    return Points(together.of, together.x, together.y, together.light * (1 - 0.7 * passing), "cell")


def trace_spindles(scene: Scene) -> Points:
    """Two poles beside the plate, with fibres between them and a few to the rim."""
    cells, draws = scene.cells, scene.draws
    of = some(cells.mitotic.nonzero()[:, 0], 34.0, draws, least=20)
    mine = cells[of]
    side = torch.where(draws.chance(0.5, len(of)), 1.0, -1.0)
    axis = mine.nucleus_tilt + math.pi / 2
    gap = side * 0.62 * mine.nucleus_long
    x, y = mine.nucleus_x + gap * torch.cos(axis), mine.nucleus_y + gap * torch.sin(axis)
    on_plate = 0.75 * mine.nucleus_long * draws.uniform(len(of), low=-1, high=1)
    to_x = mine.nucleus_x + on_plate * torch.cos(mine.nucleus_tilt) - x
    to_y = mine.nucleus_y + on_plate * torch.sin(mine.nucleus_tilt) - y
    heading = torch.where(draws.chance(0.8, len(of)), torch.atan2(to_y, to_x), draws.angle(len(of)))
    return worms(of, x, y, heading, draws, steps=11, step=1.1, light=0.42, curl=0.4, where="cell")


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
    x, y, radius = (value[rows] for value in scene.nucleoli)
    cell, blob = (radius > 0).nonzero(as_tuple=True)
    pick = some(torch.arange(len(cell)), 3.5, scene.draws, least=2)
    cell, blob = cell[pick], blob[pick]
    angle, size = scene.draws.angle(len(pick)), radius[cell, blob]
    distance = 0.75 * size * scene.draws.uniform(len(pick)).sqrt()
    x, y = x[cell, blob] + distance * torch.cos(angle), y[cell, blob] + distance * torch.sin(angle)
    return discs(rows[cell], x, y, scene.draws.uniform(len(pick), low=0.3, high=0.9), scene.draws, where="nucleus")


def _nuclear_bodies(scene: Scene, rows: Tensor) -> Points:
    of = some(rows, 6.0, scene.draws, least=2)
    x, y = in_nucleus(scene.cells, of, scene.draws)
    size = scene.draws.uniform(len(of), low=0.4, high=1.4)
    return discs(of, x, y, size, scene.draws, light=1.1, where="nucleus")


def _golgi(scene: Scene, rows: Tensor) -> Points:
    of = some(rows, 24.0, scene.draws, least=10)
    x, y, heading = near_pole(scene.cells, of, scene.draws, 7.0, 0.45)
    heading = heading + 0.8 * scene.draws.normal(len(of))
    return worms(of, x, y, heading, scene.draws, steps=7, curl=1.5, light=0.8)


def _vesicles(number: float, low: float, high: float, scale: float | None, light: float = 1.0) -> Tracer:
    """Dots of radii from `low` to `high`, all over the cytoplasm or ever fewer away from the nucleus."""

    def trace(scene: Scene, rows: Tensor) -> Points:
        of = some(rows, number * scene.draws.factor(0.3, len(rows)), scene.draws, least=3)
        if scale is None:
            x, y, _ = spread(scene.cells, of, scene.draws)
        else:
            x, y, _ = near_nucleus(scene.cells, of, scene.draws, scale)
        size = scene.draws.uniform(len(of), low=low, high=high)
        return discs(of, x, y, size, scene.draws, light=light)

    return trace


def _intermediate_filaments(scene: Scene, rows: Tensor) -> Points:
    of = some(rows, 90.0, scene.draws)
    x, y, outward = near_nucleus(scene.cells, of, scene.draws, 0.12)
    heading = outward + 1.1 * scene.draws.normal(len(of))
    return worms(of, x, y, heading, scene.draws, steps=28, step=1.3, curl=2.2, wiggle=0.55, light=0.4)


def _actin(scene: Scene, rows: Tensor) -> Points:
    direction = scene.draws.angle(len(scene.cells))
    of = some(rows, 20.0, scene.draws, least=8)
    x, y, _ = spread(scene.cells, of, scene.draws)
    heading = direction[of] + 0.1 * scene.draws.normal(len(of))
    back = 24.0
    x, y = x - back * torch.cos(heading), y - back * torch.sin(heading)
    return worms(of, x, y, heading, scene.draws, steps=40, curl=0.12, light=0.7, where="cell")


def _focal_adhesions(scene: Scene, rows: Tensor) -> Points:
    of = some(rows, 26.0, scene.draws, least=8)
    x, y, outward = spread(scene.cells, of, scene.draws, 0.5, 0.94)
    heading = outward + 0.25 * scene.draws.normal(len(of))
    return worms(of, x, y, heading, scene.draws, steps=6, step=0.9, light=1.2, where="cell")


def _microtubule_ends(scene: Scene, rows: Tensor) -> Points:
    of = some(rows, 34.0, scene.draws, least=10)
    x, y, outward = spread(scene.cells, of, scene.draws, 0.35, 0.95)
    heading = outward + 0.5 * scene.draws.normal(len(of))
    return worms(of, x, y, heading, scene.draws, steps=3, step=0.9, light=0.9)


def _organizing_center(scene: Scene, rows: Tensor) -> Points:
    cells, draws = scene.cells, scene.draws
    of = some(rows, 9.0, draws, least=4)
    x, y = (place[of] + 1.9 * draws.normal(len(of)) for place in (cells.pole_x, cells.pole_y))
    return discs(of, x, y, draws.uniform(len(of), low=0.4, high=1.4), draws, light=0.5, where="cell")


def _centrosome(scene: Scene, rows: Tensor) -> Points:
    cells, draws = scene.cells, scene.draws
    of = torch.cat([rows, rows[draws.chance(0.6, len(rows))]])
    x, y = (place[of] + 1.3 * draws.normal(len(of)) for place in (cells.pole_x, cells.pole_y))
    return discs(of, x, y, draws.uniform(len(of), low=0.3, high=0.9), draws, light=2.2, where="cell")


def _lipid_droplets(scene: Scene, rows: Tensor) -> Points:
    of = some(rows, 22.0 * scene.draws.factor(0.4, len(rows)), scene.draws, least=6)
    x, y, _ = near_nucleus(scene.cells, of, scene.draws, 0.22)
    return rings(of, x, y, scene.draws.uniform(len(of), low=1.3, high=2.8), scene.draws, light=0.9)


def _mitochondria(scene: Scene, rows: Tensor) -> Points:
    of = some(rows, 75.0, scene.draws, least=30)
    x, y, outward = near_nucleus(scene.cells, of, scene.draws, 0.26)
    heading = outward + 1.0 * scene.draws.normal(len(of))
    return worms(of, x, y, heading, scene.draws, steps=9, step=1.1, curl=1.5, wiggle=0.4, light=0.6)


def _aggresome(scene: Scene, rows: Tensor) -> Points:
    draws = scene.draws
    x, y, _ = near_pole(scene.cells, rows, draws, 4.0, 0.2)
    return discs(rows, x, y, draws.uniform(len(rows), low=3.2, high=5.5), draws, light=1.4)


def _rods_and_rings(scene: Scene, rows: Tensor) -> Points:
    draws = scene.draws
    of = some(rows, 2.5, draws)
    x, y, _ = near_nucleus(scene.cells, of, draws, 0.25, gap=4)
    rods = worms(of, x, y, draws.angle(len(of)), draws, steps=9, step=0.9, curl=0.3, light=1.5)
    of = some(rows, 1.2, draws)
    x, y, _ = near_nucleus(scene.cells, of, draws, 0.25, gap=4)
    return join(rods, rings(of, x, y, draws.uniform(len(of), low=2.0, high=3.5), draws, light=1.4))


# Patterns made of lines and dots, by their number in the contest.
TRACERS: dict[int, Tracer] = {
    3: _nucleoli_centres,
    5: _nuclear_bodies,
    7: _golgi,
    8: _vesicles(60, 0.2, 0.6, None, 0.8),
    9: _vesicles(20, 0.8, 1.7, 0.3),
    10: _vesicles(26, 0.9, 2.2, 0.13),
    11: _intermediate_filaments,
    12: _actin,
    13: _focal_adhesions,
    15: _microtubule_ends,
    18: _organizing_center,
    19: _centrosome,
    20: _lipid_droplets,
    23: _mitochondria,
    24: _aggresome,
    26: _vesicles(7, 0.8, 2.0, None, 1.3),
    27: _rods_and_rings,
}
