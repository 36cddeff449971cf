"""The embedded simulated human cells.

What is frozen: labels and slides come from whole numbers only, so their hash must be exact everywhere. Images come from
floating-point arithmetic, so their bytes have no hash: the mean and spread of each channel, and the protein channel's
mean for each label, must hold to 3 %, but for the labels of one chunk, the worst that rounding could do.
"""

import hashlib
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from cellbench.core.data import PARTS, Dataset
from cellbench.core.errors import DataError
from cellbench.datasets import datasets
from cellbench.datasets.sources import synthetic_hpa as hpa
from cellbench.simulation import hpa_cells, hpa_renderer

TOLERANCE = 0.03
SETS = pytest.mark.parametrize("classes", [hpa.TEN, hpa.ATLAS], ids=["10", "28"])
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
    slides = hpa.draw_slides(np.eye(28, dtype=bool), hpa.CONDITIONS, np.random.default_rng(0))
    shown = np.arange(28).repeat(CROPS)
    out = np.empty((len(shown), *hpa.SHAPE), np.uint8)
    hpa_renderer.render(slides, shown, np.arange(len(shown) // hpa_renderer.CHUNK), out)
    return out.reshape(28, CROPS, *hpa.SHAPE)


@pytest.fixture(scope="module")
def few() -> hpa.Crops:
    return hpa.simulate(40, seed=3)


@pytest.fixture(scope="module")
def small() -> Dataset:
    return hpa.simulate_dataset("small", dict.fromkeys(PARTS, 40), hpa.TEN, seed=3)


def alike(one: NDArray, other: NDArray) -> float:
    return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])


def test_the_combinations_add_up_to_the_contests_counts() -> None:
    sets, counts = hpa.label_sets(hpa.ATLAS)
    assert len(sets) == 577
    assert counts.sum() == 31072 == sum(hpa.ATLAS_LABELS_AN_IMAGE)
    assert tuple(counts @ sets) == hpa.ATLAS_COUNTS
    assert tuple(np.bincount(sets.sum(1), counts)[1:]) == hpa.ATLAS_LABELS_AN_IMAGE
    together = sets.T @ (counts[:, None] * sets)
    assert together[0, 25] == 3631
    assert together[9, 10] == 28  # every image with lysosomes has endosomes


def test_ten_labels_keep_their_own_images_counts() -> None:
    sets, counts = hpa.label_sets(hpa.TEN)
    assert len(sets) == 132
    assert counts.sum() == 27479 == sum(hpa.TEN_LABELS_AN_IMAGE)
    assert tuple(counts @ sets) == hpa.TEN_COUNTS
    assert tuple(np.bincount(sets.sum(1), counts)[1:]) == hpa.TEN_LABELS_AN_IMAGE
    assert [hpa.ATLAS_COUNTS[hpa.ATLAS.index(name)] for name in hpa.TEN] == list(hpa.TEN_COUNTS)


@SETS
def test_labels_slides_and_order_are_frozen_exactly(classes: tuple[str, ...]) -> None:
    digest = hashlib.sha256()
    for part in PARTS:
        planned = hpa.plan(hpa.SIZES[part], part, classes)
        digest.update(planned.labels.tobytes() + planned.slides.astype("<i8").tobytes())
    assert digest.hexdigest() == PLAN_HASH[len(classes)]


@SETS
@pytest.mark.parametrize("part", PARTS)
def test_label_frequencies_and_numbers_are_the_atlass(classes: tuple[str, ...], part: str) -> None:
    sets, counts = hpa.label_sets(classes)
    labels = hpa.plan(hpa.SIZES[part], part, classes).labels
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
def test_labels_go_together_as_in_the_atlas(classes: tuple[str, ...]) -> None:
    sets, counts = hpa.label_sets(classes)
    labels = hpa.plan(1200, "train", classes).labels
    expected = (sets.T @ (counts[:, None] * sets)) / counts.sum()
    got = (labels.T.astype(int) @ labels) / len(labels)
    assert np.abs(got - expected).max() < 0.03


@SETS
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_part_has_the_promised_slides_of_each_label(classes: tuple[str, ...], part: str, seed: int) -> None:
    planned = hpa.plan(hpa.SIZES[part], part, classes, seed)
    assert len(planned.slides) == hpa.SIZES[part]
    assert planned.slide_labels.sum(0).min() >= hpa.MIN_SLIDES[part] >= 2
    sizes = np.bincount(planned.slides, minlength=len(planned.slide_labels))
    assert sizes.min() >= 1
    assert sizes.max() <= 7
    assert 3.5 <= sizes.mean() <= 4


def test_another_seed_plans_other_labels() -> None:
    assert not np.array_equal(hpa.plan(400, "val").labels, hpa.plan(400, "val", seed=1).labels)


def test_images_are_frozen_to_three_percent(single: NDArray[np.uint8]) -> None:
    for channel, name in enumerate(hpa.CHANNELS):
        seen = single[:, :, channel]
        assert (seen.mean(), seen.std()) == pytest.approx(LEVELS[name], rel=TOLERANCE), name
    off = np.abs(single[:, :, 1].mean((1, 2, 3)) / PROTEIN - 1) > TOLERANCE
    assert off.sum() <= hpa_renderer.CHUNK // CROPS, np.array(hpa.ATLAS)[off]


def test_every_channel_of_every_image_shows_something(single: NDArray[np.uint8]) -> None:
    contrast = single.std(axis=(3, 4))
    assert contrast.min() > 0
    assert (np.median(contrast, axis=(0, 1)) > 8).all()
    for one, other in itertools.combinations(range(4), 2):
        assert alike(single[:, :, one], single[:, :, other]) < 0.8


