"""What shines in simulated human cells: three stains, and the protein's areas, lines and dots.

Units and tensors are those of `renderer`.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields

import torch
from torch import Tensor

from .cells import VARIATION, Slides
from .maps import Maps
from .points import Points, Scene
from .structures import Structure
from .tracers import TRACERS, trace_spindles

SHARP, SOFT = 1, 2  # layers of points in the protein channel, after layer 0, the microtubules: in focus and out of it


def stain_microtubules(scene: Scene) -> Tensor:
    """Return the light of tubulin outside of filaments, or in ones too fine to be seen singly, (crops, pixels)."""
    cells, maps, draws = scene.cells, scene.maps, scene.draws
    amount = draws.factor(VARIATION.stain_sigma, len(cells)) * torch.where(cells.mitotic, 1.3, 1.0)
    return 0.4 * maps.on_pixels(amount) * maps.cytoplasm * (1 + 0.3 * maps.fine).clamp(min=0.2)


def stain_nucleus(scene: Scene) -> Tensor:
    """Return the light of DNA: chromatin with darker nucleoli, brighter where chromosomes are condensed."""
    cells, maps, draws = scene.cells, scene.maps, scene.draws
    amount = draws.factor(VARIATION.stain_sigma, len(cells)) * torch.where(cells.mitotic, 1.7, 0.85)
    texture = 1 + 0.10 * maps.coarse + 0.09 * maps.fine
    return maps.on_pixels(amount) * maps.nucleus * texture * (1 - 0.55 * maps.nucleoli) + 0.012 * maps.cytoplasm


def stain_er(scene: Scene, conditions: Slides) -> Tensor:
    amount = scene.draws.factor(VARIATION.stain_sigma, len(scene.cells))
    return scene.maps.on_pixels(amount) * reticulum(scene.maps, conditions["er_reach"][:, None])


def reticulum(maps: Maps, reach: Tensor) -> Tensor:
    """Return the reticulum's light: a mesh of tubules, dense sheets around the nucleus, and the nuclear envelope."""
    away = maps.nucleus_edge.clamp(min=0)
    dense = torch.exp(-away / reach)
    mesh = torch.exp(-0.5 * (maps.mesh / 0.22).square())
    tubules = (0.12 + 0.88 * dense) * (0.35 + 0.65 * mesh + 0.15 * maps.fine).clamp(min=0.05)
    envelope = 0.25 * torch.exp(-0.5 * (maps.nucleus_edge / 1.3).square())
    return maps.inside * (tubules * (1 - 0.9 * maps.nucleus) + envelope)


def _fields(conditions: Slides) -> dict[Structure, Callable[[Maps, Tensor], Tensor]]:
    """Return, for each pattern that fills areas, the function that draws it from maps and the crops' row numbers."""

    def column(name: str, rows: Tensor) -> Tensor:
        return conditions[name][rows, None]

    def shell(distance: Tensor, width: Tensor) -> Tensor:
        return torch.exp(-0.5 * (distance / width).square())

    def nucleoplasm(maps: Maps, rows: Tensor) -> Tensor:
        grain = 1 + column("grain", rows) * (maps.fine + maps.coarse)
        return maps.nucleus * grain.clamp(min=0.1) * (1 - column("nucleolus_hole", rows) * maps.nucleoli)

    def membrane(maps: Maps, rows: Tensor) -> Tensor:
        folds = (1 + 0.35 * maps.coarse).clamp(min=0.1)
        return maps.inside * shell(maps.nucleus_edge + 0.5, column("rim", rows)) * folds + 0.22 * maps.nucleus

    def speckles(maps: Maps, rows: Tensor) -> Tensor:
        spots = torch.sigmoid(5 * (maps.coarse + 0.6 * maps.fine - 0.75))
        return maps.nucleus * (1 - maps.nucleoli) * (0.12 + 0.88 * spots)

    def plasma_membrane(maps: Maps, rows: Tensor) -> Tensor:
        # Seen from above, the membrane is a bright line at the rim, and a ruffled sheet over the rest of the cell.
        ruffles = (0.25 + 0.12 * maps.coarse + 0.10 * maps.fine).clamp(min=0.03)
        rim = shell(maps.edge + 0.8, column("rim", rows)) * (1 + 0.5 * maps.coarse).clamp(min=0.15)
        return maps.inside * ruffles + rim * torch.sigmoid(-2 * (maps.edge - 1.5))

    def junctions(maps: Maps, rows: Tensor) -> Tensor:
        line = shell(maps.border + 0.4, column("rim", rows)) * torch.sigmoid(-1.5 * (maps.edge - 1.5))
        return line * (1.1 + 0.9 * maps.coarse).clamp(min=0.05)

    def cytosol(maps: Maps, rows: Tensor) -> Tensor:
        return maps.cytoplasm * (1 + column("grain", rows) * maps.fine).clamp(min=0.1)

    return {
        Structure.NUCLEOPLASM: nucleoplasm,
        Structure.NUCLEAR_MEMBRANE: membrane,
        Structure.NUCLEOLI: lambda maps, rows: maps.nucleoli * (1 + 0.15 * maps.fine).clamp(min=0.1),
        Structure.NUCLEAR_SPECKLES: speckles,
        Structure.ENDOPLASMIC_RETICULUM: lambda maps, rows: reticulum(maps, column("er_reach", rows)),
        Structure.PLASMA_MEMBRANE: plasma_membrane,
        Structure.CELL_JUNCTIONS: junctions,
        Structure.CYTOSOL: cytosol,
    }


def stain_areas(scene: Scene, conditions: Slides, expression: Tensor) -> Tensor:
    """Return the light of each slide's patterns that fill areas, and a little from the whole cell, (crops, pixels)."""
    maps, draws, weights = scene.maps, scene.draws, conditions["weights"]
    total = conditions["everywhere"][:, None] * maps.inside * (0.5 + 0.5 * maps.cytoplasm)
    for label, paint in _fields(conditions).items():
        rows = (weights[:, label] > 0).nonzero()[:, 0]
        if len(rows):
            shown = Maps(**{field.name: getattr(maps, field.name)[rows] for field in fields(Maps)})
            amount = expression * draws.factor(VARIATION.stain_sigma, len(expression))
            total.index_add_(0, rows, paint(shown, rows) * shown.on_pixels(amount) * weights[rows, label, None])
    return total


def stain_structures(
    scene: Scene, conditions: Slides, expression: Tensor, filaments: Points, bridges: Points
) -> Iterator[tuple[int, Points]]:
    """Yield the patterns of each slide that are lines and dots, each with its layer: in focus or out of it."""
    cells, draws = scene.cells, scene.draws
    tracers = TRACERS | {
        Structure.MICROTUBULES: lambda *_: filaments,
        Structure.CYTOKINETIC_BRIDGE: lambda *_: bridges,
        Structure.MITOTIC_SPINDLE: lambda scene, _: trace_spindles(scene),
    }
    for label, trace in tracers.items():
        weight = conditions["weights"][cells.crop, label]
        if not (weight > 0).any():
            continue
        points = trace(scene, ((weight > 0) & ~cells.mitotic).nonzero()[:, 0])
        strength = weight * expression * draws.factor(VARIATION.stain_sigma, len(cells))
        light = points.light * strength[points.cell]
        deep = draws.chance(VARIATION.out_of_focus_share, len(light))
        for layer, share in ((SHARP, ~deep), (SOFT, deep)):
            kept = (share & (light > 0)).nonzero()[:, 0]
            yield layer, Points(points.cell[kept], points.x[kept], points.y[kept], light[kept], points.where)
