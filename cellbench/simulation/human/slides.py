"""What all crops of a simulated slide share: where its protein is, and the conditions of its images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .structures import Structure

Range = tuple[float, float]


@dataclass(frozen=True)
class Conditions:
    """How slides differ beside their pattern. Sigmas are those of log-normal factors; ranges are uniform."""

    weight: Range = (0.35, 1.0)  # of a pattern, before the strongest of a slide is set to 1
    unspecific: float = 0.04  # mean weight of nucleoplasm and cytosol where they are no label
    everywhere: float = 0.03  # mean light of the antibody anywhere in the cell
    expression: Range = (0.12, 0.45)  # sigma between the cells of a slide
    size: Range = (0.8, 1.12)  # cell lines differ in size,
    spread: Range = (0.4, 1.3)  # in how far they depart from circles,
    crowding: Range = (1.5, 5.5)  # and in density: mean number of neighbours
    blur: Range = (0.6, 1.1)  # sigma of the point spread, pixels
    halo: Range = (0.05, 0.2)  # share of light in its wide tail
    bleed: float = 0.015  # mean share of the microtubules' light in the protein channel
    grey: tuple[float, ...] = (110.0, 120.0, 170.0, 165.0)  # grey level of a bright structure, by channel
    grey_sigma: tuple[float, ...] = (0.3, 0.4, 0.3, 0.35)
    background: float = 0.02  # mean, in units of a bright structure
    photons: float = 90.0  # from a bright structure, a pixel
    photons_sigma: float = 0.5
    read_noise: float = 0.012


CONDITIONS = Conditions()


def draw_slides(labels: NDArray[np.bool_], conditions: Conditions, rng: np.random.Generator) -> dict[str, NDArray]:
    """Draw what a slide's crops have in common, its pattern and conditions: columns by name, a row for each slide.

    labels: (slides, 28), the Atlas's labels of each slide.
    """
    n, c = len(labels), conditions

    def between(limits: Range, *shape: int) -> NDArray:
        return limits[0] + (limits[1] - limits[0]) * rng.random((n, *shape))

    weights = between(c.weight, len(Structure)) * labels
    weights /= weights.max(1, keepdims=True)
    for label in (Structure.NUCLEOPLASM, Structure.CYTOSOL):
        unspecific = np.minimum(rng.exponential(c.unspecific, n), 0.2)
        weights[:, label] = np.where(labels[:, label], weights[:, label], unspecific)
    crowding = between(c.crowding)
    crowding[labels[:, Structure.CELL_JUNCTIONS]] += 2  # there must be neighbours to touch
    grey = np.array(c.grey) * np.exp(np.array(c.grey_sigma) * rng.standard_normal((n, len(c.grey))))
    photons = c.photons * np.exp(c.photons_sigma * rng.standard_normal(n))
    return {
        "weights": weights,
        "everywhere": rng.exponential(c.everywhere, n),
        "expression_sigma": between(c.expression),
        "size": between(c.size),
        "spread": between(c.spread),
        "crowding": crowding,
        "nucleus_size": between((0.88, 1.12)),
        "nucleoli": between((0.9, 2.8)),
        "nucleolus_hole": between((0.1, 0.85)),
        "grain": between((0.04, 0.22)),
        "rim": between((0.7, 1.3)),
        "er_reach": between((6.0, 16.0)),
        "blur": between(c.blur),
        "halo": between(c.halo),
        "bleed": rng.exponential(c.bleed, n),
        "background": c.background * np.exp(0.6 * rng.standard_normal((n, len(c.grey)))),
        "photons": np.repeat(photons[:, None], len(c.grey), 1),
        "read_noise": np.full(n, c.read_noise),
        "gain": np.clip(grey, 30, 240),
    }
