"""Where simulated yeast cells lie: mothers, buds and neighbours, and their nuclei and vacuoles.

Units and tensors are those of `renderer`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from ..drawing import REAL, Draws, half_axes, rows_of

SIDE = 64
MARGIN = 4
CANVAS = SIDE + 2 * MARGIN
Wells = Mapping[str, Tensor]


@dataclass(frozen=True)
class Variation:
    """How cells of one well differ. Shares are probabilities; sigmas of factors are those of a log-normal."""

    radius: float = 17.0  # mean; as read off the real cells
    radius_sigma: float = 2.4
    elongation_sigma: float = 0.13  # of the ratio of the axes, above 1
    outline_sigma: float = 0.55  # irregularity of outlines, pixels
    neighbour_slots: int = 5  # no room for more around a cell
    bud_share: float = 0.33
    centring_sigma: float = 0.5  # segmentation puts the cell at the centre, nearly
    miscentred_share: float = 0.03
    defocused_share: float = 0.03  # above or below the focal plane
    defocused_neighbour_share: float = 0.15
    expression_sigma: float = 0.18
    silent_share: float = 0.045  # hardly express the protein
    dead_share: float = 0.01  # shine in both channels
    stain_sigma: float = 0.14  # of the cell stain, and of each component of the pattern
    focus_sigma: float = 0.18


VARIATION = Variation()


@dataclass(frozen=True)
class Cells:
    """Cells of a chunk, one a row: the crop that each is in, its ellipse, and whether it is a bud or a neighbour."""

    crop: Tensor
    x: Tensor
    y: Tensor
    radius: Tensor
    elongation: Tensor
    tilt: Tensor
    bud: Tensor
    neighbour: Tensor

    def __len__(self) -> int:
        return len(self.crop)

    def __getitem__(self, rows: Tensor) -> "Cells":
        return rows_of(self, rows)

    @property
    def axes(self) -> tuple[Tensor, Tensor]:
        return half_axes(self.radius, self.elongation)

    def reach(self, direction: Tensor) -> Tensor:
        """Distance from the centre to the outline in a direction."""
        long, short = self.axes
        turn = direction - self.tilt
        return long * short / torch.hypot(short * torch.cos(turn), long * torch.sin(turn))


@dataclass(frozen=True)
class Organelles:
    """The nucleus (m,) and two vacuoles (m, 2) of each cell, from its centre; a radius of 0 means there is none."""

    nucleus_x: Tensor
    nucleus_y: Tensor
    nucleus_radius: Tensor
    vacuole_x: Tensor
    vacuole_y: Tensor
    vacuole_radius: Tensor


def place_cells(conditions: Wells, crops: int, draws: Draws) -> Cells:
    """Return the cells of all crops: one at the centre of each, its neighbours, and the buds of both."""
    centre = _new_cells(torch.arange(crops), conditions["size"], VARIATION.radius, VARIATION.radius_sigma, draws)
    shift = VARIATION.centring_sigma * draws.normal(crops, 2)
    shift += 6 * draws.normal(crops, 2) * draws.chance(VARIATION.miscentred_share, crops, 1)
    centre = replace(centre, x=shift[:, 0], y=shift[:, 1])
    bud_direction, budding = draws.angle(crops), draws.chance(VARIATION.bud_share, crops)
    around = _neighbours(centre, conditions, bud_direction, draws)
    their_buds = _buds(around, draws.angle(len(around)), draws)[draws.chance(VARIATION.bud_share, len(around))]
    host = centre[their_buds.crop]
    away = torch.hypot(their_buds.x - host.x, their_buds.y - host.y)
    their_buds = their_buds[away > host.radius + 0.8 * their_buds.radius]
    groups = [centre, _buds(centre, bud_direction, draws)[budding], around, their_buds]
    cells = Cells(*(torch.cat([getattr(group, field.name) for group in groups]) for field in fields(Cells)))
    reach = SIDE / 2 + 1.15 * cells.radius
    return cells[(cells.x.abs() < reach) & (cells.y.abs() < reach)]


def _new_cells(crop: Tensor, size: Tensor, radius: float, sigma: float, draws: Draws) -> Cells:
    """Cells of random size and shape at the crops' centres. size: a factor for each; radius, sigma: in pixels."""
    n = len(crop)
    return Cells(
        crop=crop,
        x=torch.zeros(n, dtype=REAL),
        y=torch.zeros(n, dtype=REAL),
        radius=(radius + sigma * draws.normal(n)).clamp(11, 25) * size,
        elongation=(1.04 + VARIATION.elongation_sigma * draws.normal(n).abs()).clamp(max=1.5),
        tilt=draws.uniform(n, high=math.pi),
        bud=torch.zeros(n, dtype=torch.bool),
        neighbour=torch.zeros(n, dtype=torch.bool),
    )


