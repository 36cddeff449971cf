"""Draws simulated human cells as in the Human Protein Atlas: geometry, four stains, a confocal microscope, a camera.

Units: pixels from the crop's centre and radians; brightness in units of a pattern's bright structures. Tensors over
cells are (m,), over crops and pixels (crops, pixels); the pixels are those of the crop and of a margin around it. Cells
in a layer hardly overlap, so each pixel belongs to one cell, its owner, and is drawn once however many cells there are.

Bytes depend on the seed alone, as with the simulated yeast: a generator and a thread for each chunk, double precision.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .drawing import REAL, Draws, draw_chunks

SIDE = 128
MARGIN = 6
CANVAS = SIDE + 2 * MARGIN
CHUNK = 8  # part of what defines the images: another size makes other images
SLOTS = 7  # a cell at the centre, and room for no more than six around it
HALO_STEP = 4  # pixels a side that the halo is computed from
NOWHERE = 99.0  # outlines away, where there is no cell
SPREAD = 1.0  # sigma, in pixels, of a point of light as it is seen: sets how much light makes a line or dot bright

MICROTUBULES, PROTEIN, NUCLEUS, ER = range(4)
SHARP, SOFT = 1, 2  # layers of points in the protein channel, after layer 0, the microtubules: in focus and out of it

Slides = Mapping[str, Tensor]


@dataclass(frozen=True)
class Variation:
    """How cells of one slide differ. Shares are probabilities; sigmas of factors are those of a log-normal."""

    radius: float = 41.0
    radius_sigma: float = 0.13
    elongation_sigma: float = 0.36  # of the ratio of the axes, above 1
    corners: float = 0.105  # size of the waves in an outline, of its radius
    bend: float = 0.035  # size of its finer irregularities
    nucleus: float = 0.40  # radius, of the cell's
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
    centre. sister: row of the cell that it hangs together with, itself if none. slot: 0 is the crop's central cell.
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
        return Cells(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @property
    def axes(self) -> tuple[Tensor, Tensor]:
        return self.radius * self.elongation.sqrt(), self.radius / self.elongation.sqrt()

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
        """Distance from the centre to the outline in one direction a cell, (m,)."""
        turn = (direction - self.tilt)[:, None]
        return self.shape(torch.cos(turn), torch.sin(turn))[:, 0]

    def nucleus_reach(self, direction: Tensor) -> Tensor:
        """Distance from the centre of the nucleus to its rim in a direction."""
        turn = direction - self.nucleus_tilt
        long, short = self.nucleus_long, self.nucleus_short
        return long * short / torch.hypot(short * torch.cos(turn), long * torch.sin(turn))


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

    def of(self, per_cell: Tensor) -> Tensor:
        """A value of each cell, on the pixels that it owns."""
        return per_cell[self.owner]


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


def render(slides: Mapping[str, NDArray], shown: NDArray[np.int64], seeds: NDArray, out: NDArray[np.uint8]) -> None:
    """Draw one crop for each entry of `shown`, the row of `slides` that it comes from, into `out`.

    slides: columns (slides,), and `weights` (slides, 28) of the Atlas's patterns in its contest's order.
    out: (n, 4, SIDE, SIDE); seeds: one for each CHUNK of crops. Uses as many threads as torch is set to.
    """
    draw_chunks(render_chunk, slides, shown, seeds, out, CHUNK)


def render_chunk(slides: Slides, shown: Tensor, draws: Draws) -> Tensor:
    """(crops, 4, SIDE, SIDE) uint8: microtubules, protein, nucleus, endoplasmic reticulum."""
    own = {name: column[shown] for name, column in slides.items()}  # of each crop's slide
    cells, sisters = place_cells(own, draws)
    maps, nucleoli = draw_maps(cells, len(shown), own, draws)
    scene = Scene(cells, maps, nucleoli, draws)
    filaments = trace_microtubules(scene)
    bridges = trace_bridges(cells, sisters, draws)
    expression = torch.exp(own["expression_sigma"][cells.crop] * draws.normal(len(cells)))
    protein = stain_areas(scene, own, expression)
    points = stain_structures(scene, own, expression, filaments, bridges)
    stains = [stain_microtubules(scene), protein, stain_nucleus(scene), stain_er(scene, own)]
    dense = torch.stack([stain.view(-1, CANVAS, CANVAS) for stain in stains], 1)
    sparse = splat(scene, [(0, filaments), (0, bridges), *points], len(shown))
    return expose(focus(dense, sparse, own, draws), own, draws)


# --- Geometry -------------------------------------------------------------------------------------------------------


def place_cells(own: Slides, draws: Draws) -> tuple[Cells, Tensor]:
    """The cells of each crop, and (pairs, 2) rows of those that have just divided."""
    crops = len(own["size"])
    slot = torch.arange(SLOTS).expand(crops, -1)
    shape = (crops, SLOTS)
    radius = VARIATION.radius * own["size"][:, None] * draws.factor(VARIATION.radius_sigma, *shape)
    mitotic = draws.chance(VARIATION.mitotic_share, *shape)
    spindle, bridge = own["weights"][:, 17] > 0, own["weights"][:, 16] > 0
    mitotic[:, :2] &= ~bridge[:, None]
    mitotic[:, 0] |= spindle & ~bridge
    mitotic[:, 2] |= spindle & bridge
    radius = radius * torch.where(mitotic, 0.7, 1.0)
    divided = bridge | (draws.chance(VARIATION.sister_share, crops) & ~mitotic[:, :2].any(1))

    least = torch.maximum(divided.to(REAL), 2.0 * (spindle & bridge))
    number = draws.poisson(own["crowding"]).clamp(max=SLOTS - 1).maximum(least)[:, None]
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
    cells = _grow(crop, which, x[present], y[present], radius[present], mitotic[present], own, draws)
    row = torch.cumsum(present.flatten().long(), 0).view(shape) - 1
    pairs = divided & present[:, 1]
    return cells, torch.stack([row[pairs, 0], row[pairs, 1]], 1)


def _grow(
    crop: Tensor, slot: Tensor, x: Tensor, y: Tensor, radius: Tensor, mitotic: Tensor, own: Slides, draws: Draws
) -> Cells:
    """Outline, nucleus and centrosome of each cell. A cell in mitosis is round, its chromosomes stand in a plate."""
    m = len(crop)
    irregular = torch.where(mitotic, 0.2, own["spread"][crop])
    elongation = (1.05 + VARIATION.elongation_sigma * irregular * draws.normal(m).abs()).clamp(max=2.0)
    tilt = draws.uniform(m, high=math.pi)
    waves = VARIATION.corners * (irregular[:, None] * draws.normal(m, 3) * torch.tensor([1.0, 0.9, 0.6], dtype=REAL))
    size = VARIATION.nucleus * own["nucleus_size"][crop] * draws.factor(VARIATION.nucleus_sigma, m) * radius
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


# --- Shapes on the canvas -------------------------------------------------------------------------------------------


def draw_maps(cells: Cells, crops: int, own: Slides, draws: Draws) -> tuple[Maps, tuple[Tensor, Tensor, Tensor]]:
    """Whose each pixel is, the outlines of cells, nuclei and nucleoli, and the fields that texture is made of."""
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

    blobs = _place_nucleoli(cells, own, draws)
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
    """(m, pixels): distance from each cell's centre in units of its outline there; drawn at half the resolution."""
    knots = CANVAS // 2
    weights = _interpolation(knots, "bilinear")
    grid = torch.linspace(-(CANVAS - 1) / 2, (CANVAS - 1) / 2, knots, dtype=REAL)
    x = grid.expand(knots, -1).reshape(1, -1) - cells.x[:, None]
    y = grid[:, None].expand(-1, knots).reshape(1, -1) - cells.y[:, None]
    far = torch.hypot(x, y).clamp_(min=1e-3)
    cos, sin = torch.cos(cells.tilt)[:, None] / far, torch.sin(cells.tilt)[:, None] / far
    outline = far / cells.shape(x * cos + y * sin, y * cos - x * sin)
    return (weights @ outline.view(-1, knots, knots) @ weights.T).reshape(len(cells), -1)


