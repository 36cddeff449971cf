"""The embedded simulated yeast cells.

What is frozen: labels and wells come from whole numbers only, so their hash must be exact everywhere. Images come from
floating-point arithmetic. In double precision they came out the same to the byte with AVX-512, AVX2 and plain code
(a test below repeats that for plain code), but this is no promise for every CPU and torch, so their bytes have no hash:
each class's mean and spread in each channel must hold to 3 %. One chunk of 16 cells that went another way, the worst
that rounding could do, stays within that; another seed, or another order of random draws, moves most by more.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cellbench.core.data import PARTS, Dataset
from cellbench.core.errors import DataError
from cellbench.datasets import datasets
from cellbench.datasets.files import cache
from cellbench.datasets.sources import deepyeast, synthetic_yeast
from cellbench.simulation.yeast.crops import simulate
from cellbench.simulation.yeast.patterns import PATTERNS
from cellbench.simulation.yeast.plan import plan

TOLERANCE = 0.03
DEMO_HASH = "c9d3a6231a80873795b121ff3f48954720220b38b9866312ebf5281e88893fa5"
# mean and standard deviation of the cell channel, then of the protein channel, over all images of a class
DEMO_LEVELS = {
    "cell periphery": (22.020, 23.156, 34.166, 35.197),
    "cytoplasm": (21.889, 19.426, 26.483, 29.572),
    "endosome": (20.201, 21.570, 18.600, 19.620),
    "er": (25.448, 23.557, 27.083, 28.775),
    "golgi": (23.351, 22.634, 15.217, 23.166),
    "mitochondrion": (21.067, 19.567, 18.420, 24.646),
    "nuclear periphery": (26.161, 25.511, 19.082, 32.011),
    "nucleolus": (28.010, 24.739, 6.927, 13.980),
    "nucleus": (23.260, 21.572, 13.077, 19.260),
    "peroxisome": (23.642, 16.488, 13.295, 13.032),
    "spindle pole": (19.262, 17.798, 11.950, 13.575),
    "vacuole": (18.267, 18.004, 11.512, 18.769),
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return synthetic_yeast.build(tmp_path_factory.mktemp("demo"), None)


def test_demo_labels_wells_and_order_are_frozen_exactly(demo: Dataset) -> None:
    assert demo.groups is not None
    digest = hashlib.sha256(demo.labels.astype("<i8").tobytes() + demo.groups.astype("<i8").tobytes())
    assert digest.hexdigest() == DEMO_HASH


def test_demo_images_are_frozen_to_three_percent(demo: Dataset) -> None:
    for label, name in enumerate(demo.classes):
        images = demo.images[demo.labels == label]
        levels = [
            statistic for channel in (0, 1) for statistic in (images[:, channel].mean(), images[:, channel].std())
        ]
        assert levels == pytest.approx(DEMO_LEVELS[name], rel=TOLERANCE), name


def test_another_seed_would_not_pass_for_the_frozen_images() -> None:
    other = simulate(synthetic_yeast.class_counts(600), seed=1)
    levels = {name: other.images[other.labels == label, 1].mean() for label, name in enumerate(deepyeast.CLASSES)}
    off = [abs(levels[name] / DEMO_LEVELS[name][2] - 1) > TOLERANCE for name in levels]
    assert sum(off) >= 6


def test_demo_parts_have_the_agreed_sizes_and_deepyeast_proportions(demo: Dataset) -> None:
    weights = np.array(deepyeast.COUNTS["train"])
    for part, n in {"train": 1200, "val": 400, "test": 600}.items():
        counts = np.array(demo.class_counts()[part])
        assert counts.sum() == n
        assert np.abs(counts - n * weights / weights.sum()).max() < 1


def test_a_well_has_one_label_and_lies_in_one_part(demo: Dataset) -> None:
    assert demo.groups is not None
    pairs = {(int(group), int(label)) for group, label in zip(demo.groups, demo.labels, strict=True)}
    assert len(pairs) == len(np.unique(demo.groups))
    by_part = [set(demo.groups[demo.split[part]].tolist()) for part in PARTS]
    assert sum(len(wells) for wells in by_part) == len(set.union(*by_part))
    assert demo.split.name == "by-well"


def test_every_part_has_three_wells_of_each_class_and_about_ten_cells_a_well(demo: Dataset) -> None:
    assert demo.groups is not None
    for part in PARTS:
        index = demo.split[part]
        for label in range(len(demo.classes)):
            wells = np.unique(demo.groups[index[demo.labels[index] == label]])
            assert len(wells) >= 3
        sizes = np.unique(demo.groups[index], return_counts=True)[1]
        assert 8 <= sizes.mean() <= 12
        assert sizes.max() <= 20


def test_images_are_dark_uint8_and_fill_both_channels(demo: Dataset) -> None:
    assert demo.images.dtype == np.uint8
    assert demo.images.shape == (2200, 2, 64, 64)
    brightest = demo.images.max(axis=(2, 3)).astype(float)
    assert (np.median(brightest, axis=0) < 130).all()
    assert (np.median(brightest, axis=0) > 30).all()
    assert (np.median(demo.images, axis=(2, 3)) < 60).mean() > 0.95
    contrast = demo.images.std(axis=(2, 3))
    assert contrast.min() > 0  # no image is blank, though a few cells hardly express their protein
    assert (contrast > 2).all(axis=1).mean() > 0.95


def test_the_demo_says_that_it_is_synthetic(demo: Dataset) -> None:
    assert demo.info.synthetic
    assert "cellbench" in demo.info.citation
    assert "2017" in demo.info.citation


def test_a_memory_map_holds_the_same_bytes(tmp_path: Path) -> None:
    counts = dict.fromkeys(PARTS, (3,) * 12)
    in_memory = synthetic_yeast.simulate_dataset("toy", counts, seed=2)
    mapped = synthetic_yeast.simulate_dataset("toy", counts, seed=2, images_file=tmp_path / cache.IMAGES)
    assert np.array_equal(np.load(tmp_path / cache.IMAGES), in_memory.images)
    assert cache.fingerprint(mapped) == cache.fingerprint(in_memory)


@pytest.mark.parametrize("part", PARTS)
def test_the_full_layout_has_deepyeasts_counts_in_wells_of_about_ten(part: str) -> None:
    counts = deepyeast.COUNTS[part]
    planned = plan(counts, part)
    assert sum(counts) == {"train": 65000, "val": 12500, "test": 12500}[part]
    assert tuple(np.bincount(planned.labels)) == counts
    assert np.array_equal(planned.well_labels[planned.wells], planned.labels)
    sizes = np.bincount(planned.wells)
    assert sizes.min() >= 4
    assert sizes.max() <= 20
    assert 9.5 <= sizes.mean() <= 10.5


def test_a_small_sample_still_has_three_cells_of_each_class() -> None:
    assert min(synthetic_yeast.class_counts(36)) == 3
    assert min(synthetic_yeast.class_counts(60)) == 3
    assert sum(synthetic_yeast.class_counts(60)) == 60


def test_too_few_cells_are_refused() -> None:
    with pytest.raises(DataError, match="at least 36"):
        synthetic_yeast.class_counts(35)


def test_only_the_demo_is_standard_and_made_on_demand() -> None:
    demo, full = datasets["synthetic-yeast"], datasets["synthetic-yeast-full"]
    assert demo.standard
    assert demo.made_on_demand
    assert not full.standard
    assert not full.made_on_demand
    assert full.manual == ""
    assert demo.defaults == {"epochs": 20}


def test_listing_data_sets_does_not_import_torch() -> None:
    code = "import sys, cellbench.datasets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_simulated_patterns_are_deepyeasts_classes_in_their_order() -> None:
    assert tuple(PATTERNS) == deepyeast.CLASSES
