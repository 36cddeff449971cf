"""Draws simulated human cells as in the Human Protein Atlas: geometry, four stains, a confocal microscope, a camera.

Units: pixels from the crop's centre and radians; brightness in units of a pattern's bright structures. Tensors over
cells are (m,), over crops and pixels (crops, pixels); the pixels are those of the crop and of a margin around it. Cells
in a layer hardly overlap, so each pixel belongs to one cell, its owner, and is drawn once however many cells there are.

Bytes depend on the seed alone, as with the simulated yeast: a generator and a thread for each chunk, double precision.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .drawing import REAL, Draws, draw_chunks, share_light, within
from .hpa_cells import CANVAS, MARGIN, SIDE, VARIATION, Maps, Slides, draw_maps, place_cells
from .hpa_structures import TRACERS, Points, Scene, pixel, trace_bridges, trace_microtubules, trace_spindles

CHUNK = 8  # part of what defines the images: another size makes other images
HALO_STEP = 4  # pixels a side that the halo is computed from

MICROTUBULES, PROTEIN, NUCLEUS, ER = range(4)
SHARP, SOFT = 1, 2  # layers of points in the protein channel, after layer 0, the microtubules: in focus and out of it


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


def _kept(scene: Scene, points: Points) -> Tensor:
    """The share of each point's light that comes from within the part of its cell that it belongs to."""
    if not points.where:
        return torch.ones_like(points.light)
    at, maps = pixel(scene.cells, points), scene.maps
    share = maps.inside.flatten()[at] * (maps.owner.flatten()[at] == points.of)
    if points.where == "cell":
        return share
    nucleus = maps.nucleus.flatten()[at]
    return share * (nucleus if points.where == "nucleus" else 1 - 0.85 * nucleus)


def splat(scene: Scene, layers: list[tuple[int, Points]], crops: int) -> Tensor:
    """(crops, 3, CANVAS, CANVAS): each point's light shared between the four pixels around it."""
    canvas = torch.zeros(crops * 3, CANVAS, CANVAS, dtype=REAL)
    for layer, points in layers:
        seen = within(canvas, points.x, points.y)
        points = Points(points.of[seen], points.x[seen], points.y[seen], points.light[seen], points.where)
        plane = 3 * scene.cells.crop[points.of] + layer
        share_light(canvas, plane, points.x, points.y, points.light * _kept(scene, points))
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
