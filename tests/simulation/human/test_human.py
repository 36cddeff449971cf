"""Simulated human cells, apart from the data sets that are made of them.

What is frozen: labels and slides come from whole numbers only, so their hash must be exact everywhere. Images come from
floating-point arithmetic, so their bytes have no hash: the mean and spread of each channel, and the protein channel's
mean for each label, must hold to 3 %, but for the labels of one chunk, the worst that rounding could do.
"""

import hashlib
import itertools

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from cellbench.core.data import PARTS
from cellbench.core.errors import DataError
from cellbench.simulation.drawing import Draws
from cellbench.simulation.human import renderer
from cellbench.simulation.human.atlas import COUNTS, LABELS_AN_IMAGE
from cellbench.simulation.human.cells import place_cells
from cellbench.simulation.human.crops import SHAPE, Crops, simulate
from cellbench.simulation.human.plan import MIN_SLIDES, label_sets, plan
from cellbench.simulation.human.slides import CONDITIONS, draw_slides
from cellbench.simulation.human.structures import Structure

from ..other_processors import hash_of, hash_without_vectors, with_threads

ALL = tuple(Structure)
TEN = (
    *(Structure.MITOCHONDRIA, Structure.NUCLEAR_BODIES, Structure.NUCLEOLI, Structure.GOLGI_APPARATUS),
    *(Structure.NUCLEOPLASM, Structure.NUCLEOLI_FIBRILLAR_CENTER, Structure.CYTOSOL, Structure.PLASMA_MEMBRANE),
    *(Structure.CENTROSOME, Structure.NUCLEAR_SPECKLES),
)
# With these ten only: other labels are struck out, the 3,593 images that keep none are left out, 27,479 stay.
TEN_COUNTS = (2965, 2513, 3621, 2822, 12885, 1561, 8228, 3777, 1482, 1858)
TEN_LABELS_AN_IMAGE = (15200, 10413, 1778, 88)
SIZES = {"train": 1200, "val": 400, "test": 600}
TOLERANCE = 0.03
SETS = pytest.mark.parametrize("places", [TEN, ALL], ids=["10", "28"])
PLAN_HASH = {
    10: "cdb93b1b3d80ea6fc67a0a10a94d6840e3718a833b5560eff379fb2a58e4bf33",
    28: "2abb4ff6efff43edbefaf8c9c56aa43b9eec91af58d36d6e3979adfea9171b14",
}
# mean and standard deviation of each channel over the images of `single`
LEVELS = {
    "microtubules": (55.14, 62.421),
    "protein": (18.144, 34.127),
    "nucleus": (19.723, 40.505),
    "ER": (25.752, 28.915),
}
# mean of the protein channel for each label
PROTEIN = (
    13.156,
    21.201,
    11.364,
    7.291,
    13.662,
    9.9,
    13.389,
    13.305,
    19.578,
    4.946,
    8.82,
    26.328,
    29.724,
    5.753,
    82.04,
    5.924,
    11.566,
    9.221,
    9.141,
    11.201,
    10.918,
    27.936,
    11.717,
    43.737,
    9.165,
    49.923,
    13.398,
    13.718,
)
CROPS = 4  # of each label in `single`


@pytest.fixture(scope="module")
def single() -> NDArray[np.uint8]:
    """CROPS images of each of the 28 labels alone, (28, CROPS, 4, 128, 128)."""
    slides = draw_slides(np.eye(28, dtype=bool), CONDITIONS, np.random.default_rng(0))
    shown = np.arange(28).repeat(CROPS)
    out = np.empty((len(shown), *SHAPE), np.uint8)
    renderer.render(slides, shown, np.arange(len(shown) // renderer.CHUNK), out)
    return out.reshape(28, CROPS, *SHAPE)


@pytest.fixture(scope="module")
def few() -> Crops:
    return simulate(40, "train", TEN, seed=3)


def alike(one: NDArray, other: NDArray) -> float:
    return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])


