"""Draws simulated yeast cells: geometry, two stains, a microscope and a camera, a chunk of crops at a time.

Units: pixels from the crop's centre and radians; brightness in units of the camera's background. Tensors over cells
are (m,), over cells and pixels (m, pixels); the pixels are those of the crop and a margin that blur reaches into.

Bytes depend on the seed alone. Every chunk has its own generator and is drawn by one thread, so neither the number of
threads nor the size of the data set can change a chunk. Arithmetic is in double precision: another CPU rounds
differently in the 16th digit, which in single precision would turn thousands of grey values over and here none.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .drawing import REAL, Draws, draw_chunks, share_light, within

SIDE = 64
MARGIN = 4
CANVAS = SIDE + 2 * MARGIN
CHUNK = 16  # part of what defines the images: another size makes other images
SOFTNESS = 1.3  # of the outlines before blur: slope of their sigmoid, a pixel
NOWHERE = 99.0  # distance, in pixels, to an organelle that a cell doesn't have
RESAMPLING = 0.35  # weight of the neighbour in each direction
CELL_NOISE = 0.75  # of the first channel, over that of the second: its stain is brighter, so exposed for longer

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
        return Cells(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @property
    def axes(self) -> tuple[Tensor, Tensor]:
        return self.radius * self.elongation.sqrt(), self.radius / self.elongation.sqrt()

    def reach(self, direction: Tensor) -> Tensor:
        """Distance from the centre to the outline in a direction."""
        long, short = self.axes
        turn = direction - self.tilt
        return long * short / torch.hypot(short * torch.cos(turn), long * torch.sin(turn))


@dataclass(frozen=True)
class Organelles:
    """Nucleus and vacuoles (m, 2) of each cell, relative to its centre; a radius of 0 means there is none."""

    nucleus_x: Tensor
    nucleus_y: Tensor
    nucleus_radius: Tensor
    vacuole_x: Tensor
    vacuole_y: Tensor
    vacuole_radius: Tensor


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


@dataclass(frozen=True)
class Light:
    """What shines in each crop before the microscope, (crops, CANVAS, CANVAS): in focus, near it, far from it."""

    cell: Tensor
    cell_far: Tensor
    protein: Tensor
    protein_far: Tensor
    dots: Tensor
    dots_near: Tensor
    dots_far: Tensor


def render(wells: Mapping[str, NDArray], shown: NDArray[np.int64], seeds: NDArray, out: NDArray[np.uint8]) -> None:
    """Draw one crop for each entry of `shown`, the row of `wells` that it looks like, into `out`.

    out: (n, 2, SIDE, SIDE); seeds: one for each CHUNK of crops. Uses as many threads as torch is set to.
    """
    draw_chunks(render_chunk, wells, shown, seeds, out, CHUNK)


def render_chunk(wells: Wells, shown: Tensor, draws: Draws) -> Tensor:
    """(crops, 2, SIDE, SIDE) uint8: cell stain and protein."""
    crops = len(shown)
    own = {name: column[shown] for name, column in wells.items()}  # of each crop's well
    cells = place_cells(own, crops, draws)
    well = {name: column[cells.crop] for name, column in own.items()}  # of each cell's well
    organelles = lay_out(cells, well, draws)
    maps = draw_maps(cells, organelles, crops, draws)
    peak = protein_peak(well, len(cells), draws)
    stain = stain_cell(cells, well, maps, draws)
    protein = stain_protein(cells, organelles, well, maps, peak, draws)
    dots = [*scatter_dots(cells, organelles, well, peak, draws), *trace_tubes(cells, well, peak, draws)]
    light = collect(cells, stain, protein, dots, crops, draws)
    return expose(*focus(light, own, draws), own, draws)


# --- Geometry -------------------------------------------------------------------------------------------------------


def place_cells(own: Wells, crops: int, draws: Draws) -> Cells:
    """A cell at the centre of each crop, its neighbours, and the buds of both."""
    centre = _new_cells(torch.arange(crops), own["size"], VARIATION.radius, VARIATION.radius_sigma, draws)
    shift = VARIATION.centring_sigma * draws.normal(crops, 2)
    shift += 6 * draws.normal(crops, 2) * draws.chance(VARIATION.miscentred_share, crops, 1)
    centre = replace(centre, x=shift[:, 0], y=shift[:, 1])
    bud_direction, budding = draws.angle(crops), draws.chance(VARIATION.bud_share, crops)
    around = _neighbours(centre, own, bud_direction, draws)
    theirs = _buds(around, draws.angle(len(around)), draws)[draws.chance(VARIATION.bud_share, len(around))]
    host = centre[theirs.crop]
    theirs = theirs[torch.hypot(theirs.x - host.x, theirs.y - host.y) > host.radius + 0.8 * theirs.radius]
    groups = [centre, _buds(centre, bud_direction, draws)[budding], around, theirs]
    cells = Cells(*(torch.cat([getattr(group, field.name) for group in groups]) for field in fields(Cells)))
    reach = SIDE / 2 + 1.15 * cells.radius
    return cells[(cells.x.abs() < reach) & (cells.y.abs() < reach)]


def _new_cells(crop: Tensor, size: Tensor, radius: float, sigma: float, draws: Draws) -> Cells:
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


def _neighbours(centre: Cells, own: Wells, bud_direction: Tensor, draws: Draws) -> Cells:
    """Cells around each centre, at even angles with some scatter, most of them touching it."""
    slots = torch.arange(VARIATION.neighbour_slots).expand(len(centre), -1)
    number = draws.poisson(own["crowding"]).clamp(max=VARIATION.neighbour_slots)[:, None]
    crop, slot = (slots < number).nonzero(as_tuple=True)
    n = len(crop)
    step = 2 * math.pi / number.clamp(min=3)[crop, 0]
    direction = bud_direction[crop] + step * (slot + 0.5 + 0.7 * draws.uniform(n, low=-0.5, high=0.5))
    cells = _new_cells(crop, own["size"][crop], VARIATION.radius, 1.5 * VARIATION.radius_sigma, draws)
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
    """The nucleus off the centre, the vacuole on its other side, at times a second, smaller vacuole beside it."""
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


# --- Shapes on the canvas -------------------------------------------------------------------------------------------


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
    """(crops, pixels) of a smooth random field of about unit variance; the more knots, the finer."""
    coarse = draws.normal(crops, 1, knots, knots)
    fine = torch.nn.functional.interpolate(coarse, size=(CANVAS, CANVAS), mode="bicubic", align_corners=True)
    return fine.reshape(crops, -1)


def _ellipse(x: Tensor, y: Tensor, long: Tensor, short: Tensor, tilt: Tensor) -> Tensor:
    """Squared distance from the centre in units of the outline, so 1 on it."""
    cos, sin = torch.cos(tilt), torch.sin(tilt)
    xx = (cos / long) ** 2 + (sin / short) ** 2
    yy = (sin / long) ** 2 + (cos / short) ** 2
    xy = 2 * cos * sin * (1 / long**2 - 1 / short**2)
    return ((xx[:, None] * x + xy[:, None] * y) * x + yy[:, None] * y * y).clamp_(min=1e-6)


# --- Stains ---------------------------------------------------------------------------------------------------------


def protein_peak(well: Wells, m: int, draws: Draws) -> Tensor:
    """Brightness of the pattern's brightest structure in each cell."""
    silent = draws.chance(VARIATION.silent_share, m)
    expression = draws.factor(VARIATION.expression_sigma, m)
    return well["protein_peak"] * torch.where(silent, expression * draws.uniform(m, high=0.12), expression)


