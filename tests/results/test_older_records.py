"""Records of nets that are older than training budgets."""

import dataclasses

import pytest

from cellbench import load_results
from cellbench.reporting.answers import answers
from cellbench.reporting.remedies import train_longer
from cellbench.reporting.tables.by_view import tables
from cellbench.results.older_records import follows, val_in_fit, why_undertrained


def older(record, epochs, entries=(), n=8701, **changes):
    """A net's record without the facts that came with training budgets."""
    made = record("resnet18", facts={"n": {"train": n, "val": 2175, "test": 2720}, "entries": list(entries)}, **changes)
    facts = {name: value for name, value in made.facts.items() if name != "seeded" and (name != "entries" or entries)}
    params = {**made.spec.params, "epochs": epochs, "batch": 64}
    return dataclasses.replace(made, facts=facts, spec=dataclasses.replace(made.spec, params=params))


@pytest.mark.parametrize(
    ("epochs", "entries", "reason"),
    [
        (20, [], None),
        (4, [], "540 steps, where the default is 2,700"),  # 8,701 // 64 = 135 steps an epoch
        (4, ["hep2-own/scratch"], None),  # as many as the suite plans
        (15, ["depth/resnet20"], "2,025 steps, where the default is 4,020"),  # 60 epochs of 67 steps
        (4, ["gone/away"], "540 steps, where the default is 2,700"),
    ],
)
def test_the_steps_of_a_suites_entry_are_enough_for_its_records(record, epochs, entries, reason):
    assert why_undertrained(older(record, epochs, entries)) == reason


def test_few_images_at_the_usual_epochs_are_too_few_steps_where_the_entry_leaves_epochs_open(record):
    """100 // 64 = 1 step an epoch, where 16 images a batch and 250 epochs are 1,500."""
    assert why_undertrained(older(record, 20, ["label-budget/resnet18"], n=100)).startswith("20 steps, where")


def test_of_older_nets_training_time_includes_scoring_val(record):
    assert val_in_fit(older(record, 20)) is True
    assert val_in_fit(record("resnet18")) is False
    assert val_in_fit(record("svm-hog")) is None


def test_times_that_include_scoring_val_are_not_averaged_with_others_and_a_note_says_so(results, record):
    newer = dataclasses.replace(record("resnet18", seed=1), spec=dataclasses.replace(older(record, 20).spec, seed=1))
    both = load_results(results(older(record, 20), newer))
    rows = both.rows
    assert [(row["val_in_fit"], row["seeds"]) for row in rows] == [(False, [1]), (True, [0])]
    note = "Training times of resnet18 are of older records and include scoring val; those of newer nets do not."
    assert note in tables(both, "leaderboard")[0].notes
    assert note not in tables(both.only(both.frame["seed"] == 0), "leaderboard")[0].notes


def test_the_contest_says_that_a_time_includes_scoring_val(results, record):
    (text,) = answers(load_results(results(older(record, 20), record("mlp"), record("svm-hog"))))
    assert "Training times of resnet18 are of older records and include scoring val" in text


def test_a_skipped_method_is_answered_with_its_reason_not_with_the_command_that_was_skipped(results, record):
    reason = "its weights are not here; get them with: pip install some-weights"
    skipped = record("mlp", facts={"family": "probe"}, status="skipped", reason=reason)
    (text,) = answers(load_results(results(record("svm-hog"), record("cnn"), skipped)))
    assert f"No probe ran: mlp was skipped, as {reason}" in text.split("\n")
    assert "--method probe-svm" not in text


@pytest.mark.parametrize(
    ("epochs", "batch", "n", "asked"),
    [(None, None, 8701, 40), (None, 16, 100, 500), (20, 64, 8701, 40), (20, 16, 100, 250)],
)
def test_longer_is_twice_the_epochs_and_at_least_the_default_where_they_were_left_open(
    results, record, epochs, batch, n, asked
):
    """At 100 images 1,500 steps of 16 images, 6 an epoch, are 250 epochs."""
    made = record("svm-hog", facts={"n": {"train": n, "val": 9, "test": 9}})
    spec = dataclasses.replace(made.spec, params={"epochs": epochs, "batch": batch})
    (row,) = load_results(results(dataclasses.replace(made, spec=spec))).rows
    assert f"--set epochs={asked}" in train_longer(row)


@pytest.mark.parametrize(
    ("n", "overrides", "more", "expected"),
    [
        (8701, {}, {}, ["optional", "C", "kernel"]),
        (8701, {"C": 3}, {}, ["optional", "kernel"]),
        (8701, {"kernel": "poly"}, {}, []),
        (8701, {}, {"entries": ["features/default"]}, []),  # a suite's kernel is given
        (100, {}, {}, []),  # it was rbf then, and by default is linear now
        (8701, {}, {"follows": ["kernel"]}, ["kernel"]),
    ],
)
def test_kernel_c_and_groups_of_older_machines_were_the_default_for_many_images(record, n, overrides, more, expected):
    sizes = {"n": {"train": n, "val": n // 4, "test": 10}, "follows": []}
    made = record("svm-hog", overrides=overrides)
    facts = {**made.facts, **sizes, **more}
    combined = dataclasses.replace(made.spec, method="svm-combined")
    assert follows(dataclasses.replace(made, spec=combined, facts=facts)) == expected
    assert follows(dataclasses.replace(made, facts=facts)) == facts["follows"]