def test_the_combinations_add_up_to_the_contests_counts() -> None:
    sets, counts = label_sets(ALL)
    assert len(sets) == 577
    assert counts.sum() == 31072 == sum(LABELS_AN_IMAGE)
    assert tuple(counts @ sets) == COUNTS
    assert tuple(np.bincount(sets.sum(1), counts)[1:]) == LABELS_AN_IMAGE
    together = sets.T @ (counts[:, None] * sets)
    assert together[0, 25] == 3631
    assert together[9, 10] == 28  # every image with lysosomes has endosomes


def test_ten_labels_keep_their_own_images_counts() -> None:
    sets, counts = label_sets(TEN)
    assert len(sets) == 132
    assert counts.sum() == 27479 == sum(TEN_LABELS_AN_IMAGE)
    assert tuple(counts @ sets) == TEN_COUNTS
    assert tuple(np.bincount(sets.sum(1), counts)[1:]) == TEN_LABELS_AN_IMAGE
    assert [COUNTS[place] for place in TEN] == list(TEN_COUNTS)


@SETS
def test_labels_slides_and_order_are_frozen_exactly(places: tuple[Structure, ...]) -> None:
    digest = hashlib.sha256()
    for part in PARTS:
        planned = plan(SIZES[part], part, places)
        digest.update(planned.labels.tobytes() + planned.slides.astype("<i8").tobytes())
    assert digest.hexdigest() == PLAN_HASH[len(places)]


@SETS
@pytest.mark.parametrize("part", PARTS)
def test_label_frequencies_and_numbers_are_the_atlass(places: tuple[Structure, ...], part: str) -> None:
    sets, counts = label_sets(places)
    labels = plan(SIZES[part], part, places).labels
    expected, got = counts @ sets / counts.sum(), labels.mean(0)
    frequent = expected > 0.03
    assert np.abs(got - expected)[frequent].max() < 0.03
    assert np.abs(got / expected - 1)[expected > 0.08].max() < 0.3
    assert (got >= 0.65 * expected).all()
    assert spearmanr(got, expected).statistic > 0.9
    number = np.bincount(sets.sum(1), counts, minlength=6) / counts.sum()
    assert np.abs(np.bincount(labels.sum(1), minlength=6) / len(labels) - number).max() < 0.03
    assert labels.any(1).all()


@SETS
def test_labels_go_together_as_in_the_atlas(places: tuple[Structure, ...]) -> None:
    sets, counts = label_sets(places)
    labels = plan(1200, "train", places).labels
    expected = (sets.T @ (counts[:, None] * sets)) / counts.sum()
    got = (labels.T.astype(int) @ labels) / len(labels)
    assert np.abs(got - expected).max() < 0.03


@SETS
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_part_has_the_promised_slides_of_each_label(places: tuple[Structure, ...], part: str, seed: int) -> None:
    planned = plan(SIZES[part], part, places, seed)
    assert len(planned.slides) == SIZES[part]
    assert planned.slide_labels.sum(0).min() >= MIN_SLIDES[part] >= 2
    sizes = np.bincount(planned.slides, minlength=len(planned.slide_labels))
    assert sizes.min() >= 1
    assert sizes.max() <= 7
    assert 3.5 <= sizes.mean() <= 4


def test_another_seed_plans_other_labels() -> None:
    assert not np.array_equal(plan(400, "val", TEN).labels, plan(400, "val", TEN, seed=1).labels)


def test_the_first_draw_is_the_same_each_time_and_another_seeds_is_not(few: Crops) -> None:
    again = simulate(40, "train", TEN, seed=3)
    assert np.array_equal(few.images, again.images)
    assert np.array_equal(few.labels, again.labels)
    assert not np.array_equal(few.images[:8], simulate(40, "train", TEN, seed=4).images[:8])


def test_images_are_frozen_to_three_percent(single: NDArray[np.uint8]) -> None:
    for channel, name in enumerate(LEVELS):
        seen = single[:, :, channel]
        assert (seen.mean(), seen.std()) == pytest.approx(LEVELS[name], rel=TOLERANCE), name
    off = np.abs(single[:, :, 1].mean((1, 2, 3)) / PROTEIN - 1) > TOLERANCE
    assert off.sum() <= renderer.CHUNK // CROPS, np.array(ALL)[off]


