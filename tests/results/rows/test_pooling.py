import dataclasses
import statistics

import pytest

from cellbench import load_results
from cellbench.results.contest import time_ratio
from cellbench.results.rows.row import grouped_by, time_counts
from cellbench.results.rows.settings import with_settings


@pytest.fixture
def pooled(results):
    return lambda *records: load_results(results(*records)).rows


def test_seeds_are_pooled_to_mean_and_sample_deviation(pooled, record):
    (row,) = pooled(*(record("cnn", seed=seed, shift=shift) for seed, shift in enumerate((0.0, 0.01, 0.05))))
    assert row["seeds"] == [0, 1, 2]
    assert row["test_accuracy"] == pytest.approx(0.858 + 0.02)
    assert row["test_accuracy_sd"] == pytest.approx(statistics.stdev((0.0, 0.01, 0.05)))


def test_of_the_share_of_other_programs_the_largest_is_kept_as_one_long_time_makes_the_mean_long(pooled, record):
    (row,) = pooled(*(record("cnn", seed=seed, others=share) for seed, share in enumerate((0.01, 0.25, None))))
    assert row["others"] == 0.25


def test_times_of_runs_that_shared_the_machine_are_shown_and_never_compared(pooled, record):
    quiet = [record("cnn", seed=seed, others=0.01) for seed in range(2)]
    mixed = [
        record("mlp", seed=seed, others=0.01, facts={"shared": n} if n else {}) for seed, n in enumerate((2, None))
    ]
    rows = {row.method: row for row in pooled(*quiet, *mixed)}
    assert [rows[name]["shared"] for name in ("cnn", "mlp")] == [None, 2]
    assert rows["mlp"].train_seconds > 0
    assert [time_counts(rows[name]) for name in ("cnn", "mlp")] == [True, False]
    assert time_ratio(rows["cnn"], rows["mlp"]) is None


def test_an_unknown_load_of_one_seed_is_unknown_and_its_time_is_shown_but_never_compared(pooled, record):
    quiet = [record("cnn", seed=seed, others=0.01) for seed in range(3)]
    older = [record("mlp", seed=seed, others=share) for seed, share in enumerate((0.01, None, 0.02))]
    rows = {row.method: row for row in pooled(*quiet, *older)}
    assert rows["mlp"]["others"] is None
    assert rows["mlp"].train_seconds > 0
    assert [time_counts(rows[name]) for name in ("cnn", "mlp")] == [True, False]
    assert time_ratio(rows["cnn"], rows["cnn"]) == 1
    assert time_ratio(rows["cnn"], rows["mlp"]) is None


def test_one_seed_has_no_deviation(pooled, record):
    (row,) = pooled(record("cnn"))
    assert row["test_accuracy"] == 0.858
    assert row["test_accuracy_sd"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "other"},
        {"fingerprint": "0000"},
        {"split": "blocks"},
        {"limit": 100},
        {"overrides": {"lr": 0.2}},
        {"device": "cuda"},
        {"threads": 8},
        {"revision": 2},
        {"backend": "libsvm"},
        {"version": "9.9"},
    ],
)
def test_nothing_but_seeds_is_pooled(pooled, record, change):
    rows = pooled(record("cnn"), record("cnn", seed=1, **change))
    assert [row["seeds"] for row in rows] in ([[0], [1]], [[1], [0]])


def test_rules_of_thresholds_are_not_pooled_and_are_told(pooled, record):
    usual, other = record("cnn"), record("cnn", seed=1)
    rule = {"thresholds": "global"}
    other = dataclasses.replace(other, spec=dataclasses.replace(other.spec, decision=rule), overrides=rule)
    rows = with_settings(pooled(usual, other))
    assert {row["settings"]: row["seeds"] for row in rows} == {"": [0], "thresholds=global": [1]}


def test_machines_are_not_pooled(results, record):
    results(record("cnn"), machine="a")
    root = results(record("cnn", seed=1), machine="b")
    assert [(row["machine"], row["seeds"]) for row in load_results(root).rows] == [("a", [0]), ("b", [1])]


def test_a_failed_seed_is_told_and_not_averaged(pooled, record):
    failed = record("cnn", seed=1, status="failed", reason="no\n memory")
    (row,) = pooled(record("cnn"), failed)
    assert (row["seeds"], row["n_runs"], row["status"]) == ([0], 2, "ok")
    assert row["test_accuracy"] == 0.858
    assert row["remark"] == "seed 1 failed: no memory"


def test_figures_of_a_failed_run_do_not_count(pooled, record):
    partial = {"status": "timeout", "reason": "too long", "seconds": {"features": 1, "fit": 9000}}
    (row,) = pooled(record("cnn", **partial))
    assert (row["status"], row["remark"], row["train_seconds"]) == ("timeout", "timeout: too long", None)


def test_a_failed_run_that_tells_no_threads_stands_with_the_others(pooled, record):
    (row,) = pooled(record("cnn"), record("cnn", seed=1, status="failed", reason="killed", threads=0))
    assert (row["threads"], row["n_runs"]) == (2, 2)


def test_below_twice_chance_is_told(pooled, record):
    below, above = -0.858 + 2 / 6 + 0.003, -0.858 + 2 / 6 + 0.005  # balanced accuracy is 0.004 lower
    assert pooled(record("cnn", shift=below))[0]["remark"] == "below twice chance"
    assert pooled(record("cnn", shift=above))[0]["remark"] == ""


def test_the_default_view_leaves_out_limited_and_changed_runs_and_counts_them(results, record):
    root = results(record("cnn"), record("cnn", limit=100), record("cnn", overrides={"lr": 0.2}))
    every = load_results(root)
    shown, others = every.select()
    assert len(shown.rows) == len(shown.to_frame()) == 1
    assert [row["method"] for row in shown.left_out] == ["cnn", "cnn"]
    assert others.startswith("2 other runs (limited data or changed settings)")
    assert "--runs all" in others
    assert every.select("all") == (every, "")
    assert len(every.rows) == 3


def test_settings_tell_what_was_changed_and_what_differs(pooled, record):
    rows = with_settings(pooled(record("svm-hog"), record("svm-hog", overrides={"C": 10}), record("cnn")))
    assert {(row["method"], row["settings"]) for row in rows} == {
        ("svm-hog", "C=[1,10,100]"),
        ("svm-hog", "C=10"),
        ("cnn", ""),
    }


def test_splits_that_keep_relatives_together_come_first_then_the_official_and_what_is_missing_before_all():
    rows = [{"split": split} for split in ("id-block", "official", "random", None, "official")]
    assert [group[0]["split"] for group in grouped_by(rows, ["split"])] == [None, "id-block", "official", "random"]