def test_most_pixels_are_darker_than_their_images_bright_structures(single: NDArray[np.uint8]) -> None:
    assert (np.median(single, axis=(3, 4)) < 0.6 * single.max(axis=(3, 4))).mean() > 0.95
    assert (single == 255).mean() < 0.03


@pytest.mark.parametrize(("label", "channel"), [("Nucleoplasm", 2), ("Microtubules", 0), ("Endoplasmic reticulum", 3)])
def test_a_pattern_lies_where_its_stain_does(single: NDArray[np.uint8], label: str, channel: int) -> None:
    images = single[hpa.ATLAS.index(label)]
    likeness = [alike(images[:, 1], images[:, other]) for other in (0, 2, 3)]
    assert max(likeness) == likeness[[0, 2, 3].index(channel)] > 0.75


def test_patterns_inside_and_outside_of_the_nucleus(single: NDArray[np.uint8]) -> None:
    def inside(label: str) -> float:
        """The share of the brightest 0.3 % of pixels that lies in nuclei."""
        images = single[hpa.ATLAS.index(label)]
        nucleus = images[:, 2] > 0.2 * np.percentile(images[:, 2], 99)
        return float(nucleus[images[:, 1] >= np.percentile(images[:, 1], 99.7)].mean())

    nuclear = ("Nucleoplasm", "Nucleoli", "Nucleoli fibrillar center", "Nuclear speckles", "Nuclear bodies")
    outside = ("Cytosol", "Mitochondria", "Golgi apparatus", "Plasma membrane", "Lysosomes", "Focal adhesion sites")
    assert min(inside(name) for name in nuclear) > 0.85
    assert max(inside(name) for name in outside) < 0.25


def test_spindles_stand_in_dividing_cells_and_bridges_join_two() -> None:
    labels = np.zeros((1, 28), bool)
    labels[0, [16, 17]] = True
    table = hpa.draw_slides(labels, hpa.CONDITIONS, np.random.default_rng(0))
    own = {name: torch.as_tensor(column)[[0] * 64] for name, column in table.items()}
    cells, pairs = hpa_cells.place_cells(own, hpa_renderer.Draws(0))
    assert len(pairs) == 64
    assert not cells.mitotic[pairs].any()
    assert np.bincount(cells.crop[cells.mitotic], minlength=64).mean() > 0.8


def test_a_small_dataset_is_valid_and_its_slides_dont_straddle_the_split(small: Dataset) -> None:
    assert small.multilabel
    assert small.labels.dtype == bool
    assert small.labels.shape == (120, 10)
    assert small.images.shape == (120, 4, 128, 128)
    assert small.images.dtype == np.uint8
    assert small.channels == ("microtubules", "protein", "nucleus", "ER")
    assert small.split.name == "by-slide"
    assert small.groups is not None
    by_part = [set(small.groups[small.split[part]].tolist()) for part in PARTS]
    assert sum(len(slides) for slides in by_part) == len(set.union(*by_part))
    for slide in np.unique(small.groups):  # one antibody, one set of labels
        assert len(np.unique(small.labels[small.groups == slide], axis=0)) == 1


def test_it_says_that_it_is_synthetic(small: Dataset) -> None:
    assert small.info.synthetic
    assert "cellbench" in small.info.citation
    assert "Human Protein Atlas" in small.info.citation


def test_same_seed_same_bytes_and_other_parts_other_bytes(few: hpa.Crops, small: Dataset) -> None:
    parts = {part: small.part(part) for part in PARTS}
    assert np.array_equal(few.images, parts["train"].images)
    assert np.array_equal(few.labels, parts["train"].labels)
    assert not np.array_equal(parts["val"].images, parts["test"].images)
    assert not np.array_equal(few.images[:8], hpa.simulate(40, seed=4).images[:8])


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_do_not_change_a_byte_and_keep_their_number(few: hpa.Crops, threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        again = hpa.simulate(40, seed=3)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(few.images, again.images)


def test_another_cpu_would_draw_the_same_bytes(few: hpa.Crops) -> None:
    """Torch without its vector instructions rounds differently; double precision hides it."""
    code = (
        "import hashlib, cellbench.datasets.sources.synthetic_hpa as s;"
        "print(hashlib.sha256(s.simulate(40, seed=3).images.tobytes()).hexdigest())"
    )
    plain = {**os.environ, "ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
    done = subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(few.images.tobytes()).hexdigest()


def test_a_chunk_does_not_depend_on_what_follows_it() -> None:
    slides = hpa.draw_slides(np.eye(28, dtype=bool), hpa.CONDITIONS, np.random.default_rng(1))
    shown, n = np.arange(16), hpa_renderer.CHUNK
    long, short = (np.empty((size, *hpa.SHAPE), np.uint8) for size in (16, n))
    hpa_renderer.render(slides, shown, np.array([5, 6]), long)
    hpa_renderer.render(slides, shown[:n], np.array([5]), short)
    assert np.array_equal(long[:n], short)


def test_too_few_images_or_an_unknown_part_are_refused() -> None:
    with pytest.raises(DataError, match="at least 40"):
        hpa.plan(39, "train")
    with pytest.raises(DataError, match="at least 112"):
        hpa.plan(111, "train", hpa.ATLAS)
    with pytest.raises(DataError, match="train, val, test"):
        hpa.plan(40, "tset")


@pytest.mark.parametrize("name", ["synthetic-hpa", "synthetic-hpa28"])
def test_both_are_made_on_demand_and_not_standard(name: str) -> None:
    entry = datasets[name]
    assert entry.made_on_demand
    assert not entry.standard
    assert entry.manual == ""
    assert entry.defaults == {"epochs": 12}


def test_listing_data_sets_does_not_import_torch() -> None:
    code = "import sys, cellbench.datasets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
