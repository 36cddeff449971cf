"""Simulated yeast cells in DeepYeast's layout: the embedded default data set, and one of DeepYeast's full size.

The look follows 36 real cells: grey levels, noise and power spectra of both channels were compared with theirs. The
difficulty was set to two targets before any methods were compared, and then frozen: the yeast study's SVM (30×30 pixels
of three channels over their mean, RBF, gamma=0.001, C=1) at 45-50 % with 5,000 cells, for which 49.1 % is claimed on
real ones, and a ResNet-18 at 80-86 % with 10,000. On seeds that tuned nothing, 2,500 test cells from other wells:

    SVM, 5,000 training cells, seeds 301-304:     48.2, 47.1, 47.6, 45.5 %; mean 47.1
    ResNet-18, 10,000 cells, seed 301, one run:   84.6 % (12 epochs of one-cycle SGD, label smoothing, augmentation)

Peroxisomes, 2.6 % of the cells, are the rarest and hardest class: recall 0.00-0.02 with that SVM, 0.51 with that net.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset, Info
from ...core.errors import DataError
from ...simulation.assembly import apportion, assemble
from ..files import cache
from ..registry import dataset

CLASSES = (
    "cell periphery",
    "cytoplasm",
    "endosome",
    "er",
    "golgi",
    "mitochondrion",
    "nuclear periphery",
    "nucleolus",
    "nucleus",
    "peroxisome",
    "spindle pole",
    "vacuole",
)
CHANNELS = ("cell", "protein")
SHAPE = (len(CHANNELS), 64, 64)

# Cells of each class in DeepYeast's own split (Pärnamaa & Parts 2017).
DEEPYEAST_COUNTS = {
    "train": (6924, 6935, 2692, 6195, 2770, 6547, 6661, 7014, 6440, 1683, 4713, 6426),
    "val": (961, 1223, 697, 1393, 208, 1560, 1252, 1147, 1312, 294, 1517, 936),
    "test": (1569, 1276, 689, 1755, 382, 1243, 1164, 1263, 1627, 164, 781, 587),
}
DEMO_SIZES = {"train": 1200, "val": 400, "test": 600}
SEED = 0
STRETCH = 256  # chunks rendered before a memory map is let go of: what is written needn't stay in memory
CELLS_PER_WELL = 10
MIN_WELLS = 3  # of each class in each part, so that a part never stands on one well's conditions

INFO = Info(
    licence="MIT (simulated by cellbench)",
    citation=(
        "Simulated by cellbench; classes, their proportions and the image layout follow DeepYeast "
        "(Pärnamaa & Parts, G3 7(5), 2017)."
    ),
    synthetic=True,
    notes=(
        "Simulated images, not photographs: no claim about real cells can rest on them.",
        "A well holds one protein, so one label; wells don't straddle the split.",
    ),
)

Counts = Sequence[int]
Range = tuple[float, float]

# What each localisation looks like. A well draws each component's weight from the range given here, in units of the
# brightness of the pattern's main structure; below zero counts as none, so a range from -1 to 1 gives the component to
# half of the wells. Classes with several looks share their wells evenly between them. `tubes` and `vesicles` are mean
# numbers a cell, `spindle_poles` is 1 plus the share of cells with two; `dots_in_focus` and `dots_near_focus` are
# shares. Peroxisomes are several small dots anywhere in the cytoplasm, spindle poles one or two on the nucleus.
PATTERNS: dict[str, tuple[dict[str, Range], ...]] = {
    "cell periphery": ({"membrane": (1.3, 2.3), "cytoplasm": (0.12, 0.8), "cortex": (0, 0.5)},),
    "cytoplasm": ({"cytoplasm": (0.9, 1.1), "nucleus": (-0.25, 0.25), "membrane": (0, 0.2)},),
    "endosome": (
        {
            "cytoplasm": (0.15, 0.45),
            "vesicles": (1.8, 4.2),
            "dot_light": (1.0, 1.7),
            "dots_in_focus": (0.05, 0.3),
            "dots_near_focus": (0.45, 0.65),
            "vesicles_on_vacuole": (0.4, 0.9),
            "vacuole_rim": (0, 0.2),
        },
    ),
    "er": ({"nuclear_rim": (0.6, 1.5), "cortex": (0.4, 1.4), "cytoplasm": (0.2, 0.7), "membrane": (0, 0.5)},),
    "golgi": (
        {
            "cytoplasm": (0.2, 0.55),
            "vesicles": (4, 9),
            "dot_light": (0.6, 1.0),
            "dots_in_focus": (0.02, 0.2),
            "dots_near_focus": (0.25, 0.45),
            "vesicles_on_vacuole": (0, 0.25),
            "vacuole": (-0.3, 0.3),
        },
    ),
    "mitochondrion": (
        {
            "cytoplasm": (0.05, 0.3),
            "tubes": (2.6, 5.5),
            "dot_light": (0.7, 1.2),
            "dots_in_focus": (0.4, 0.75),
            "dots_near_focus": (0.2, 0.25),
            "vesicles": (0, 1),
            "nuclear_rim": (-0.8, 0.3),
        },
    ),
    "nuclear periphery": (
        {"nuclear_rim": (1.5, 2.4), "nucleus": (0, 0.4), "cytoplasm": (0.01, 0.15), "cortex": (-0.4, 0.2)},
    ),
    "nucleolus": ({"nucleolus": (1.0, 1.3), "nucleus": (0.02, 0.3), "cytoplasm": (0.005, 0.06)},),
    "nucleus": ({"nucleus": (0.9, 1.2), "cytoplasm": (0.02, 0.45), "nucleolus_hole": (-0.6, 0.6)},),
    "peroxisome": (
        {
            "cytoplasm": (0.06, 0.35),
            "vesicles": (4, 9),
            "dot_light": (0.7, 1.2),
            "dots_in_focus": (0.65, 0.9),
            "dots_near_focus": (0.1, 0.2),
            "vesicles_on_vacuole": (0, 0.1),
        },
    ),
    "spindle pole": (
        {
            "cytoplasm": (0.06, 0.35),
            "nucleus": (-0.1, 0.3),
            "spindle_poles": (1.1, 1.6),
            "dot_light": (1.2, 2.0),
            "dots_in_focus": (0.5, 0.8),
            "dots_near_focus": (0.15, 0.2),
        },
    ),
    "vacuole": (
        {"vacuole": (0.7, 1.2), "vacuole_rim": (-0.2, 0.6), "cytoplasm": (0.01, 0.2), "nuclear_rim": (-0.6, 0.3)},
        {"vacuole": (-0.2, 0.3), "vacuole_rim": (0.9, 1.8), "cytoplasm": (0.01, 0.2), "vesicles": (-1, 2)},
    ),
}
MIXED_COMPONENTS = (
    "cytoplasm",
    "nucleus",
    "nuclear_rim",
    "membrane",
    "cortex",
    "vacuole",
    "vacuole_rim",
    "nucleolus",
    "nucleolus_hole",
)
DOT_DEFAULTS = {
    "vesicles": 0.0,
    "vesicles_on_vacuole": 0.0,
    "spindle_poles": 0.0,
    "tubes": 0.0,
    "dot_light": 0.6,
    "dots_in_focus": 1.0,
    "dots_near_focus": 0.0,
}
# Median brightness of each pattern's main structure over the camera background, read off 36 real cells.
PROTEIN_PEAKS = (4.6, 6.5, 6.5, 7.5, 24.0, 15.0, 19.0, 62.0, 17.0, 11.0, 13.0, 26.0)


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
    photons: float = 40.0  # a unit of brightness
    photons_sigma: float = 0.35
    read_noise: float = 0.2


CONDITIONS = Conditions()


@dataclass(frozen=True, eq=False)
class Plan:
    """Which cells to draw: the class of each, (n,) int64, its well, (n,) int64, and the class of each well."""

    labels: NDArray[np.int64]
    wells: NDArray[np.int64]
    well_labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Crops:
    """Simulated cells: images (n, 2, 64, 64) uint8, labels and wells (n,) int64, wells counted from 0."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    wells: NDArray[np.int64]