def test_every_channel_of_every_image_shows_something(single: NDArray[np.uint8]) -> None:
    contrast = single.std(axis=(3, 4))
    assert contrast.min() > 0
    assert (np.median(contrast, axis=(0, 1)) > 8).all()
    for one, other in itertools.combinations(range(4), 2):
        assert alike(single[:, :, one], single[:, :, other]) < 0.8


def test_most_pixels_are_darker_than_their_images_bright_structures(single: NDArray[np.uint8]) -> None:
    assert (np.median(single, axis=(3, 4)) < 0.6 * single.max(axis=(3, 4))).mean() > 0.95
    assert (single == 255).mean() < 0.03


@pytest.mark.parametrize(
    ("place", "channel"),
    [(Structure.NUCLEOPLASM, 2), (Structure.MICROTUBULES, 0), (Structure.ENDOPLASMIC_RETICULUM, 3)],
)
def test_a_pattern_lies_where_its_stain_does(single: NDArray[np.uint8], place: Structure, channel: int) -> None:
    images = single[place]
    likeness = [alike(images[:, 1], images[:, other]) for other in (0, 2, 3)]
    assert max(likeness) == likeness[[0, 2, 3].index(channel)] > 0.75


def test_patterns_inside_and_outside_of_the_nucleus(single: NDArray[np.uint8]) -> None:
    def inside(place: Structure) -> float:
        """The share of the brightest 0.3 % of pixels that lies in nuclei."""
        images = single[place]
        nucleus = images[:, 2] > 0.2 * np.percentile(images[:, 2], 99)
        return float(nucleus[images[:, 1] >= np.percentile(images[:, 1], 99.7)].mean())

    nuclear = (
        Structure.NUCLEOPLASM,
        Structure.NUCLEOLI,
        Structure.NUCLEOLI_FIBRILLAR_CENTER,
        Structure.NUCLEAR_SPECKLES,
        Structure.NUCLEAR_BODIES,
    )
    outside = (
        Structure.CYTOSOL,
        Structure.MITOCHONDRIA,
        Structure.GOLGI_APPARATUS,
        Structure.PLASMA_MEMBRANE,
        Structure.LYSOSOMES,
        Structure.FOCAL_ADHESION_SITES,
    )
    assert min(inside(place) for place in nuclear) > 0.85
    assert max(inside(place) for place in outside) < 0.25


def test_spindles_stand_in_dividing_cells_and_bridges_join_two() -> None:
    labels = np.zeros((1, 28), bool)
    labels[0, [Structure.CYTOKINETIC_BRIDGE, Structure.MITOTIC_SPINDLE]] = True
    table = draw_slides(labels, CONDITIONS, np.random.default_rng(0))
    own = {name: torch.as_tensor(column)[[0] * 64] for name, column in table.items()}
    cells, pairs = place_cells(own, Draws(0))
    assert len(pairs) == 64
    assert not cells.mitotic[pairs].any()
    assert np.bincount(cells.crop[cells.mitotic], minlength=64).mean() > 0.8


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_do_not_change_a_byte_and_keep_their_number(few: Crops, threads: int) -> None:
    again = with_threads(threads, lambda: simulate(40, "train", TEN, seed=3))
    assert np.array_equal(few.images, again.images)


def test_another_cpu_would_draw_the_same_bytes(few: Crops) -> None:
    """Torch without its vector instructions rounds differently; double precision hides it."""
    assert hash_without_vectors("human", f"40, 'train', {tuple(map(int, TEN))}, seed=3") == hash_of(few.images)


def test_a_chunk_does_not_depend_on_what_follows_it() -> None:
    slides = draw_slides(np.eye(28, dtype=bool), CONDITIONS, np.random.default_rng(1))
    shown, n = np.arange(16), renderer.CHUNK
    long, short = (np.empty((size, *SHAPE), np.uint8) for size in (16, n))
    renderer.render(slides, shown, np.array([5, 6]), long)
    renderer.render(slides, shown[:n], np.array([5]), short)
    assert np.array_equal(long[:n], short)


def test_too_few_images_or_an_unknown_part_are_refused() -> None:
    with pytest.raises(DataError, match="at least 40"):
        plan(39, "train", TEN)
    with pytest.raises(DataError, match="at least 112"):
        plan(111, "train", ALL)
    with pytest.raises(DataError, match="train, val, test"):
        plan(40, "tset", TEN)