def _neighbours(centre: Cells, conditions: Wells, bud_direction: Tensor, draws: Draws) -> Cells:
    """Cells around each centre, at even angles with some scatter, most of them touching it."""
    slots = torch.arange(VARIATION.neighbour_slots).expand(len(centre), -1)
    number = draws.poisson(conditions["crowding"]).clamp(max=VARIATION.neighbour_slots)[:, None]
    crop, slot = (slots < number).nonzero(as_tuple=True)
    n = len(crop)
    step = 2 * math.pi / number.clamp(min=3)[crop, 0]
    direction = bud_direction[crop] + step * (slot + 0.5 + 0.7 * draws.uniform(n, low=-0.5, high=0.5))
    cells = _new_cells(crop, conditions["size"][crop], VARIATION.radius, 1.5 * VARIATION.radius_sigma, draws)
    touching = draws.chance(0.6, n)
    gap = torch.where(touching, draws.uniform(n, low=-1.0, high=2.0), -9 * torch.log1p(-draws.uniform(n))).clamp(max=24)
    host = centre[crop]
    distance = host.reach(direction) + cells.reach(direction) + gap
    x, y = host.x + distance * torch.cos(direction), host.y + distance * torch.sin(direction)
    return replace(cells, x=x, y=y, neighbour=torch.ones(n, dtype=torch.bool))


def _buds(mothers: Cells, direction: Tensor, draws: Draws) -> Cells:
    """A bud for each mother, sunk into its outline by up to half its radius."""
    n = len(mothers)
    radius = draws.uniform(n, low=0.32, high=0.75) * mothers.radius
    distance = mothers.reach(direction) + draws.uniform(n, low=0.5, high=0.9) * radius
    return Cells(
        crop=mothers.crop,
        x=mothers.x + distance * torch.cos(direction),
        y=mothers.y + distance * torch.sin(direction),
        radius=radius,
        elongation=(1.02 + VARIATION.elongation_sigma * draws.normal(n).abs()).clamp(max=1.4),
        tilt=draws.uniform(n, high=math.pi),
        bud=torch.ones(n, dtype=torch.bool),
        neighbour=mothers.neighbour,
    )


def lay_out(cells: Cells, well: Wells, draws: Draws) -> Organelles:
    """Place a nucleus off each cell's centre, a vacuole on the other side, and at times a smaller one beside it."""
    n, radius = len(cells), cells.radius
    side = draws.angle(n)
    offset = 0.34 * draws.uniform(n).sqrt()
    nucleus = (well["nucleus_size"] * (1 + 0.1 * draws.normal(n))).clamp(0.3, 0.62)
    missing = cells.bud & draws.chance(0.5, n)  # a young bud has neither yet
    large = (0.30 + draws.uniform(n, high=0.30)) * torch.where(draws.chance(0.12, n), 1.25, 1.0)
    vacuole = torch.stack([large, large * draws.uniform(n, low=0.35, high=0.85) * draws.chance(0.45, n)], 1)
    vacuole_side = side + math.pi + 1.1 * draws.normal(n)
    beside = draws.uniform(n, low=1.0, high=1.6) * torch.where(draws.chance(0.5, n), 1.0, -1.0)
    far = (nucleus + large - offset - 0.1 * draws.uniform(n)).clamp(min=0.05).minimum(0.93 - large)
    sides = torch.stack([vacuole_side, vacuole_side + beside], 1)
    distance = torch.stack([far, (far + 0.1).clamp(max=0.85)], 1) * radius[:, None]
    return Organelles(
        nucleus_x=offset * torch.cos(side) * radius,
        nucleus_y=offset * torch.sin(side) * radius,
        nucleus_radius=nucleus * radius * ~missing,
        vacuole_x=distance * torch.cos(sides),
        vacuole_y=distance * torch.sin(sides),
        vacuole_radius=vacuole * radius[:, None] * ~missing[:, None],
    )
