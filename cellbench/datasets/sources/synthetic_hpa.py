"""Simulated human cells in the layout of the Human Protein Atlas: four stains, several labels an image.

Which labels an image has is as in the contest's own label file; how they look is simulated, from what the Atlas says of
each localisation. No figure of any method was used to set the looks or the conditions, so the difficulty is whatever it
came to be. Measured once afterwards on the ten labels, test part, 1,200 training images at 64×64, thresholds from val:

    every label everywhere:                                         macro-F1 0.241, mean average precision 0.148
    one-vs-rest RBF SVM, C=10, on 32×32 pixels:                     macro-F1 0.296, mean average precision 0.259
    the same on HOG of the protein and nucleus channels:            macro-F1 0.358, mean average precision 0.363
    ResNet-18, 12 epochs of one-cycle AdamW, flips and rotations:   macro-F1 0.645, mean average precision 0.690

Patterns that look alike in the Atlas (endosomes and lysosomes; centrosome and microtubule organizing center) share a
painter, or its idea, with other numbers, and are as hard to tell apart as those numbers make them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset, Info
from ...core.errors import DataError
from ...simulation.assembly import apportion, assemble
from ..registry import dataset
from .hpa import HPA10, HPA28

ATLAS = HPA28.labels
TEN = HPA10.labels  # each is one of the 28 by name
CHANNELS = HPA28.channels
SHAPE = (len(CHANNELS), 128, 128)

# Counted in train.csv of that contest, 31,072 images: how many have each label, and how many have one label, two, ...
ATLAS_COUNTS = (
    *(12885, 1254, 3621, 1561, 1858, 2513, 1008, 2822, 53, 45, 28, 1093, 688, 537),
    *(1066, 21, 530, 210, 902, 1482, 172, 3777, 802, 2965, 322, 8228, 328, 11),
)
ATLAS_LABELS_AN_IMAGE = (15126, 12485, 3160, 299, 2)
# The same with the ten only: other labels are struck out, the 3,593 images that keep none are left out, 27,479 stay.
TEN_COUNTS = (2965, 2513, 3621, 2822, 12885, 1561, 8228, 3777, 1482, 1858)
TEN_LABELS_AN_IMAGE = (15200, 10413, 1778, 88)

# All 577 combinations of labels in that file and the images that have each: 0+25:1998 is Nucleoplasm with Cytosol.
# Frequencies, numbers of labels an image and which labels go together all follow from it.
ATLAS_SETS = """
0:2414 0+1:317 0+1+2:45 0+1+2+4:13 0+1+2+7:7 0+1+2+13:2 0+1+2+23:3 0+1+3:6 0+1+5:7 0+1+5+19:2 0+1+5+21:1
0+1+5+25:1 0+1+6:2 0+1+7:8 0+1+7+21:5 0+1+7+25:8 0+1+11:8 0+1+12+21:1 0+1+13:12 0+1+14:2 0+1+18:7 0+1+18+25:1
0+1+19:6 0+1+21:18 0+1+21+25:3 0+1+22:3 0+1+23:9 0+1+23+25:1 0+1+25:102 0+2:996 0+2+3:4 0+2+5:20 0+2+5+23:1
0+2+6:4 0+2+6+16:3 0+2+6+25:1 0+2+7:75 0+2+7+13+25:1 0+2+7+21:2 0+2+7+22:1 0+2+7+25:6 0+2+11:18 0+2+11+25:18
0+2+12:9 0+2+12+25:2 0+2+13:3 0+2+13+25:4 0+2+14:15 0+2+15:1 0+2+16:15 0+2+16+25:2 0+2+18:4 0+2+18+21:2 0+2+19:16
0+2+19+21:3 0+2+19+25:5 0+2+20:5 0+2+21:41 0+2+21+25:28 0+2+22:27 0+2+22+25:2 0+2+23:54 0+2+23+25:3 0+2+24:8
0+2+25:257 0+2+26:8 0+2+27:1 0+3:383 0+3+5+25:5 0+3+5+26:2 0+3+6+25:5 0+3+7:11 0+3+7+19:1 0+3+11:7 0+3+13+25:2
0+3+14:10 0+3+16:1 0+3+18+25:2 0+3+19:10 0+3+21:4 0+3+21+23:1 0+3+21+26:1 0+3+22:3 0+3+23:15 0+3+25:96 0+3+26:2
0+4:75 0+4+11:2 0+4+21:5 0+4+25:2 0+5:479 0+5+6:1 0+5+7:25 0+5+11:10 0+5+12:1 0+5+12+26:7 0+5+13:7 0+5+15:8
0+5+16:9 0+5+16+25:1 0+5+19:10 0+5+21:35 0+5+21+25:5 0+5+22:5 0+5+23:11 0+5+24:6 0+5+25:143 0+5+27:4 0+6:52
0+6+11:1 0+6+16:2 0+6+19:1 0+6+21+25:3 0+6+25:14 0+7:668 0+7+12:9 0+7+13:12 0+7+13+22:1 0+7+13+25:4 0+7+14:2
0+7+16:7 0+7+18:1 0+7+19:5 0+7+19+25:2 0+7+21:52 0+7+21+25:20 0+7+22:10 0+7+22+25:1 0+7+23:4 0+7+25:144 0+8:5
0+11:150 0+11+16:2 0+11+19:12 0+11+25:31 0+12:84 0+12+13:2 0+12+13+21:4 0+12+16:1 0+12+16+25:1 0+12+19:2
0+12+19+25:2 0+12+21:20 0+12+21+25:6 0+12+23:11 0+12+25:38 0+13:67 0+13+19:5 0+13+21:14 0+13+21+23:1 0+13+21+25:5
0+13+25:32 0+14:129 0+14+16:19 0+14+16+17:3 0+14+16+21:2 0+14+16+23:1 0+14+16+25:3 0+14+19:2 0+14+21:6 0+14+25:23
0+15:3 0+16:75 0+16+17:7 0+16+17+18:14 0+16+17+21:2 0+16+17+25:15 0+16+19:6 0+16+19+21:1 0+16+21:9 0+16+22:7
0+16+23:3 0+16+24:5 0+16+25:70 0+17:14 0+17+19+25:1 0+17+21:1 0+17+23:3 0+17+25:15 0+18:153 0+18+21:12
0+18+21+23:6 0+18+22:1 0+18+22+25:4 0+18+23:1 0+18+25:71 0+19:395 0+19+21:21 0+19+21+25:1 0+19+22:6 0+19+23:7
0+19+23+24:1 0+19+25:91 0+20:36 0+20+23:14 0+20+25:3 0+21:769 0+21+22:15 0+21+23:9 0+21+24:1 0+21+25:206 0+21+26:2
0+22:192 0+22+23:7 0+22+24:2 0+22+25:38 0+23:572 0+23+25:61 0+23+26:3 0+24:42 0+24+25:13 0+25:1998 0+25+26:9
0+26:81 0+27:2 1:271 1+2:60 1+2+5+21:2 1+2+7:2 1+2+7+25:1 1+2+19:2 1+2+21:2 1+2+21+25:2 1+2+25:6 1+3:8 1+3+4:5
1+4:26 1+4+7:2 1+4+25:6 1+5:15 1+5+7:6 1+5+25:5 1+6:19 1+7:11 1+7+25:6 1+11:5 1+12:1 1+12+21:5 1+14:2 1+18:2
1+18+25:1 1+19:7 1+19+21+25:2 1+21:20 1+21+25:15 1+22:3 1+22+23:1 1+23:31 1+24:1 1+25:101 2:808 2+4:23 2+4+7:5
2+4+25:6 2+4+26:1 2+5:18 2+5+6+25:2 2+5+12:1 2+5+22:1 2+5+25:14 2+6:29 2+6+14:3 2+6+25:37 2+7:71 2+7+8:1 2+7+16:2
2+7+21+25:2 2+7+22:1 2+7+25:12 2+8:10 2+11:36 2+11+19:1 2+11+22:2 2+11+25:6 2+12:2 2+12+21:4 2+12+23:1 2+12+25:6
2+13:2 2+13+23:2 2+14:40 2+14+17+25:6 2+14+25:10 2+15+16:9 2+16:2 2+16+21:6 2+16+22:1 2+16+23:1 2+16+25:5
2+16+26:2 2+17+19:1 2+18:9 2+18+23:3 2+19:20 2+19+21:6 2+19+25:2 2+20:1 2+21:75 2+21+23:18 2+21+25:23 2+22:13
2+22+23:2 2+22+25:2 2+23:128 2+23+25:10 2+24:4 2+25:301 3:654 3+4:8 3+4+7:1 3+4+12+18:2 3+4+21+25:2 3+4+25:5 3+5:5
3+5+23:2 3+6:17 3+6+25:2 3+7:26 3+7+25:1 3+8:4 3+11:5 3+11+25:2 3+12:1 3+12+25:1 3+13:6 3+14:6 3+14+16:1 3+16:1
3+16+25:2 3+18:1 3+19:7 3+19+25:2 3+21:18 3+21+22+25:2 3+21+25:7 3+22:11 3+23:29 3+23+25:4 3+24:3 3+25:132 3+26:7
4:1077 4+5:5 4+6:2 4+7:21 4+7+12:2 4+7+21:4 4+7+25:7 4+11:11 4+11+19:2 4+12:13 4+12+21:4 4+12+25:3 4+13:5
4+13+21:4 4+13+21+22+25:1 4+13+25:1 4+14:10 4+14+16:8 4+16+25:2 4+18:5 4+18+21:6 4+18+25:3 4+19:10 4+19+21:2
4+19+25:1 4+19+27:1 4+20:2 4+21:76 4+21+22:10 4+21+25:21 4+22:13 4+23:44 4+24:8 4+25:269 4+26:16 5:983 5+6:11
5+7:44 5+7+14+25:1 5+7+22:1 5+7+25:3 5+11:14 5+11+25:1 5+12:10 5+12+21:1 5+13:2 5+14:23 5+14+16:6 5+16:3 5+16+25:1
5+17:3 5+18:9 5+18+25:4 5+19:12 5+19+25:3 5+21:64 5+21+25:12 5+22:13 5+23:27 5+23+25:4 5+24:24 5+25:350 5+26:2
6:622 6+7:22 6+7+25:2 6+9+10:11 6+12:1 6+12+21:1 6+13:2 6+14:3 6+16:4 6+18:6 6+19:3 6+20:6 6+21:22 6+21+25:5
6+22:2 6+23:5 6+25:80 7:1163 7+11:2 7+11+14:3 7+12:1 7+12+21:1 7+12+25:2 7+13:3 7+14:7 7+14+18+21:1 7+16:19
7+16+17:4 7+16+19:5 7+17:1 7+17+25:1 7+18:7 7+19:9 7+21:38 7+21+22:3 7+21+24+25:1 7+21+25:10 7+22:8 7+22+25:3
7+23:3 7+24:4 7+25:173 7+26:1 8:31 8+21+25:2 9:17 9+10:17 11:601 11+12:1 11+12+23:1 11+12+25:1 11+13:8 11+13+21:1
11+14:2 11+14+21:1 11+14+25:3 11+16:3 11+18:1 11+19:6 11+19+25:1 11+21:11 11+21+23:1 11+21+25:8 11+22:7 11+23:3
11+24:16 11+24+25:2 11+25:66 12:232 12+13:10 12+13+21:2 12+14:10 12+14+19:1 12+18:2 12+19:6 12+19+25:4 12+21:55
12+21+22:5 12+21+23:1 12+21+25:22 12+23:4 12+25:68 13:157 13+14:2 13+18:12 13+19+25:6 13+21:57 13+21+22:2
13+21+22+25:3 13+21+25:17 13+22:4 13+25:50 14:484 14+16:30 14+16+17:18 14+16+21:2 14+16+25:9 14+17:15 14+17+21:4
14+18:5 14+18+25:2 14+19:9 14+21:17 14+21+25:9 14+22:3 14+23:2 14+25:91 16:27 16+17:2 16+17+18:8 16+17+22:1
16+17+25:3 16+18+22+25:3 16+18+25:1 16+19+25:1 16+21:14 16+21+25:2 16+22:2 16+23:4 16+24:1 16+25:29 17+18:5
17+18+21:9 17+18+25:13 17+19:8 17+21:11 17+25:22 18:314 18+21:18 18+21+25:8 18+22:3 18+23:5 18+24:10 18+25:143
18+25+26:2 19:522 19+21:23 19+21+22:1 19+21+23:2 19+21+25:12 19+22:4 19+22+25:3 19+23:24 19+23+25:1 19+25:136
20:98 20+23:1 20+23+25:2 20+25:4 21:1058 21+22:72 21+22+25:11 21+23:20 21+23+25:10 21+24:5 21+24+25:2 21+25:425
21+25+26:8 21+26:5 22:213 22+23:8 22+24:3 22+25:36 23:1653 23+24:3 23+25:101 23+27:2 24:122 24+25:35 25:1470
25+26:35 26:134 27:1
"""

SIZES = {"train": 1200, "val": 400, "test": 600}
SEED = 0
IMAGES_PER_SLIDE = 4
MIN_SLIDES = {"train": 3, "val": 2, "test": 2}  # with each label, so at least as many images

INFO = Info(
    licence="MIT (simulated by cellbench)",
    citation=(
        "Simulated by cellbench; labels, their combinations and the four stains follow the Human Protein Atlas "
        "(proteinatlas.org) and its contest on Kaggle in 2018 (Ouyang et al., Nature Methods 16, 2019)."
    ),
    synthetic=True,
    notes=(
        "Simulated images, not photographs: no claim about real cells can rest on them.",
        "A slide holds one antibody, so one combination of labels; slides don't straddle the split.",
        "Labels too rare for a part of this size are on a few single-image slides there, so they are more frequent "
        "than in the Atlas.",
    ),
)

Range = tuple[float, float]


@dataclass(frozen=True)
class Conditions:
    """How slides differ beside their pattern. Sigmas are those of log-normal factors; ranges are drawn from evenly."""

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
    background: float = 0.02  # mean, of a bright structure
    photons: float = 90.0  # from a bright structure, a pixel
    photons_sigma: float = 0.5
    read_noise: float = 0.012


CONDITIONS = Conditions()


@dataclass(frozen=True, eq=False)
class Plan:
    """Which crops to draw: the slide of each, (n,) int64, and the labels of each slide, (slides, classes) bool."""

    slides: NDArray[np.int64]
    slide_labels: NDArray[np.bool_]

    @property
    def labels(self) -> NDArray[np.bool_]:
        return self.slide_labels[self.slides]


@dataclass(frozen=True, eq=False)
class Crops:
    """Simulated crops: images (n, 4, 128, 128) uint8, labels (n, classes) bool, slides (n,) int64 from 0."""

    images: NDArray[np.uint8]
    labels: NDArray[np.bool_]
    slides: NDArray[np.int64]


def build(name: str, classes: tuple[str, ...], scratch: Path, source: Path | None) -> Dataset:
    """1,200 / 400 / 600 images, made in seconds."""
    return simulate_dataset(name, SIZES, classes)


def simulate_dataset(name: str, sizes: Mapping[str, int], classes: tuple[str, ...], seed: int = SEED) -> Dataset:
    """A data set with so many images in each part."""

    def fill(part: str, out: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        crops = simulate(sizes[part], part, classes, seed, out=out)
        return crops.labels, crops.slides

    return assemble(name, sizes, SHAPE, fill, classes=classes, channels=CHANNELS, split="by-slide", info=INFO)


def simulate(
    n: int,
    part: str = "train",
    classes: tuple[str, ...] = TEN,
    seed: int = SEED,
    conditions: Conditions = CONDITIONS,
    out: NDArray[np.uint8] | None = None,
) -> Crops:
    """Simulate `n` crops; another part or seed means other slides. out: written in place, if given."""
    from ...simulation import hpa_renderer  # here, not above: listing the data sets must not wait for torch

    planned = plan(n, part, classes, seed)
    images = np.empty((n, *SHAPE), np.uint8) if out is None else out
    atlas = np.zeros((len(planned.slide_labels), len(ATLAS)), bool)
    atlas[:, [ATLAS.index(name) for name in classes]] = planned.slide_labels
    slides = draw_slides(atlas, conditions, _generator(seed, part, "slides"))
    seeds = _generator(seed, part, "chunks").integers(2**32, size=-(-n // hpa_renderer.CHUNK))
    hpa_renderer.render(slides, planned.slides, seeds, images)
    return Crops(images, planned.labels, planned.slides)


@cache
def label_sets(classes: tuple[str, ...]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Combinations of `classes` in the Atlas, (sets, classes) bool, and the images with each, (sets,) int64.

    Labels that aren't among `classes` are struck out, and images that keep none are left out. Sets with a rare label
    come first, ordered by their rarest label, then by the next: neighbours are alike.
    """
    counts: dict[tuple[int, ...], int] = {}
    rarity = {ATLAS.index(name): ATLAS_COUNTS[ATLAS.index(name)] for name in classes}
    for entry in ATLAS_SETS.split():
        names, images = entry.split(":")
        kept = sorted((int(label) for label in names.split("+") if int(label) in rarity), key=rarity.__getitem__)
        counts[tuple(kept)] = counts.get(tuple(kept), 0) + int(images)
    counts.pop((), None)
    ordered = sorted(counts, key=lambda kept: [rarity[label] for label in kept])
    sets = np.zeros((len(ordered), len(classes)), bool)
    position = {ATLAS.index(name): i for i, name in enumerate(classes)}
    for row, labels in enumerate(ordered):
        sets[row, [position[label] for label in labels]] = True
    return sets, np.array([counts[labels] for labels in ordered])


