"""Draws of one split are pooled as seeds are, and judged over draws."""

import dataclasses
import statistics

import numpy as np
import pytest
import scipy.stats

from cellbench import load_results
from cellbench.reporting.tables.by_view import tables
from cellbench.reporting.tables.table import render
from cellbench.results.certainty import compare_rows
from cellbench.results.statistics.draws import compare_over_draws

HOG = (0.700, 0.828, 0.696, 0.743, 0.693)  # svm-hog on five draws of HEp-2's id-block
COUNTS = {"train": [8612], "val": [2194], "test": [2790]}
RATIO = 2790 / 8612


def named(draw):
    return f"id-block@{draw}" if draw else "id-block"


@pytest.fixture
def drawn(record, results):
    """Load records of a method by draw, with one accuracy each."""

    def load(**accuracies):
        made = []
        for method, values in accuracies.items():
            usual = record(method.replace("_", "-")).metrics["test"]["accuracy"]
            facts = {"counts": COUNTS, "classes": ["all"]}
            for draw, value in enumerate(values):
                made.append(record(method.replace("_", "-"), split=named(draw), shift=value - usual, facts=facts))
        return load_results(results(*made)).rows

    return load


def test_a_row_pools_draws_and_its_interval_says_so(drawn):
    (row,) = drawn(svm_hog=HOG)
    assert (row.split, row.draws, row.seeds, row.n_runs) == ("id-block@0-4", (0, 1, 2, 3, 4), [0], 5)
    assert row.value("accuracy") == pytest.approx(statistics.fmean(HOG))
    span = row.interval("accuracy")
    half = scipy.stats.t.ppf(0.975, 4) * statistics.stdev(HOG) * np.sqrt(1 / 5 + RATIO)
    assert (span.over, span.n) == ("draws of the split", 5)
    assert span.half_width == pytest.approx(half)


def test_two_rows_are_compared_draw_by_draw(drawn):
    cnn = [value + gain for value, gain in zip(HOG, (0.05, 0.02, 0.04, 0.06, 0.03), strict=True)]
    a, b = sorted(drawn(svm_hog=HOG, cnn=cnn), key=lambda row: row.method != "svm-hog")
    found = compare_rows(a, b)
    t = 0.04 / (statistics.stdev((0.05, 0.02, 0.04, 0.06, 0.03)) * np.sqrt(1 / 5 + RATIO))
    assert found.difference == pytest.approx(0.04)
    assert found.p == pytest.approx(2 * scipy.stats.t.sf(t, 4))
    assert found.over == "draws of the split"


def test_a_method_with_one_draw_is_compared_on_that_draw_alone(drawn):
    rows = {(row.split, row.method): row for row in drawn(svm_hog=HOG, cnn=HOG[:1])}
    assert set(rows) == {("id-block@0-4", "svm-hog"), ("id-block", "svm-hog"), ("id-block", "cnn")}
    assert rows["id-block", "svm-hog"].value("accuracy") == pytest.approx(HOG[0])


def test_two_draws_give_no_interval(drawn):
    (row,) = drawn(svm_hog=HOG[:2])
    assert row.interval("accuracy") is None
    assert compare_over_draws(row, row, "accuracy") is None


def test_a_draw_that_failed_is_named(record, results):
    runs = [record("cnn", split=named(draw)) for draw in range(3)]
    failed = record("cnn", split=named(3), status="failed", reason="out of memory")
    (row,) = load_results(results(*runs, failed)).rows
    assert (row.split, row.n_runs, len(row.runs)) == ("id-block@0-3", 4, 3)
    assert row.remark == "draw 3, seed 0 failed: out of memory"


def test_settings_that_follow_from_the_number_of_images_do_not_part_the_draws_of_a_row(record, results):
    runs = []
    for draw in range(3):
        one = record("cnn", split=named(draw), facts={"follows": ["epochs"]}, limit=1000)
        spec = dataclasses.replace(one.spec, params={"epochs": 10 + draw, "lr": 0.1}, val_limit=250 + draw)
        runs.append(dataclasses.replace(one, spec=spec))
    (row,) = load_results(results(*runs)).rows
    assert row.draws == (0, 1, 2)


def test_the_corrected_interval_covers_the_mean_of_all_data_sets_more_often_than_the_plain_one():
    """20 % of 100 images are test; a classifier of one cut, learnt on the others, is drawn anew five times."""
    rng = np.random.default_rng(0)
    plain, corrected = [], []
    for _ in range(400):
        x = rng.normal(size=100) + (y := rng.integers(0, 2, 100))
        scores = []
        for _ in range(5):
            order = rng.permutation(100)
            train, test = order[20:], order[:20]
            cut = (x[train][y[train] == 0].mean() + x[train][y[train] == 1].mean()) / 2
            scores.append(np.mean((x[test] > cut) == y[test]))
        sd = np.std(scores, ddof=1)
        plain.append((np.mean(scores), scipy.stats.t.ppf(0.975, 4) * sd / np.sqrt(5)))
        corrected.append((np.mean(scores), scipy.stats.t.ppf(0.975, 4) * sd * np.sqrt(1 / 5 + 20 / 80)))
    expected = scipy.stats.norm.cdf(0.5)  # of the best cut; that of a learnt one is hardly lower

    def share(spans):
        return np.mean([abs(mean - expected) <= half for mean, half in spans])

    assert share(corrected) >= 0.93 > share(plain)


def test_tables_say_how_many_draws_a_row_pools(record, results):
    runs = [record("cnn", split=named(draw), seed=seed) for draw in range(3) for seed in range(2)]
    (table,) = tables(load_results(results(*runs)), "leaderboard")
    text = render([table], "text")
    assert "split id-block@0-2" in text
    assert "2 × 3 draws" in text