@dataset(
    "synthetic-yeast",
    summary="simulated yeast cells, 12 protein localisations, DeepYeast's class imbalance",
    licence=INFO.licence,
    size="2,200 cells, 64×64",
    classes=CLASSES,
    channels=CHANNELS,
    standard=True,
    made_on_demand=True,
    revision=1,
    defaults={"epochs": 20},  # a demo is done in minutes
)
def build(scratch: Path, source: Path | None) -> Dataset:
    """The demo: 1,200 / 400 / 600 cells, made in seconds."""
    return simulate_dataset("synthetic-yeast", {part: class_counts(n) for part, n in DEMO_SIZES.items()})


@dataset(
    "synthetic-yeast-full",
    summary="simulated yeast cells in DeepYeast's full size, with its class counts in each part",
    licence=INFO.licence,
    size="90,000 cells, 64×64",
    classes=CLASSES,
    channels=CHANNELS,
    revision=1,
)
def build_full(scratch: Path, source: Path | None) -> Dataset:
    """65,000 / 12,500 / 12,500 cells in a memory map."""
    return simulate_dataset("synthetic-yeast-full", DEEPYEAST_COUNTS, images_file=scratch / cache.IMAGES)


def simulate_dataset(
    name: str, counts: Mapping[str, Counts], seed: int = SEED, images_file: Path | None = None
) -> Dataset:
    """A data set with `counts` cells of each class by part; images in memory, or in a memory map at `images_file`."""

    def fill(part: str, out: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        crops = simulate(counts[part], part, seed, out=out)
        return crops.labels, crops.wells

    return assemble(
        name,
        {part: sum(of_part) for part, of_part in counts.items()},
        SHAPE,
        fill,
        classes=CLASSES,
        channels=CHANNELS,
        split="by-well",
        info=INFO,
        images_file=images_file,
    )


def simulate(
    counts: int | Counts,
    part: str = "train",
    seed: int = SEED,
    conditions: Conditions = CONDITIONS,
    out: NDArray[np.uint8] | None = None,
) -> Crops:
    """Simulate cells; another part or seed means other wells.

    counts: cells of each class, or how many in all, then in DeepYeast's proportions. out: written in place, if given.
    """
    from ...simulation import yeast_renderer  # here, not above: listing the data sets must not wait for torch

    if part not in PARTS:
        raise DataError(f"part is {part!r}; allowed are {', '.join(PARTS)}")
    planned = plan(class_counts(counts) if isinstance(counts, int) else counts, part, seed)
    n = len(planned.labels)
    images = np.empty((n, *SHAPE), np.uint8) if out is None else out
    rng = _generator(seed, part, "wells")
    wells = draw_wells(planned.well_labels, conditions, rng)
    foreign = rng.random(n) < conditions.foreign_share
    shown = np.where(foreign, rng.integers(len(planned.well_labels), size=n), planned.wells)
    seeds = _generator(seed, part, "chunks").integers(2**32, size=-(-n // yeast_renderer.CHUNK))
    chunk = yeast_renderer.CHUNK
    for start in range(0, n, STRETCH * chunk):
        stretch = slice(start, start + STRETCH * chunk)
        render_seeds = seeds[start // chunk : start // chunk + STRETCH]
        yeast_renderer.render(wells, shown[stretch], render_seeds, images[stretch])
        cache.let_go(images)
    return Crops(images, planned.labels, planned.wells)


def class_counts(n: int) -> tuple[int, ...]:
    """`n` cells in the proportions of DeepYeast's training part, but at least MIN_WELLS of each class."""
    if n < MIN_WELLS * len(CLASSES):
        raise DataError(f"{n} cells asked for; at least {MIN_WELLS * len(CLASSES)} are needed, {MIN_WELLS} a class")
    counts = apportion(n, DEEPYEAST_COUNTS["train"])
    while counts.min() < MIN_WELLS:
        counts[counts.argmin()] += 1
        counts[counts.argmax()] -= 1
    return tuple(int(count) for count in counts)


def plan(counts: Counts, part: str, seed: int = SEED) -> Plan:
    """Share the cells of each class between wells of about CELLS_PER_WELL, and shuffle them."""
    rng = _generator(seed, part, "plan")
    labels, wells = [], []
    well_labels: list[int] = []
    for label, n in enumerate(counts):
        n_wells = min(n, max(MIN_WELLS, round(n / CELLS_PER_WELL)))
        # Nearly even sizes: a well that held much of a rare class would decide what the class looks like.
        sizes = apportion(n, [int(weight) for weight in rng.integers(7, 14, size=n_wells)])
        first = len(well_labels)
        labels.append(np.full(n, label))
        wells.append(np.repeat(np.arange(first, first + n_wells), sizes))
        well_labels += [label] * n_wells
    order = rng.permutation(sum(counts))
    return Plan(np.concatenate(labels)[order], np.concatenate(wells)[order], np.array(well_labels))


def draw_wells(well_labels: NDArray[np.int64], conditions: Conditions, rng: np.random.Generator) -> dict[str, NDArray]:
    """Everything that a well's cells have in common: its pattern and its conditions, one column each."""
    return _draw_patterns(well_labels, conditions, rng) | _draw_conditions(well_labels, conditions, rng)


def _draw_patterns(labels: NDArray[np.int64], conditions: Conditions, rng: np.random.Generator) -> dict[str, NDArray]:
    n = len(labels)
    table = {name: np.zeros(n) for name in MIXED_COMPONENTS}
    table |= {name: np.full(n, value) for name, value in DOT_DEFAULTS.items()}
    for label, name in enumerate(CLASSES):
        rows = np.flatnonzero(labels == label)
        looks = PATTERNS[name]
        look_of = rng.permutation(len(rows)) % len(looks)
        for i, look in enumerate(looks):
            mine = rows[look_of == i]
            for component, between in look.items():
                table[component][mine] = np.maximum(_uniform(rng, between, len(mine), conditions), 0)
    other = rng.permutation(n)
    weight = 0.8 * np.minimum(rng.exponential(conditions.mixing, n), 0.6)
    mixed = {name: table[name] + weight * table[name][other] for name in MIXED_COMPONENTS}
    return table | mixed


def _draw_conditions(labels: NDArray[np.int64], conditions: Conditions, rng: np.random.Generator) -> dict[str, NDArray]:
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


def _generator(seed: int, part: str, purpose: str) -> np.random.Generator:
    return np.random.default_rng([seed, PARTS.index(part), ("plan", "wells", "chunks").index(purpose)])