def plan(n: int, part: str, classes: tuple[str, ...] = TEN, seed: int = SEED) -> Plan:
    """Give each slide a combination of labels and about IMAGES_PER_SLIDE crops, and shuffle the crops.

    Slides take evenly spaced places in the list of the Atlas's images, ordered by their labels, so that frequencies
    are the Atlas's to within about a slide. A label that then has fewer than MIN_SLIDES gets the missing ones, of a
    single crop each. Whole numbers throughout.
    """
    if part not in PARTS:
        raise DataError(f"part is {part!r}; allowed are {', '.join(PARTS)}")
    if n < 4 * len(classes):
        raise DataError(f"{n} images asked for; at least {4 * len(classes)} are needed for {len(classes)} labels")
    rng = _generator(seed, part, "plan")
    sets, counts = label_sets(classes)
    n_slides = round(n / IMAGES_PER_SLIDE)
    chosen = _evenly(counts, n_slides, rng)
    have, extra = sets[chosen].sum(0), np.zeros(0, np.int64)
    for label in np.argsort(counts @ sets, kind="stable"):
        missing = MIN_SLIDES[part] - have[label]
        if missing > 0:
            added = _evenly(counts * sets[:, label], int(missing), rng)
            have, extra = have + sets[added].sum(0), np.concatenate([extra, added])
    sizes = 1 + apportion(n - len(extra) - n_slides, [int(weight) for weight in rng.integers(2, 5, size=n_slides)])
    slides = np.repeat(np.arange(n_slides + len(extra)), np.concatenate([sizes, np.ones(len(extra), np.int64)]))
    return Plan(rng.permutation(slides), sets[np.concatenate([chosen, extra])])