def stain_cell(cells: Cells, well: Wells, maps: Maps, draws: Draws) -> Tensor:
    """The first channel: cytoplasm, more or less kept out of the vacuole and let into the nucleus."""
    amount = well["cell_peak"] * draws.factor(VARIATION.stain_sigma, len(cells)) * torch.where(cells.bud, 0.85, 1.0)
    holes = (1 - well["cell_vacuole_hole"][:, None] * maps.vacuole) * (1 + well["cell_nucleus"][:, None] * maps.nucleus)
    return amount[:, None] * maps.body * holes * (1 + 0.16 * maps.grain).clamp(min=0.3)


def stain_protein(cells: Cells, organelles: Organelles, well: Wells, maps: Maps, peak: Tensor, draws: Draws) -> Tensor:
    """The second channel without its dots and tubes: a sum of components, each weighted by the well's pattern.

    A component that few wells have is drawn for their cells only.
    """
    m = len(cells)
    grainy = (1 + well["grain"][:, None] * maps.grain).clamp(min=0.2)
    weight = well["cytoplasm"] * draws.factor(VARIATION.stain_sigma, m)
    total = weight[:, None] * maps.body * (1 - well["protein_vacuole_hole"][:, None] * maps.vacuole) * grainy
    width = draws.uniform(m, low=0.9, high=1.7)[:, None]
    nucleolus_side, nucleolus_place = draws.angle(m), draws.factor(0.14, m, 2)

    def lumpy(rows: Tensor, amount: Tensor | float) -> Tensor:
        return (1 + amount * maps.lumps[rows]).clamp(min=0)

    def shell(distance: Tensor, rows: Tensor) -> Tensor:
        return torch.exp(-0.5 * (distance / width[rows]) ** 2)

    def nuclear_rim(rows: Tensor) -> Tensor:
        # The envelope is a ball seen from above: a ring, and less light from its top and bottom.
        lumpiness = well["rim_lumpiness"][rows, None]
        return shell(maps.nucleus_edge[rows], rows) * lumpy(rows, lumpiness) + 0.3 * maps.nucleus[rows]

    def nucleolus(rows: Tensor) -> Tensor:
        size = organelles.nucleus_radius[rows]
        offset = well["nucleolus_offset"][rows] * nucleolus_place[rows, 0] * size
        x = organelles.nucleus_x[rows] + offset * torch.cos(nucleolus_side[rows])
        y = organelles.nucleus_y[rows] + offset * torch.sin(nucleolus_side[rows])
        radius = well["nucleolus_size"][rows] * nucleolus_place[rows, 1] * size
        distance = torch.hypot(maps.x[rows] - x[:, None], maps.y[rows] - y[:, None]) - radius[:, None]
        return torch.sigmoid(-1.2 * distance) * maps.nucleus[rows]

    components = {
        "nucleus": lambda rows: maps.nucleus[rows] * (1 + 0.5 * well["grain"][rows, None] * maps.grain[rows]),
        "nuclear_rim": nuclear_rim,
        "membrane": lambda rows: (
            shell(maps.edge[rows] + 0.7, rows) * lumpy(rows, 0.8 * well["membrane_lumpiness"][rows, None])
        ),
        "cortex": lambda rows: shell(maps.edge[rows] + 2.2, rows) * (0.55 + 0.85 * maps.lumps[rows]).clamp(min=0),
        "vacuole": lambda rows: maps.vacuole[rows],
        "vacuole_rim": lambda rows: shell(maps.vacuole_edge[rows], rows) * lumpy(rows, 0.4) * (maps.edge[rows] < 1),
        "nucleolus": nucleolus,
        "nucleolus_hole": lambda rows: -nucleolus(rows),
    }
    for name, draw in components.items():
        weight = well[name] * draws.factor(VARIATION.stain_sigma, m)
        rows = (weight > 0.02).nonzero()[:, 0]
        if len(rows):
            total.index_add_(0, rows, draw(rows) * weight[rows, None])
    return total.clamp_(min=0) * peak[:, None] + well["autofluorescence"][:, None] * maps.body


