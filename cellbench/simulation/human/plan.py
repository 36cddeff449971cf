"""Which combination of labels a simulated slide has, and which crop lies on which slide."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS
from ...core.errors import DataError
from ..planning import SEED, apportion, generator
from .atlas import COUNTS, SETS
from .structures import Structure

IMAGES_PER_SLIDE = 4
MIN_SLIDES = {"train": 3, "val": 2, "test": 2}  # with each label, so at least as many images


@dataclass(frozen=True, eq=False)
class Plan:
    """Which crops to draw: the slide of each, (n,) int64, and the labels of each slide, (slides, places) bool."""

    slides: NDArray[np.int64]
    slide_labels: NDArray[np.bool_]

    @property
    def labels(self) -> NDArray[np.bool_]:
        return self.slide_labels[self.slides]


def plan(n: int, part: str, places: tuple[Structure, ...], seed: int = SEED) -> Plan:
    """Give each slide a combination of the labels `places` and about IMAGES_PER_SLIDE crops, and shuffle the crops.

    The Atlas's images are listed in the order of their labels, and slides are taken at even steps through that list: so
    frequencies are the Atlas's to within about a slide. A label that then has fewer slides than MIN_SLIDES gets the
    missing ones, with a single crop each. It computes with whole numbers alone.
    """
    if part not in PARTS:
        raise DataError(f"part is {part!r}; allowed are {', '.join(PARTS)}")
    if n < 4 * len(places):
        raise DataError(f"{n} images asked for; at least {4 * len(places)} are needed for {len(places)} labels")
    rng = generator(seed, part, "plan")
    sets, counts = label_sets(places)
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


@cache
def label_sets(places: tuple[Structure, ...]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return the combinations of `places` in the Atlas and how many images have each.

    Combinations are (sets, places) bool, numbers of images (sets,) int64. Other labels are struck out,
    and images that keep none are left out. Combinations are ordered by their rarest label, then by the next rarest, and
    so on, so that neighbours are alike.
    """
    counts: dict[tuple[Structure, ...], int] = {}
    rarity = {place: COUNTS[place] for place in places}
    for entry in SETS.split():
        names, images = entry.split(":")
        labels = (Structure(int(label)) for label in names.split("+"))
        kept = sorted((label for label in labels if label in rarity), key=rarity.__getitem__)
        counts[tuple(kept)] = counts.get(tuple(kept), 0) + int(images)
    counts.pop((), None)
    ordered = sorted(counts, key=lambda kept: [rarity[label] for label in kept])
    sets = np.zeros((len(ordered), len(places)), bool)
    position = {place: i for i, place in enumerate(places)}
    for row, combination in enumerate(ordered):
        sets[row, [position[label] for label in combination]] = True
    return sets, np.array([counts[combination] for combination in ordered])


def _evenly(counts: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return `n` row numbers at even steps, from a random start, through a list that holds row i counts[i] times."""
    total = int(counts.sum())
    places = (int(rng.integers(total)) + total * np.arange(n)) // n
    return np.searchsorted(np.cumsum(counts), places, side="right")