def _evenly(counts: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`n` rows at even steps through a list in which each row stands `counts` times."""
    total = int(counts.sum())
    places = (int(rng.integers(total)) + total * np.arange(n)) // n
    return np.searchsorted(np.cumsum(counts), places, side="right")


def draw_slides(labels: NDArray[np.bool_], conditions: Conditions, rng: np.random.Generator) -> dict[str, NDArray]:
    """Everything that a slide's crops have in common: its pattern and its conditions, one column each.

    labels: (slides, 28), the Atlas's labels of each slide.
    """
    n, c = len(labels), conditions

    def between(limits: Range, *shape: int) -> NDArray:
        return limits[0] + (limits[1] - limits[0]) * rng.random((n, *shape))

    weights = between(c.weight, len(ATLAS)) * labels
    weights /= weights.max(1, keepdims=True)
    for name in ("Nucleoplasm", "Cytosol"):
        label = ATLAS.index(name)
        unspecific = np.minimum(rng.exponential(c.unspecific, n), 0.2)
        weights[:, label] = np.where(labels[:, label], weights[:, label], unspecific)
    crowding = between(c.crowding)
    crowding[labels[:, ATLAS.index("Cell junctions")]] += 2  # there must be neighbours to touch
    grey = np.array(c.grey) * np.exp(np.array(c.grey_sigma) * rng.standard_normal((n, len(CHANNELS))))
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
        "background": c.background * np.exp(0.6 * rng.standard_normal((n, len(CHANNELS)))),
        "photons": np.repeat(photons[:, None], len(CHANNELS), 1),
        "read_noise": np.full(n, c.read_noise),
        "gain": np.clip(grey, 30, 240),
    }


def _generator(seed: int, part: str, purpose: str) -> np.random.Generator:
    return np.random.default_rng([seed, PARTS.index(part), ("plan", "slides", "chunks").index(purpose)])


for _name, _classes, _labels in (
    ("synthetic-hpa", TEN, "10 labels in the Human Protein Atlas's combinations"),
    ("synthetic-hpa28", ATLAS, "all 28 labels of the Human Protein Atlas's contest"),
):
    dataset(
        _name,
        summary=f"simulated human cells, {_labels}, several an image",
        licence=INFO.licence,
        size=f"{sum(SIZES.values()):,} images, {SHAPE[1]}×{SHAPE[2]}",
        classes=_classes,
        channels=CHANNELS,
        made_on_demand=True,
        revision=1,
        defaults={"epochs": 12},
    )(partial(build, _name, _classes))