@dataclass(frozen=True)
class Dots:
    """Points of light: the crop and the layer (0 in focus, 1 near, 2 far) of each, its place and its light."""

    crop: Tensor
    layer: Tensor
    x: Tensor
    y: Tensor
    light: Tensor


def scatter_dots(cells: Cells, organelles: Organelles, well: Wells, peak: Tensor, draws: Draws) -> list[Dots]:
    """Vesicles in the cytoplasm, kept out of the vacuole or sitting on its rim, and spindle poles on the nucleus."""
    m = len(cells)
    room = torch.where(cells.bud, (cells.radius / 14).clamp(max=1) ** 1.5, 1.0)
    number = draws.poisson(well["vesicles"] * room)
    number = torch.where((well["vesicles"] > 1) & ~cells.bud & draws.chance(0.85, m), number.clamp(min=1), number)
    of = torch.repeat_interleave(torch.arange(m), number.long())
    n = len(of)
    x, y = _within(cells, of, 0.88 * draws.uniform(n).sqrt(), draws.angle(n))
    host_x, host_y = organelles.vacuole_x[of, 0], organelles.vacuole_y[of, 0]
    radius = organelles.vacuole_radius[of, 0]
    distance = torch.hypot(x - host_x, y - host_y).clamp(min=1e-3)
    on_rim = draws.uniform(n) < well["vesicles_on_vacuole"][of]
    pushed_out = (distance < radius + 1.2) & draws.chance(0.8, n)
    moved = torch.where((radius > 0) & (on_rim | pushed_out), (radius + 1.2) / distance, 1.0)
    x, y = host_x + moved * (x - host_x), host_y + moved * (y - host_y)
    vesicles = _dots(cells, of, x, y, well, peak, 0.4, draws)

    # Once the pole has doubled, its copy wanders to the other side of the nucleus.
    poles = (well["spindle_poles"] > 0) & ~(cells.bud & draws.chance(0.7, m)) & (organelles.nucleus_radius > 0)
    second = poles & (draws.uniform(m) < well["spindle_poles"] - 1)
    side = draws.angle(m)
    opposite = side + math.pi + 0.9 * draws.normal(m)
    of = torch.cat([poles.nonzero()[:, 0], second.nonzero()[:, 0]])
    side = torch.cat([side[poles], opposite[second]])
    distance = organelles.nucleus_radius[of] * draws.uniform(len(of), low=0.85, high=1.1)
    x = organelles.nucleus_x[of] + distance * torch.cos(side)
    y = organelles.nucleus_y[of] + distance * torch.sin(side)
    return [vesicles, _dots(cells, of, x, y, well, peak, 0.3, draws)]