def _place_nucleoli(cells: Cells, own: Slides, draws: Draws) -> tuple[Tensor, Tensor, Tensor]:
    """x, y and radius (m, 4) of a nucleus's one to four nucleoli; a radius below 0 means there is none."""
    m, slots = len(cells), 4
    number = (1 + draws.poisson(own["nucleoli"][cells.crop])).clamp(max=slots)[:, None]
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
    """(crops, pixels) of a smooth random field of about unit variance; the more knots, the finer."""
    weights = _interpolation(knots, "bicubic")
    weights = weights / weights.square().sum(1, keepdim=True).sqrt()  # noise keeps its variance between knots
    return (weights @ draws.normal(crops, knots, knots) @ weights.T).reshape(crops, -1)


@cache
def _interpolation(knots: int, mode: str) -> Tensor:
    """(CANVAS, knots) weights of interpolation along one axis, from knots that span the canvas."""
    eye = torch.eye(knots, dtype=REAL)[None, None]
    return torch.nn.functional.interpolate(eye, size=(CANVAS, knots), mode=mode, align_corners=True)[0, 0]


# --- Lines and dots -------------------------------------------------------------------------------------------------


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
    passing = scene.maps.nucleus.flatten()[_pixel(cells, together)] * ~cells.mitotic[together.of]
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


