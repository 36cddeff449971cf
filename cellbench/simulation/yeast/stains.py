"""What shines in a simulated yeast cell, but for dots and tubes: the cell stain, and the protein's areas.

Units and tensors are those of `renderer`.
"""

import torch
from torch import Tensor

from ..drawing import Draws
from .cells import VARIATION, Cells, Organelles, Wells
from .maps import Maps


def protein_peak(well: Wells, m: int, draws: Draws) -> Tensor:
    """Draw the brightness of the pattern's brightest structure in each cell, (m,)."""
    silent = draws.chance(VARIATION.silent_share, m)
    expression = draws.factor(VARIATION.expression_sigma, m)
    return well["protein_peak"] * torch.where(silent, expression * draws.uniform(m, high=0.12), expression)


def stain_cell(cells: Cells, well: Wells, maps: Maps, draws: Draws) -> Tensor:
    """Return the cell stain's light, (m, pixels): the cytoplasm, weaker in vacuoles, mostly brighter in nuclei."""
    amount = well["cell_peak"] * draws.factor(VARIATION.stain_sigma, len(cells)) * torch.where(cells.bud, 0.85, 1.0)
    holes = (1 - well["cell_vacuole_hole"][:, None] * maps.vacuole) * (1 + well["cell_nucleus"][:, None] * maps.nucleus)
    return amount[:, None] * maps.body * holes * (1 + 0.16 * maps.grain).clamp(min=0.3)


def stain_protein(cells: Cells, organelles: Organelles, well: Wells, maps: Maps, peak: Tensor, draws: Draws) -> Tensor:
    """Return the protein's light without dots and tubes, (m, pixels): components weighted by the well's pattern.

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