def _within(cells: Cells, of: Tensor, rho: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Places relative to the centres of the cells `of`, given in polar coordinates of their ellipses."""
    extra = (1,) * (rho.ndim - 1)
    long, short, tilt = (value[of].reshape(-1, *extra) for value in (*cells.axes, cells.tilt))
    u, v = long * rho * torch.cos(angle), short * rho * torch.sin(angle)
    return torch.cos(tilt) * u - torch.sin(tilt) * v, torch.sin(tilt) * u + torch.cos(tilt) * v


def _dots(
    cells: Cells, of: Tensor, x: Tensor, y: Tensor, well: Wells, peak: Tensor, sigma: float, draws: Draws
) -> Dots:
    layer = _layers(of, well, draws)
    # A dot out of focus spreads its light; much of what is seen of it comes from clusters, hence more of it.
    share = torch.tensor([0.75, 1.5, 2.0], dtype=REAL)[layer]
    light = well["dot_light"][of] * peak[of] * draws.factor(sigma, len(of)) * share * 2 * math.pi * 1.5**2
    return Dots(cells.crop[of], layer, x + cells.x[of], y + cells.y[of], light)


def _layers(of: Tensor, well: Wells, draws: Draws) -> Tensor:
    depth = draws.uniform(len(of))
    sharp = well["dots_in_focus"][of]
    return (depth >= sharp).long() + (depth >= sharp + well["dots_near_focus"][of]).long()


def trace_tubes(cells: Cells, well: Wells, peak: Tensor, draws: Draws, steps: int = 24) -> list[Dots]:
    """Mitochondria: curved tubes that mostly follow the outline, each a row of dots of varying light."""
    mean = well["tubes"] * torch.where(cells.bud, (cells.radius / 14).clamp(max=1) ** 1.5, 1.0)
    number = torch.where(well["tubes"] > 0.5, draws.poisson(mean).clamp(min=2), 0.0)
    of = torch.repeat_interleave(torch.arange(len(cells)), number.long())
    n = len(of)
    along = torch.linspace(0, 1, steps, dtype=REAL)[None]
    wave = torch.sin(2 * math.pi * (along * draws.uniform(n, 1, low=0.5, high=1.5) + draws.uniform(n, 1)))
    rho = draws.uniform(n, 1, low=0.45, high=0.87) + 0.13 * wave + draws.uniform(n, 1, low=-0.11, high=0.11) * along
    turn = draws.uniform(n, 1, low=-2.8, high=2.8) * along
    inward = draws.chance(0.25, n, 1)
    rho = torch.where(inward, 0.85 * (1 - 1.5 * along * draws.uniform(n, 1)), rho)
    angle = draws.angle(n, 1) + torch.where(inward, 0.3 * turn, turn)
    x, y = _within(cells, of, rho, angle)
    spacing = torch.hypot(x.diff(dim=1), y.diff(dim=1)).mean(1, keepdim=True)
    beads = 1 + 0.8 * torch.sin(2 * math.pi * (along * draws.uniform(n, 1, low=1, high=3) + draws.uniform(n, 1)))
    light = 3.4 * spacing * beads * draws.factor(0.35, n, 1) * (well["dot_light"] * peak)[of, None]
    layer = _layers(of, well, draws)[:, None].expand(n, steps)
    crop = cells.crop[of, None].expand(n, steps)
    x, y = x + cells.x[of, None], y + cells.y[of, None]
    return [Dots(*(value.reshape(-1) for value in (crop, layer, x, y, light)))]


# --- Microscope and camera ------------------------------------------------------------------------------------------


def collect(cells: Cells, stain: Tensor, protein: Tensor, dots: list[Dots], crops: int, draws: Draws) -> Light:
    """Put the cells and dots of each crop together, by depth."""
    share = torch.where(cells.neighbour, VARIATION.defocused_neighbour_share, VARIATION.defocused_share)
    place = 2 * cells.crop + (draws.uniform(len(cells)) < share).long()

    def overlay(cell_light: Tensor) -> Tensor:
        # Cells in one layer press against each other and hardly overlap, so light doesn't add: a soft maximum.
        summed = torch.zeros(2 * crops, CANVAS * CANVAS, dtype=REAL).index_add_(0, place, cell_light.square().square())
        return summed.sqrt().sqrt().view(crops, 2, CANVAS, CANVAS)

    stained, expressed = overlay(stain), overlay(protein)
    points = splat(dots, crops)
    return Light(
        cell=stained[:, 0],
        cell_far=stained[:, 1],
        protein=expressed[:, 0],
        protein_far=expressed[:, 1],
        dots=points[:, 0],
        dots_near=points[:, 1],
        dots_far=points[:, 2],
    )


def splat(dots: list[Dots], crops: int) -> Tensor:
    """(crops, 3, CANVAS, CANVAS): each dot's light shared between the four pixels around it."""
    canvas = torch.zeros(crops * 3, CANVAS, CANVAS, dtype=REAL)
    for group in dots:
        seen = within(canvas, group.x, group.y)
        plane = 3 * group.crop + group.layer
        share_light(canvas, plane[seen], group.x[seen], group.y[seen], group.light[seen])
    return canvas.view(crops, 3, CANVAS, CANVAS)


def focus(light: Light, own: Wells, draws: Draws) -> tuple[Tensor, Tensor]:
    """Both channels as the camera gets them, (crops, SIDE, SIDE): blurred by depth, with a halo and bleed-through."""
    crops = len(light.cell)
    sigma = (own["blur"] * draws.factor(VARIATION.focus_sigma, crops)).clamp(0.8, 3.2)
    sharp, dot, near, far, wide = (blur_matrix(torch.hypot(sigma, torch.tensor(s))) for s in (0.0, 0.9, 1.8, 3.0, 6.0))
    halo = own["halo"][:, None, None]

    deep = light.protein_far + light.dots_far
    protein = blur(light.protein, sharp) + blur(light.dots, dot) + blur(light.dots_near, near) + blur(deep, far)
    protein = (1 - halo) * protein + halo * blur(light.protein + light.dots + light.dots_near + deep, wide)
    cell = blur(light.cell, sharp) + blur(light.cell_far, far)
    cell = (1 - halo) * cell + halo * blur(light.cell + light.cell_far, wide)

    dead = draws.chance(VARIATION.dead_share, crops)[:, None, None]
    protein = torch.where(dead, cell * draws.uniform(crops, 1, 1, high=3.0), protein)
    return cell + own["bleed"][:, None, None] * protein, protein + 0.02 * cell


def blur_matrix(sigma: Tensor) -> Tensor:
    """(crops, SIDE, CANVAS): Gaussian blur along one axis and the cropping of the margin, in one matrix."""
    seen = torch.arange(SIDE, dtype=REAL)[:, None] + MARGIN
    offset = seen - torch.arange(CANVAS, dtype=REAL)[None]
    kernel = torch.exp(-0.5 * (offset / sigma[:, None, None]) ** 2)
    return kernel / kernel.sum(2, keepdim=True)


def blur(image: Tensor, matrix: Tensor) -> Tensor:
    return matrix @ image @ matrix.mT


def expose(cell: Tensor, protein: Tensor, own: Wells, draws: Draws) -> Tensor:
    """(crops, 2, SIDE, SIDE) uint8: background added, shot and read noise, gain and rounding to grey levels."""
    image = torch.stack([cell, protein], 1) + own["background"][:, None, None, None]
    sigma = (image / own["photons"][:, None, None, None] + own["read_noise"][:, None, None, None] ** 2).sqrt()
    sigma[:, 0] *= CELL_NOISE
    # In the real crops the noise of neighbouring pixels is a little alike, as after resampling.
    noise = draws.normal(*image.shape[:2], SIDE + 1, SIDE + 1)
    noise = noise[..., 1:] + RESAMPLING * noise[..., :-1]
    noise = noise[..., 1:, :] + RESAMPLING * noise[..., :-1, :]
    image = image + sigma * noise / (1 + RESAMPLING**2)
    gain = torch.stack([own["cell_gain"], own["protein_gain"]], 1)[:, :, None, None]
    return (image * gain).round_().clamp_(0, 255).to(torch.uint8)
