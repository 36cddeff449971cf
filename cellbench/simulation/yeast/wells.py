"""What all cells of a simulated well share: the pattern of its protein, and the conditions of its images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .patterns import DOT_DEFAULTS, MIXED_COMPONENTS, PATTERNS, PROTEIN_PEAKS, Range


@dataclass(frozen=True)
class Conditions:
    """How wells differ beside their pattern; this sets the difficulty. Sigmas are those of log-normal factors."""

    spread: float = 0.7  # width of every range between wells, here and in PATTERNS: 1 is as written
    mixing: float = 0.04  # mean weight of a second localisation
    foreign_share: float = 0.065  # cells that show another well's pattern, as after a wrong segmentation
    protein_sigma: float = 0.32
    cell_peak: float = 4.6
    cell_peak_sigma: float = 0.22
    protein_grey: float = 60.0  # grey level that the camera gives to the peak
    protein_grey_sigma: float = 0.42
    cell_grey: float = 46.0
    cell_grey_sigma: float = 0.5
    autofluorescence: float = 0.55
    autofluorescence_sigma: float = 0.5
    bleed: float = 0.03  # mean share of the protein's light that the cell channel sees
    blur: Range = (1.3, 2.1)  # sigma of the point spread, pixels
    halo: Range = (0.036, 0.144)  # share of light in its wide tail
    crowding: Range = (0.3, 2.2)  # mean number of neighbours
    size_sigma: float = 0.07
    grain: float = 0.16
    grain_sigma: float = 0.5
    background_sigma: float = 0.15
    photons: float = 40.0  # for each unit of brightness
    photons_sigma: float = 0.35
    read_noise: float = 0.2


CONDITIONS = Conditions()


def draw_wells(well_labels: NDArray[np.int64], conditions: Conditions, rng: np.random.Generator) -> dict[str, NDArray]:
    """Draw what a well's cells have in common, its pattern and conditions: columns by name, a row for each well."""
    return _draw_patterns(well_labels, conditions, rng) | _draw_conditions(well_labels, conditions, rng)


def _draw_patterns(labels: NDArray[np.int64], conditions: Conditions, rng: np.random.Generator) -> dict[str, NDArray]:
    """Draw what each well's protein looks like, with some of another well's pattern mixed in."""
    n = len(labels)
    table = {name: np.zeros(n) for name in MIXED_COMPONENTS}
    table |= {name: np.full(n, value) for name, value in DOT_DEFAULTS.items()}
    for label, name in enumerate(PATTERNS):
        rows = np.flatnonzero(labels == label)
        looks = PATTERNS[name]
        look_of = rng.permutation(len(rows)) % len(looks)
        for i, look in enumerate(looks):
            wells = rows[look_of == i]
            for component, between in look.items():
                table[component][wells] = np.maximum(_uniform(rng, between, len(wells), conditions), 0)
    other = rng.permutation(n)
    weight = 0.8 * np.minimum(rng.exponential(conditions.mixing, n), 0.6)
    mixed = {name: table[name] + weight * table[name][other] for name in MIXED_COMPONENTS}
    return table | mixed


def _draw_conditions(labels: NDArray[np.int64], conditions: Conditions, rng: np.random.Generator) -> dict[str, NDArray]:
    """Draw each well's microscope and camera, and what its cells have in common apart from the pattern."""
    n, c = len(labels), conditions

    def factor(sigma: float) -> NDArray:
        return np.exp(sigma * rng.standard_normal(n))

    def between(low: float, high: float) -> NDArray:
        return _uniform(rng, (low, high), n, c)

    cell_peak = np.clip(c.cell_peak * factor(c.cell_peak_sigma), 2, 8)
    protein_peak = np.clip(np.take(PROTEIN_PEAKS, labels) * factor(c.protein_sigma), 0.8, 90)
    cell_grey = np.clip(c.cell_grey * factor(c.cell_grey_sigma), 8, 150)
    protein_grey = np.clip(c.protein_grey * factor(c.protein_grey_sigma), 18, 170)
    return {
        "cell_peak": cell_peak,
        "cell_gain": cell_grey / (1 + cell_peak),  # the background adds 1 to a peak
        "protein_peak": protein_peak,
        "protein_gain": np.clip(protein_grey / (1 + protein_peak), 0.7, 20),
        "blur": between(*c.blur),
        "halo": between(*c.halo),
        "autofluorescence": c.autofluorescence * factor(c.autofluorescence_sigma),
        "bleed": rng.exponential(c.bleed, n),
        "cell_vacuole_hole": between(0.1, 0.75),
        "cell_nucleus": 0.06 + 0.1 * rng.standard_normal(n),
        "protein_vacuole_hole": between(0.05, 0.9),
        "background": factor(c.background_sigma),
        "size": factor(c.size_sigma),
        "crowding": between(*c.crowding),
        "photons": c.photons * factor(c.photons_sigma),
        "read_noise": np.full(n, c.read_noise),
        "grain": c.grain * factor(c.grain_sigma),
        "nucleus_size": between(0.40, 0.54),
        "rim_lumpiness": between(0.2, 0.7),
        "membrane_lumpiness": between(0.15, 0.8),
        "nucleolus_offset": between(0.25, 0.75),
        "nucleolus_size": between(0.42, 0.85),
    }


def _uniform(rng: np.random.Generator, between: Range, n: int, conditions: Conditions) -> NDArray:
    low, high = between
    return (low + high) / 2 + conditions.spread * (high - low) * (rng.random(n) - 0.5)
