"""Drift across a split is found, and order that leaks nothing is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cellbench.core.data import Split
from cellbench.datasets.audit import order, pixels
from cellbench.datasets.audit.result import CheckResult
from cellbench.datasets.sources import hep2

from .made import block_split, dataset, drift, random_split


def ordered(values: np.ndarray, split: Split) -> CheckResult:
    return order.order_leakage(
        dataset(np.zeros((len(values), 1, 8, 8), np.uint8), split=split), {"mean brightness": values}
    )


def test_a_slow_drift_under_a_random_split_is_order_leakage():
    finding = ordered(drift(600, 20), random_split(600))
    assert finding.status == "found"
    assert finding.figures["p"] == finding.figures["p_across"] == 0.001
    assert finding.figures["cut"] == pytest.approx(1 - (0.36 + 0.04 + 0.04), abs=0.06)
    assert finding.figures["cut_by_random_split"] == pytest.approx(0.56, abs=0.01)
    assert 5 <= finding.figures["reach"] <= 60
    assert "the split cuts between them" in finding.text


def test_the_same_in_shuffled_order_is_not():
    values = drift(600, 20).reshape(3, 200)
    shuffled = np.random.default_rng(1).permuted(values, axis=1).ravel()
    finding = ordered(shuffled, random_split(600))
    assert finding.status == "ok"
    assert finding.figures["p"] > 0.05
    assert "no more alike than random images" in finding.text


def test_a_split_by_blocks_keeps_neighbours_together_and_is_no_leak():
    finding = ordered(drift(1500, 20), block_split(1500, 100))
    assert finding.status == "ok"
    assert finding.figures["p"] == 0.001
    assert finding.figures["cut"] < 0.1 * finding.figures["cut_by_random_split"]
    assert "the split keeps them together" in finding.text


def test_small_wells_that_lie_whole_in_a_part_are_no_leak_though_the_split_cuts_often():
    wells = np.arange(600) // 4
    values = np.random.default_rng(0).normal(size=150)[wells]
    finding = ordered(values, block_split(600, 4))
    assert finding.figures["cut"] > 0.1 * finding.figures["cut_by_random_split"]
    assert finding.status == "ok"
    assert "not those that the split separates" in finding.text
    assert ordered(values, random_split(600)).status == "found"


def test_likeness_that_reaches_the_next_image_alone_is_told_of_one_image():
    values = np.random.default_rng(0).normal(size=300)[np.arange(600) // 2]
    finding = ordered(values, random_split(600))
    assert finding.figures["reach"] == 1
    assert "up to 1 image apart" in finding.text


def test_drift_in_one_class_only_is_found_and_named():
    values = np.random.default_rng(0).normal(size=600)
    values[200:400] += 3 * drift(200, 15)
    finding = ordered(values, random_split(600))
    assert finding.status == "found"
    assert [name for name, own in finding.figures["by_class"].items() if own["alike"]] == ["oval"]


def test_the_permutation_test_keeps_its_promise_on_data_without_any_order():
    """p is at most 0.05 in about 5 % of 600 data sets of 3 classes and 5 features; hardly any is flagged."""
    rng = np.random.default_rng(1)
    n, split = 120, random_split(120)
    blank = dataset(np.zeros((n, 1, 8, 8), np.uint8), split=split)
    ps, flagged = [], 0
    for _ in range(600):
        values = rng.normal(size=(5, n)) ** 3  # with heavy tails
        finding = order.order_leakage(blank, {str(k): row for k, row in enumerate(values)}, permutations=199)
        ps.append(finding.figures["p"])
        flagged += finding.status == "found"
    assert 0.03 <= np.mean(np.array(ps) <= 0.05) <= 0.08
    assert flagged <= 12


def test_too_few_images_of_every_class_say_nothing_of_their_order():
    assert ordered(drift(60, 20), random_split(60)).status == "skipped"


def test_long_runs_are_read_in_stretches(monkeypatch):
    monkeypatch.setattr(order, "LONGEST_RUN", 100)
    run = order._shortened(np.arange(1000))
    assert len(run) == 100
    assert (run[0], run[-1]) == (0, 999)
    assert (np.diff(run) == 1).sum() == 90


@pytest.mark.real
def test_order_leakage_is_flagged_on_the_official_hep2_split_and_not_in_shuffled_order(real_data: Path, tmp_path: Path):
    data = hep2.build(tmp_path, real_data / "hep2_i3a.tar")
    features = order.order_features(pixels.scan(data))
    finding = order.order_leakage(data, features)
    assert finding.status == "found"
    assert 100 <= finding.figures["reach"] <= 200
    own = {name: row["mean brightness by lag"] for name, row in finding.figures["by_class"].items()}
    published = {"Centromere": (0.80, 0.75, 0.62, 0.49, 0.21), "Golgi": (0.80, 0.75, 0.46, 0.12, -0.47)}
    for name, values in published.items():
        assert [own[name][lag] for lag in ("1", "10", "50", "100", "200")] == pytest.approx(values, abs=0.011)
    mixed = np.random.default_rng(0).permutation(len(data))
    shuffled = replace(data, labels=data.labels[mixed], split=_moved(data.split, mixed))
    assert order.order_leakage(shuffled, {name: values[mixed] for name, values in features.items()}).status == "ok"


def _moved(split: Split, order: np.ndarray) -> Split:
    """The same split of images that stand in another order."""
    place = np.argsort(order)
    return Split(split.name, *(np.sort(place[split[part]]) for part in ("train", "val", "test")))