# --- Stains ---------------------------------------------------------------------------------------------------------


def stain_microtubules(scene: Scene) -> Tensor:
    """Tubulin that is not in filaments, or in filaments too fine to be told apart."""
    cells, maps, draws = scene.cells, scene.maps, scene.draws
    amount = draws.factor(VARIATION.stain_sigma, len(cells)) * torch.where(cells.mitotic, 1.3, 1.0)
    return 0.4 * maps.of(amount) * maps.cytoplasm * (1 + 0.3 * maps.fine).clamp(min=0.2)


def stain_nucleus(scene: Scene) -> Tensor:
    """DNA: chromatin with darker nucleoli, brighter and smoother where chromosomes are condensed."""
    cells, maps, draws = scene.cells, scene.maps, scene.draws
    amount = draws.factor(VARIATION.stain_sigma, len(cells)) * torch.where(cells.mitotic, 1.7, 0.85)
    texture = 1 + 0.10 * maps.coarse + 0.09 * maps.fine
    return maps.of(amount) * maps.nucleus * texture * (1 - 0.55 * maps.nucleoli) + 0.012 * maps.cytoplasm


def stain_er(scene: Scene, own: Slides) -> Tensor:
    amount = scene.draws.factor(VARIATION.stain_sigma, len(scene.cells))
    return scene.maps.of(amount) * reticulum(scene.maps, own["er_reach"][:, None])


def reticulum(maps: Maps, reach: Tensor) -> Tensor:
    """A mesh of tubules, dense sheets around the nucleus, and the nuclear envelope."""
    away = maps.nucleus_edge.clamp(min=0)
    dense = torch.exp(-away / reach)
    mesh = torch.exp(-0.5 * (maps.mesh / 0.22).square())
    tubules = (0.12 + 0.88 * dense) * (0.35 + 0.65 * mesh + 0.15 * maps.fine).clamp(min=0.05)
    envelope = 0.25 * torch.exp(-0.5 * (maps.nucleus_edge / 1.3).square())
    return maps.inside * (tubules * (1 - 0.9 * maps.nucleus) + envelope)


