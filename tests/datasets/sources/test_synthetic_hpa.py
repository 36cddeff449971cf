"""The embedded data sets of simulated human cells; what is frozen of them stands in the simulation's tests."""

import re
import subprocess
import sys

import numpy as np
import pytest

from cellbench.core.data import PARTS, Dataset
from cellbench.datasets import datasets
from cellbench.datasets.sources import hpa, synthetic_hpa
from cellbench.simulation.human.crops import simulate
from cellbench.simulation.human.structures import Structure


@pytest.fixture(scope="module")
def small() -> Dataset:
    return synthetic_hpa.simulate_dataset("small", dict.fromkeys(PARTS, 40), hpa.HPA10.labels, seed=3)


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


def test_parts_are_simulated_apart(small: Dataset) -> None:
    parts = {part: small.part(part) for part in PARTS}
    crops = simulate(40, "train", synthetic_hpa.places(hpa.HPA10.labels), seed=3)
    assert np.array_equal(crops.images, parts["train"].images)
    assert np.array_equal(crops.labels, parts["train"].labels)
    assert not np.array_equal(parts["val"].images, parts["test"].images)


def test_the_simulation_numbers_its_structures_as_the_contest_its_labels() -> None:
    assert [place.name for place in Structure] == [re.sub("[^A-Z]+", "_", name.upper()) for name in hpa.HPA28.labels]
