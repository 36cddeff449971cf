"""Rows of several numbers of training images: settings that follow from it, val images that go with it."""

import dataclasses

import pytest

from cellbench import load_results
from cellbench.reporting.charts.kinds.learning_curve import learning_curve as chart
from cellbench.reporting.findings import rows_of, sentences
from cellbench.results.rows.val_policy import val_policies

AMOUNTS = {100: (250, 16), 1000: (49, 32), 8000: (20, 64)}  # training images: epochs, batch
FOLLOWS = ["epochs", "batch"]


def sized(record, method, n, val=0.9, val_limit="proportion", test=0.9, **changes):
    """A record of `n` training images; of 8,000 it is all of them. val_limit: a quarter of n unless given."""
    limit = None if n == 8000 else n
    val_limit = (limit and limit // 4) if val_limit == "proportion" else val_limit
    facts = {"n": {"train": n, "val": val_limit or 2000, "test": 500}, **changes.pop("facts", {})}
    done = record(method, limit=limit, facts=facts, **changes)
    figures = {"train": 0.99, "val": val, "test": test}
    metrics = {part: {"accuracy": share, "macro_f1": share, "n": 500} for part, share in figures.items()}
    spec = dataclasses.replace(done.spec, val_limit=val_limit)
    return dataclasses.replace(done, spec=spec, metrics=metrics)


def net(record, n, follows=FOLLOWS, **changes):
    epochs, batch = AMOUNTS[n]
    made = sized(record, "cnn", n, facts={"follows": follows}, **changes)
    params = {**made.spec.params, "epochs": epochs, "batch": batch}
    return dataclasses.replace(made, spec=dataclasses.replace(made.spec, params=params))


def test_settings_that_follow_from_the_number_of_images_make_one_curve(results, record):
    drawn = chart(load_results(results(*(net(record, n) for n in AMOUNTS))).rows)
    assert [(row["label"], row["sizes"]) for row in drawn.rows] == [("cnn", [125, 1250, 10_000])]  # val included


def test_settings_that_somebody_chose_are_told_apart_from_those_that_follow(results, record):
    chosen = net(record, 100, follows=["batch"])
    params = {**chosen.spec.params, "epochs": 40}
    chosen = dataclasses.replace(chosen, spec=dataclasses.replace(chosen.spec, params=params))
    drawn = chart(load_results(results(chosen, *(net(record, n) for n in AMOUNTS))).rows)
    assert [(row["label"], row["sizes"]) for row in drawn.rows] == [("cnn, epochs=auto", [125, 1250, 10_000])]


def test_overfitting_is_judged_over_sizes_whose_epochs_follow(results, record):
    from cellbench.reporting.findings import findings

    records = [net(record, 100, test=0.5), net(record, 8000, test=0.9)]
    found = [one.as_data() for one in findings(load_results(results(*records)))]
    assert "cnn, gap from train to test in accuracy" in str(found)


def test_each_policy_of_val_images_is_a_curve_of_its_own(results, record):
    records = [sized(record, "svm-hog", n) for n in AMOUNTS]
    records += [sized(record, "svm-hog", 100, val_limit=None), sized(record, "svm-hog", 100, val_limit=90)]
    rows = rows_of(load_results(results(*records)))
    limited, whole = val_policies(rows)
    assert sorted((row["n_train"], row["n_val"]) for row in limited) == [(100, 25), (1000, 250), (8000, 2000)]
    assert sorted((row["n_train"], row["n_val"]) for row in whole) == [(100, 2000), (8000, 2000)]
    drawn = chart(rows)
    assert {row["label"]: row["val_sizes"] for row in drawn.rows} == {
        "svm-hog, val limited too": [25, 250, 2000],
        "svm-hog, all of val": [2000, 2000],
    }


def test_rows_on_all_images_alone_are_one_policy(results, record):
    rows = rows_of(load_results(results(sized(record, "svm-hog", 8000))))
    assert val_policies(rows) == [rows]


def test_curves_cross_between_two_numbers_of_training_images_not_between_two_of_val(results, record):
    records = [net(record, n, test=test) for n, test in ((100, 0.5), (1000, 0.6), (8000, 0.7))]
    records += [sized(record, "svm-hog", n, test=0.55) for n in AMOUNTS]
    records += [net(record, 1000, val_limit=None, test=0.5), sized(record, "svm-hog", 1000, val_limit=None, test=0.6)]
    (found,) = sentences(load_results(results(*records)))
    assert (found["crossing"]["low"], found["crossing"]["high"]) == (100, 1000)


@pytest.mark.parametrize(("short", "reason"), [((1,), None), ((0, 2), "too short, in 2 of 3 seeds")])
def test_a_row_is_undertrained_when_at_least_half_of_its_seeds_are(results, record, short, reason):
    records = [record("cnn", seed=s, facts={"undertrained": "too short"} if s in short else {}) for s in range(3)]
    (row,) = load_results(results(*records)).rows
    assert row["undertrained"] == reason
    assert row["remark"] == (f"not trained enough: {reason}" if reason else "seed 1 not trained enough: too short")