def _fields(own: Slides) -> dict[int, Callable[[Maps, Tensor], Tensor]]:
    """Patterns that fill areas, by their number in the contest: from the maps and the crops to draw."""

    def of(name: str, rows: Tensor) -> Tensor:
        return own[name][rows, None]

    def shell(distance: Tensor, width: Tensor) -> Tensor:
        return torch.exp(-0.5 * (distance / width).square())

    def nucleoplasm(maps: Maps, rows: Tensor) -> Tensor:
        grain = 1 + of("grain", rows) * (maps.fine + maps.coarse)
        return maps.nucleus * grain.clamp(min=0.1) * (1 - of("nucleolus_hole", rows) * maps.nucleoli)

    def membrane(maps: Maps, rows: Tensor) -> Tensor:
        folds = (1 + 0.35 * maps.coarse).clamp(min=0.1)
        return maps.inside * shell(maps.nucleus_edge + 0.5, of("rim", rows)) * folds + 0.22 * maps.nucleus

    def speckles(maps: Maps, rows: Tensor) -> Tensor:
        spots = torch.sigmoid(5 * (maps.coarse + 0.6 * maps.fine - 0.75))
        return maps.nucleus * (1 - maps.nucleoli) * (0.12 + 0.88 * spots)

    def plasma_membrane(maps: Maps, rows: Tensor) -> Tensor:
        # Seen from above, the membrane is a bright line at the rim, and a ruffled sheet over the rest of the cell.
        ruffles = (0.25 + 0.12 * maps.coarse + 0.10 * maps.fine).clamp(min=0.03)
        rim = shell(maps.edge + 0.8, of("rim", rows)) * (1 + 0.5 * maps.coarse).clamp(min=0.15)
        return maps.inside * ruffles + rim * torch.sigmoid(-2 * (maps.edge - 1.5))

    def junctions(maps: Maps, rows: Tensor) -> Tensor:
        line = shell(maps.border + 0.4, of("rim", rows)) * torch.sigmoid(-1.5 * (maps.edge - 1.5))
        return line * (1.1 + 0.9 * maps.coarse).clamp(min=0.05)

    def cytosol(maps: Maps, rows: Tensor) -> Tensor:
        return maps.cytoplasm * (1 + of("grain", rows) * maps.fine).clamp(min=0.1)

    return {
        0: nucleoplasm,
        1: membrane,
        2: lambda maps, rows: maps.nucleoli * (1 + 0.15 * maps.fine).clamp(min=0.1),
        4: speckles,
        6: lambda maps, rows: reticulum(maps, of("er_reach", rows)),
        21: plasma_membrane,
        22: junctions,
        25: cytosol,
    }


def stain_areas(scene: Scene, own: Slides, expression: Tensor) -> Tensor:
    """(crops, pixels): the patterns of each slide that fill areas, on a little light from everywhere in a cell."""
    maps, draws, weights = scene.maps, scene.draws, own["weights"]
    total = own["everywhere"][:, None] * maps.inside * (0.5 + 0.5 * maps.cytoplasm)
    for label, paint in _fields(own).items():
        rows = (weights[:, label] > 0).nonzero()[:, 0]
        if len(rows):
            theirs = Maps(**{field.name: getattr(maps, field.name)[rows] for field in fields(Maps)})
            amount = expression * draws.factor(VARIATION.stain_sigma, len(expression))
            total.index_add_(0, rows, paint(theirs, rows) * theirs.of(amount) * weights[rows, label, None])
    return total


def stain_structures(
    scene: Scene, own: Slides, expression: Tensor, filaments: Points, bridges: Points
) -> Iterator[tuple[int, Points]]:
    """Yield the patterns of each slide that are lines and dots, each with its layer: in focus or out of it."""
    cells, draws = scene.cells, scene.draws
    tracers = TRACERS | {14: lambda *_: filaments, 16: lambda *_: bridges, 17: lambda scene, _: trace_spindles(scene)}
    for label, trace in tracers.items():
        weight = own["weights"][cells.crop, label]
        if not (weight > 0).any():
            continue
        points = trace(scene, ((weight > 0) & ~cells.mitotic).nonzero()[:, 0])
        strength = weight * expression * draws.factor(VARIATION.stain_sigma, len(cells))
        light = points.light * strength[points.of]
        deep = draws.chance(VARIATION.out_of_focus_share, len(light))
        for layer, share in ((SHARP, ~deep), (SOFT, deep)):
            kept = (share & (light > 0)).nonzero()[:, 0]
            yield layer, Points(points.of[kept], points.x[kept], points.y[kept], light[kept], points.where)


# --- Microscope and camera ------------------------------------------------------------------------------------------


def _pixel(cells: Cells, points: Points) -> Tensor:
    """Where a point lies in maps that are flattened; points off the canvas are moved to its rim."""
    x, y = ((place + (CANVAS - 1) / 2).round().long().clamp(0, CANVAS - 1) for place in (points.x, points.y))
    return cells.crop[points.of] * CANVAS**2 + y * CANVAS + x


