"""Where simulated human cells lie: their outlines, nuclei and centrosomes, and which have just divided.

Units and tensors are those of `renderer`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ..drawing import REAL, Draws, half_axes, rows_of
from .structures import Structure

SIDE = 128
MARGIN = 6
CANVAS = SIDE + 2 * MARGIN
SLOTS = 7  # a cell at the centre, and room for no more than six around it
NOWHERE = 99.0  # distance to a cell that isn't there, in units of its outline
Slides = Mapping[str, Tensor]


@dataclass(frozen=True)
class Variation:
    """How cells of one slide differ. Shares are probabilities; sigmas of factors are those of a log-normal."""

    radius: float = 41.0
    radius_sigma: float = 0.13
    elongation_sigma: float = 0.36  # of the ratio of the axes, above 1
    corners: float = 0.105  # size of the waves in an outline, in units of its radius
    bend: float = 0.035  # size of its finer irregularities
    nucleus: float = 0.40  # radius, in units of the cell's
    nucleus_sigma: float = 0.09
    centring_sigma: float = 10.0  # crops are fields of view; nobody put the cell at the centre
    mitotic_share: float = 0.015
    sister_share: float = 0.02  # cells that have just divided and hang together by a bridge
    stain_sigma: float = 0.16
    focus_sigma: float = 0.1
    out_of_focus_share: float = 0.2  # of dots and tubes: a confocal section is thin


VARIATION = Variation()


@dataclass(frozen=True)
class Cells:
    """Cells of a chunk, one a row: the crop that each is in, its outline, nucleus and centrosome.

    waves: (m, 3) sizes of three, four and five waves round the outline; phases: (m, 3). Places are from the crop's
    centre. slot: 0 is the crop's central cell.
    """

    crop: Tensor
    slot: Tensor
    x: Tensor
    y: Tensor
    radius: Tensor
    elongation: Tensor
    tilt: Tensor
    waves: Tensor
    phases: Tensor
    mitotic: Tensor
    nucleus_x: Tensor
    nucleus_y: Tensor
    nucleus_long: Tensor
    nucleus_short: Tensor
    nucleus_tilt: Tensor
    pole_side: Tensor
    pole_x: Tensor
    pole_y: Tensor

    def __len__(self) -> int:
        return len(self.crop)

    def __getitem__(self, rows: Tensor) -> "Cells":
        return rows_of(self, rows)

    @property
    def axes(self) -> tuple[Tensor, Tensor]:
        return half_axes(self.radius, self.elongation)

    def shape(self, cos: Tensor, sin: Tensor) -> Tensor:
        """Distance from the centre to the outline in directions (m, directions), relative to the tilt."""
        long, short = (axis[:, None] for axis in self.axes)
        cos2, sin2 = cos * cos - sin * sin, 2 * cos * sin
        cos3, sin3 = cos2 * cos - sin2 * sin, sin2 * cos + cos2 * sin
        cos4, sin4 = cos2 * cos2 - sin2 * sin2, 2 * cos2 * sin2
        cos5, sin5 = cos4 * cos - sin4 * sin, sin4 * cos + cos4 * sin
        real, imaginary = self.waves * torch.cos(self.phases), self.waves * torch.sin(self.phases)
        wave = 1 + real[:, :1] * cos3 + imaginary[:, :1] * sin3
        wave = wave + real[:, 1:2] * cos4 + imaginary[:, 1:2] * sin4 + real[:, 2:] * cos5 + imaginary[:, 2:] * sin5
        return wave / ((cos / long).square() + (sin / short).square()).sqrt()

    def reach(self, direction: Tensor) -> Tensor:
        """Return the distance from the centre to the outline in one direction for each cell, (m,)."""
        turn = (direction - self.tilt)[:, None]
        return self.shape(torch.cos(turn), torch.sin(turn))[:, 0]

    def nucleus_reach(self, direction: Tensor) -> Tensor:
        """Distance from the centre of the nucleus to its rim in a direction."""
        turn = direction - self.nucleus_tilt
        long, short = self.nucleus_long, self.nucleus_short
        return long * short / torch.hypot(short * torch.cos(turn), long * torch.sin(turn))


def place_cells(conditions: Slides, draws: Draws) -> tuple[Cells, Tensor]:
    """Return the cells of all crops, and the rows of each pair that has just divided, (pairs, 2)."""
    crops = len(conditions["size"])
    slot = torch.arange(SLOTS).expand(crops, -1)
    shape = (crops, SLOTS)
    radius = VARIATION.radius * conditions["size"][:, None] * draws.factor(VARIATION.radius_sigma, *shape)
    mitotic = draws.chance(VARIATION.mitotic_share, *shape)
    spindle = conditions["weights"][:, Structure.MITOTIC_SPINDLE] > 0
    bridge = conditions["weights"][:, Structure.CYTOKINETIC_BRIDGE] > 0
    mitotic[:, :2] &= ~bridge[:, None]
    mitotic[:, 0] |= spindle & ~bridge
    mitotic[:, 2] |= spindle & bridge
    radius = radius * torch.where(mitotic, 0.7, 1.0)
    divided = bridge | (draws.chance(VARIATION.sister_share, crops) & ~mitotic[:, :2].any(1))

    least = torch.maximum(divided.to(REAL), 2.0 * (spindle & bridge))
    number = draws.poisson(conditions["crowding"]).clamp(max=SLOTS - 1).maximum(least)[:, None]
    present = slot <= number
    step = 2 * math.pi / number.clamp(min=3)
    direction = draws.angle(crops, 1) + step * (slot + 0.5 * draws.uniform(*shape, low=-0.5, high=0.5))
    distance = (radius[:, :1] + radius) * draws.uniform(*shape, low=0.78, high=1.22)
    distance[:, 1] = torch.where(divided, 0.95 * (radius[:, 0] + radius[:, 1]), distance[:, 1])
    distance[:, 0] = 0
    centre = VARIATION.centring_sigma * draws.normal(crops, 2, 1)
    # The middle of a bridge is what such a crop is about.
    centre[:, 0, 0] -= 0.35 * divided * distance[:, 1] * torch.cos(direction[:, 1])
    centre[:, 1, 0] -= 0.35 * divided * distance[:, 1] * torch.sin(direction[:, 1])
    x, y = centre[:, 0] + distance * torch.cos(direction), centre[:, 1] + distance * torch.sin(direction)
    for later in range(2, SLOTS):  # no cell on top of another
        for earlier in range(1, later):
            apart = torch.hypot(x[:, later] - x[:, earlier], y[:, later] - y[:, earlier])
            near = apart < 0.66 * (radius[:, later] + radius[:, earlier])
            present[:, later] &= ~(near & present[:, earlier])
    present &= (x.abs() < CANVAS / 2 + 1.5 * radius) & (y.abs() < CANVAS / 2 + 1.5 * radius)

    crop, which = present.nonzero(as_tuple=True)
    cells = _grow(crop, which, x[present], y[present], radius[present], mitotic[present], conditions, draws)
    row = torch.cumsum(present.flatten().long(), 0).view(shape) - 1
    pairs = divided & present[:, 1]
    return cells, torch.stack([row[pairs, 0], row[pairs, 1]], 1)


def _grow(
    crop: Tensor, slot: Tensor, x: Tensor, y: Tensor, radius: Tensor, mitotic: Tensor, conditions: Slides, draws: Draws
) -> Cells:
    """Return cells with random outlines, nuclei and centrosomes; in mitosis they are round, their nucleus a plate."""
    m = len(crop)
    irregular = torch.where(mitotic, 0.2, conditions["spread"][crop])
    elongation = (1.05 + VARIATION.elongation_sigma * irregular * draws.normal(m).abs()).clamp(max=2.0)
    tilt = draws.uniform(m, high=math.pi)
    waves = VARIATION.corners * (irregular[:, None] * draws.normal(m, 3) * torch.tensor([1.0, 0.9, 0.6], dtype=REAL))
    size = VARIATION.nucleus * conditions["nucleus_size"][crop] * draws.factor(VARIATION.nucleus_sigma, m) * radius
    ratio = torch.where(mitotic, draws.uniform(m, low=2.6, high=3.6), draws.uniform(m, low=1.08, high=1.45))
    size = torch.where(mitotic, size * 0.85, size)
    off, away = draws.uniform(m, high=0.2) * radius * ~mitotic, draws.angle(m)
    pole_side, pole_gap = draws.angle(m), draws.uniform(m, low=0.5, high=4.0)
    cells = Cells(
        crop=crop,
        slot=slot,
        x=x,
        y=y,
        radius=radius,
        elongation=elongation,
        tilt=tilt,
        waves=waves.clamp(-0.2, 0.2),
        phases=draws.angle(m, 3),
        mitotic=mitotic,
        nucleus_x=x + off * torch.cos(away),
        nucleus_y=y + off * torch.sin(away),
        nucleus_long=size * ratio.sqrt(),
        nucleus_short=size / ratio.sqrt(),
        nucleus_tilt=tilt + 0.5 * draws.normal(m),
        pole_side=pole_side,
        pole_x=x,
        pole_y=y,
    )
    distance = cells.nucleus_reach(pole_side) + pole_gap
    poles = {
        "pole_x": cells.nucleus_x + distance * torch.cos(pole_side),
        "pole_y": cells.nucleus_y + distance * torch.sin(pole_side),
    }
    return Cells(**{field.name: poles.get(field.name, getattr(cells, field.name)) for field in fields(Cells)})
