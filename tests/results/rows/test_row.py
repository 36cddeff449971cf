"""A row: typed facts, figures by name, and every column as tables have it."""

import math

import numpy as np
import pytest

from cellbench import load_results
from cellbench.results.rows.row import Fact, Row
from cellbench.results.statistics import intervals
from cellbench.results.statistics.joint import over_images_and_seeds

from ...reporting.made_records import judged


@pytest.fixture
def seeds(results):
    """A row of three seeds with predictions."""
    (row,) = load_results(results(*(judged("cnn", 0.8, seed, seed=seed) for seed in range(3)))).rows
    return row


def test_every_fact_is_a_column_of_a_row(results, record):
    (row,) = load_results(results(record("resnet18", limit=100))).rows
    facts = [name for name, value in vars(Row).items() if isinstance(value, Fact)]
    assert len(facts) > 30
    assert {name: getattr(row, name) for name in facts if name != "settings"} == {
        name: row[name] for name in facts if name != "settings"
    }
    assert (row.method, row.limit, row.depth, row.shortcuts) == ("resnet18", 100, 18, True)


def test_figures_are_asked_for_by_name(seeds):
    figures = [run.record.metrics["test"]["macro_f1"] for run in seeds.runs]
    assert seeds.metric("macro_f1") == seeds["test_macro_f1"] == pytest.approx(np.mean(figures))
    assert seeds.deviation("macro_f1") == pytest.approx(np.std(figures, ddof=1))
    assert seeds.metric("macro_f1", "val") == pytest.approx(0.872)
    assert seeds.summary("macro_f1") == (seeds.metric("macro_f1"), seeds.deviation("macro_f1"), 3)
    assert seeds.gap("accuracy") == pytest.approx(0.911 - seeds.value("accuracy"))
    assert seeds.metric("exact_match") is None
    with pytest.raises(KeyError, match="no exact_match on test"):
        seeds.value("exact_match")


def test_what_no_seed_changes_is_the_same_with_any_number_of_them(results, record):
    (row,) = load_results(results(record("svm-hog"))).rows
    assert row.summary("accuracy") == (row.metric("accuracy"), 0.0, math.inf)


def test_the_interval_is_over_images_and_seeds_or_over_what_there_is_of_either(seeds):
    kept = seeds.predictions
    over_images = intervals.interval(kept[0].truth, [one.predicted for one in kept], "accuracy")
    over_seeds = intervals.interval_over_seeds(seeds.value("accuracy"), seeds.deviation("accuracy"), 3)
    error = seeds.deviation("accuracy") / math.sqrt(3)
    assert seeds.interval("accuracy") == over_images_and_seeds(seeds.value("accuracy"), over_images, error, 2)
    assert seeds.having(runs=()).interval("accuracy") == over_seeds
    assert seeds.having(seeds=[0, 1]).interval("accuracy") == over_images


def test_an_interval_over_images_and_seeds_stays_between_0_and_1(results):
    (row,) = load_results(results(*(judged("cnn", share, seed=i) for i, share in enumerate((0.99, 0.9, 1.0))))).rows
    assert row.interval("accuracy").high == 1


def test_a_row_does_not_change_and_another_one_has_what_it_was_given(seeds):
    other = seeds.having(settings="C=10", limit=5)
    assert (other.settings, other.limit, other["limit"]) == ("C=10", 5, 5)
    assert seeds.limit is None
    assert other.runs is seeds.runs
    with pytest.raises(TypeError):
        seeds["limit"] = 5