def _kept(scene: Scene, points: Points) -> Tensor:
    """The share of each point's light that comes from within the part of its cell that it belongs to."""
    if not points.where:
        return torch.ones_like(points.light)
    at, maps = _pixel(scene.cells, points), scene.maps
    share = maps.inside.flatten()[at] * (maps.owner.flatten()[at] == points.of)
    if points.where == "cell":
        return share
    nucleus = maps.nucleus.flatten()[at]
    return share * (nucleus if points.where == "nucleus" else 1 - 0.85 * nucleus)


def splat(scene: Scene, layers: list[tuple[int, Points]], crops: int) -> Tensor:
    """(crops, 3, CANVAS, CANVAS): each point's light shared between the four pixels around it."""
    canvas = torch.zeros(crops * 3 * CANVAS**2, dtype=REAL)
    for layer, points in layers:
        x, y = points.x + (CANVAS - 1) / 2, points.y + (CANVAS - 1) / 2
        seen = ((x > 0) & (y > 0) & (x < CANVAS - 1.01) & (y < CANVAS - 1.01)).nonzero()[:, 0]
        points = Points(points.of[seen], points.x[seen], points.y[seen], points.light[seen], points.where)
        light = points.light * _kept(scene, points)
        x, y = x[seen], y[seen]
        left, top = x.floor(), y.floor()
        first = (3 * scene.cells.crop[points.of] + layer) * CANVAS**2 + top.long() * CANVAS + left.long()
        right, below = x - left, y - top
        canvas.index_add_(0, first, light * (1 - right) * (1 - below))
        canvas.index_add_(0, first + 1, light * right * (1 - below))
        canvas.index_add_(0, first + CANVAS, light * (1 - right) * below)
        canvas.index_add_(0, first + CANVAS + 1, light * right * below)
    return canvas.view(crops, 3, CANVAS, CANVAS)


def focus(dense: Tensor, sparse: Tensor, own: Slides, draws: Draws) -> Tensor:
    """(crops, 4, SIDE, SIDE): the channels as the camera gets them: blurred, with a halo and bleed-through."""
    crops = len(dense)
    sigma = own["blur"] * draws.factor(VARIATION.focus_sigma, crops)
    sharp, soft = blur_matrix(sigma), blur_matrix(torch.hypot(sigma, torch.tensor(1.6)))
    wide = blur_matrix(torch.hypot(sigma, torch.tensor(7.0)), HALO_STEP)
    shining = dense.clone()
    shining[:, MICROTUBULES] += sparse[:, 0]
    shining[:, PROTEIN] += sparse[:, SHARP]
    image = sharp[:, None] @ shining @ sharp.mT[:, None]
    image[:, PROTEIN] += soft @ sparse[:, SOFT] @ soft.mT
    shining[:, PROTEIN] += sparse[:, SOFT]
    halo = own["halo"][:, None, None, None]
    glow = wide[:, None] @ torch.nn.functional.avg_pool2d(shining, HALO_STEP) @ wide.mT[:, None]
    image = (1 - halo) * image + halo * glow
    image[:, PROTEIN] += own["bleed"][:, None, None] * image[:, MICROTUBULES]
    return image


def blur_matrix(sigma: Tensor, step: int = 1) -> Tensor:
    """(crops, SIDE, CANVAS / step): Gaussian blur along one axis and the cropping of the margin, in one matrix.

    step: pixels of the canvas that were averaged beforehand, as a wide blur needs no finer ones.
    """
    centres = torch.arange(CANVAS // step, dtype=REAL) * step + (step - 1) / 2
    offset = torch.arange(SIDE, dtype=REAL)[:, None] + MARGIN - centres
    kernel = torch.exp(-0.5 * (offset / sigma[:, None, None]).square())
    return kernel / kernel.sum(2, keepdim=True)


def expose(image: Tensor, own: Slides, draws: Draws) -> Tensor:
    """(crops, 4, SIDE, SIDE) uint8: background, shot and read noise, gain, and rounding to grey levels."""
    column = (len(image), 4, 1, 1)
    image = image + own["background"].view(column)
    noise = (image / own["photons"].view(column) + own["read_noise"][:, None, None, None].square()).sqrt()
    image = image + noise * draws.normal(*image.shape)
    return (image * own["gain"].view(column)).round_().clamp_(0, 255).to(torch.uint8)
