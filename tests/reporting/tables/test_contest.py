"""The contest of families: who takes part, by which figures, in which words."""

import dataclasses

import pytest

from cellbench import load_results
from cellbench.core.records.runs import RunRecord
from cellbench.reporting.tables.by_view import tables
from cellbench.reporting.tables.table import render
from cellbench.results.rows.undertrained import with_undertrained

from ..made_records import MACHINE, STEADY, judged, make, measured, of_several_labels
from ..made_results import judgements

STEPS = "12 steps, where the default is 1,500"


def of(family: str, name: str, like: str = "svm-hog", **changes) -> RunRecord:
    """A record of another family's method."""
    record = make(like, **changes)
    facts = {**record.facts, "family": family, **STEADY}
    return dataclasses.replace(record, spec=dataclasses.replace(record.spec, method=name), facts=facts)


@pytest.fixture
def contest(view):
    return lambda *records: view("svm-vs-deep", *records)


def by_family(table):
    return {row["family"]: row for row in table.rows}


def test_each_family_is_chosen_by_val_and_judged_on_test(contest, record):
    table = contest(
        record("svm-flat", **measured(val_f1=0.9, test_accuracy=0.7, fit=10)),
        record("svm-hog", **measured(val_f1=0.8, test_accuracy=0.99)),
        record("cnn", **measured(val_f1=0.6, test_accuracy=0.98)),
        record("resnet18", facts=STEADY, **measured(val_f1=0.7, test_accuracy=0.6, fit=25)),
        of("probe", "probe-svm", **measured(val_f1=0.8, test_accuracy=0.72, fit=5)),
        of("floor", "floor-intensity", **measured(val_f1=0.95, test_accuracy=0.5, fit=1)),
    )
    assert [row["method"] for row in table.rows] == ["svm-flat", "probe-svm", "resnet18", "floor-intensity"]
    assert [row["leader"] for row in table.rows] == [True, False, False, False]  # a floor leads nothing
    rows = by_family(table)
    assert rows["svm"]["test_accuracy_difference"] is None
    assert rows["deep"]["test_accuracy_difference"] == pytest.approx(-0.1)
    assert (rows["deep"]["train_seconds_ratio"], rows["probe"]["train_seconds_ratio"]) == (2.5, 0.5)
    assert rows["svm"]["sentence"] == (
        "On hep2 the floor, floor-intensity, is ahead of all others on val. The best of those is an SVM, svm-flat: "
        "70.0 % accuracy on test, trained in 10 s on the cpu. The best "
        "probe, probe-svm, has 72.0 % accuracy, 2.0 points more, trained in 5 s (svm-flat takes 2.0 times as long); "
        "the best net, resnet18, has 60.0 % accuracy, 10.0 points less, trained in 25 s (2.5 times as long); the best "
        "floor, floor-intensity, has 50.0 % accuracy, 20.0 points less."
    )


FEW = {"n": {"train": 90, "val": 30, "test": 100}}


def few(family: str, name: str, val_f1: float, test_accuracy: float, fit: float = 10.0, **changes) -> RunRecord:
    """A record with 30 images of val."""
    found = of(family, name, **measured(val_f1, test_accuracy, fit), **changes)
    return dataclasses.replace(found, facts={**found.facts, **FEW})


def test_few_images_of_val_choose_neither_methods_nor_the_leader(contest):
    table = contest(
        few("svm", "svm-hog", val_f1=0.9, test_accuracy=0.5),
        few("svm", "svm-combined", val_f1=0.7, test_accuracy=0.7, fit=2),
        few("deep", "fastnet", val_f1=0.8, test_accuracy=0.75, fit=30),
        few("deep", "cnn", val_f1=0.85, test_accuracy=0.72),
        few("floor", "floor-intensity", val_f1=0.95, test_accuracy=0.4),
    )
    assert [row["method"] for row in table.rows] == ["svm-combined", "fastnet", "floor-intensity"]
    assert [row["leader"] for row in table.rows] == [True, False, False]
    assert "the method that stands for each family, judged on" in table.title
    assert table.rows[0]["sentence"].startswith(
        "On hep2 30 images of val are too few to choose methods by, so each family takes part with its usual method. "
        "The SVM, svm-combined, has 70.0 % accuracy on test, trained in 2 s on the cpu. The "
        "net, fastnet, has 75.0 % accuracy, 5.0 points more, trained in 30 s (15 times as long); the floor, "
        "floor-intensity, has 40.0 % accuracy, 30.0 points less."
    )


def test_where_the_usual_method_did_not_run_few_images_of_val_choose_and_it_is_said(contest):
    table = contest(
        few("svm", "svm-hog", val_f1=0.9, test_accuracy=0.5),
        few("svm", "svm-flat", val_f1=0.8, test_accuracy=0.6),
        few("deep", "fastnet", val_f1=0.8, test_accuracy=0.75),
        few("deep", "fastnet", val_f1=0.9, test_accuracy=0.8, overrides={"lr": 0.2}),
    )
    assert [row["method"] for row in table.rows] == ["svm-hog", "fastnet"]
    assert table.rows[1]["overrides"] == "{}"
    assert (
        "so a family takes part with its usual method, and where that did not run with the best on these few. The best "
        "SVM, svm-hog, has 50.0 % accuracy on test, trained in 10 s on the cpu. The net, fastnet, has 75.0 %"
    ) in table.rows[0]["sentence"]


def test_what_does_better_on_test_than_the_usual_method_is_said_where_val_has_few_images(contest):
    def pair(usual: float, other: float):
        scored = (judged("svm-hog", share, luck, images=2000) for luck, share in enumerate((usual, other)))
        names = ("svm-combined", "svm-hog")
        return [
            (
                dataclasses.replace(one, spec=dataclasses.replace(one.spec, method=name), facts={**one.facts, **FEW}),
                told,
            )
            for name, (one, told) in zip(names, scored, strict=True)
        ]

    ahead = contest(*pair(usual=0.6, other=0.8)).rows
    assert [row["method"] for row in ahead] == ["svm-combined"]
    figure = round(100 * judged("svm-hog", 0.8, 1, images=2000)[0].metrics["test"]["accuracy"], 1)
    assert f"On test, which chooses nothing, others do better: the SVM svm-hog has {figure} %." in ahead[0][
        "sentence"
    ].split("\n")
    assert "others do better" not in contest(*pair(usual=0.8, other=0.6)).rows[0]["sentence"]


def test_a_family_that_nobody_knew_takes_part_like_any_other(contest, record):
    table = contest(record("cnn"), of("astrology", "stars", **measured(val_f1=0.95, test_accuracy=0.9)))
    assert [row["family"] for row in table.rows] == ["astrology", "deep"]
    assert table.rows[0]["sentence"].startswith(
        "On hep2 the best on val is an astrology method, stars: 90.0 % accuracy"
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_difference_is_that_of_the_printed_figures(contest, seed):
    table = contest(judged("resnet18", 0.9, seed, images=613), judged("svm-hog", 0.8, seed + 9, images=613))
    leader, other = table.rows
    printed = [round(100 * row["test_accuracy"], 1) for row in (other, leader)]
    assert 100 * other["test_accuracy_points"] == pytest.approx(printed[0] - printed[1])
    assert f"{printed[1] - printed[0]:.1f} points less" in other["sentence"]


def test_an_interval_that_holds_zero_shows_no_difference(contest):
    table = contest(judged("resnet18", 0.9, 1), judged("svm-hog", 0.9, 2))
    row = table.rows[1]
    assert row["test_accuracy_difference_low"] < 0 < row["test_accuracy_difference_high"]
    assert "no difference shown (95 % interval over test images" in row["sentence"]
    assert "points less" not in row["sentence"]


def test_simulated_images_carry_no_verdict(contest, record):
    table = contest(*(record(name, facts={"synthetic": True}) for name in ("svm-hog", "resnet18")))
    assert "These images are simulated, so no verdict rests on them." in table.rows[0]["sentence"]


def test_across_devices_accuracy_is_compared_and_time_is_not(contest, record):
    table = contest(record("svm-hog"), record("resnet18", device="cuda"))
    assert [(row["method"], row["device"]) for row in table.rows] == [("resnet18", "cuda"), ("svm-hog", "cpu")]
    assert table.rows[1]["test_accuracy_difference"] == pytest.approx(0.832 - 0.938)
    assert table.rows[1]["train_seconds_ratio"] is None
    assert "trained in 10 s on the cpu, so times are not compared" in table.rows[1]["sentence"]


def test_each_device_has_its_contest_and_one_that_is_part_of_another_is_left_out(contest, record):
    table = contest(record("svm-hog"), record("cnn"), record("resnet18", device="cuda"))
    found = {(row["contest"], row["method"]) for row in table.rows}
    assert found == {
        ("cpu (2)", "cnn"),
        ("cpu (2)", "svm-hog"),
        ("cuda (2) / cpu (2)", "resnet18"),
        ("cuda (2) / cpu (2)", "svm-hog"),
    }


def test_a_time_from_a_busy_machine_is_compared_with_nothing(contest, record):
    table = contest(record("svm-hog", others=0.09), record("resnet18", others=0.234))
    assert table.rows[1]["train_seconds_ratio"] is None
    assert "other programs were at work as well, so times are not compared" in table.rows[1]["sentence"]


def test_a_time_of_runs_that_shared_the_machine_is_compared_with_nothing(contest, record):
    table = contest(record("svm-hog", facts={"shared": 2}), record("resnet18"))
    assert table.rows[1]["train_seconds_ratio"] is None
    assert "several runs shared the machine, so times are not compared" in table.rows[1]["sentence"]


def test_machines_are_told_apart_in_words(results, record):
    for machine in ("a", "b"):
        root = results(record("svm-hog"), record("resnet18"), machine=machine)
    (table,) = tables(load_results(root), "svm-vs-deep")
    sentences = list(dict.fromkeys(row["sentence"] for row in table.rows))
    assert ["on the cpu of a." in one for one in sentences] == [True, False]
    assert ["on the cpu of b." in one for one in sentences] == [False, True]
    assert "machine" in render([table], "text").split("---")[0]


def test_a_machine_that_ran_more_families_with_a_better_leader_speaks_for_both(results, record):
    results(record("svm-hog"), record("cnn"), machine="a")
    root = results(record("svm-hog"), record("resnet18"), of("floor", "floor-intensity"), machine="b")
    (table,) = tables(load_results(root), "svm-vs-deep")
    assert {row["machine"] for row in table.rows} == {"b"}
    assert [row["method"] for row in table.rows] == ["resnet18", "svm-hog", "floor-intensity"]


def test_a_machine_with_the_better_leader_keeps_its_contest(results, record):
    results(record("svm-hog"), record("resnet18"), machine="a")
    root = results(record("svm-hog"), record("cnn"), of("floor", "floor-intensity"), machine="b")
    (table,) = tables(load_results(root), "svm-vs-deep")
    assert {row["contest"] for row in table.rows} == {"a / b", "b"}


def test_a_failed_seed_of_an_entrant_is_told(contest, record):
    table = contest(record("svm-hog"), record("svm-hog", seed=1, status="failed", reason="x"), record("cnn"))
    assert by_family(table)["svm"]["remark"] == "seed 1 failed: x"


def test_several_labels_an_image_are_compared_in_macro_f1(contest, record):
    table = contest(record("cnn", **of_several_labels(0.4)), record("svm-hog", **of_several_labels(0.5)))
    assert table.rows[0]["sentence"].startswith("On hep2 the best on val is an SVM, svm-hog: 50.0 % macro-F1 on test")
    assert "the best net, cnn, has 40.0 % macro-F1, 10.0 points less" in table.rows[0]["sentence"].replace("The", "the")


def test_families_that_did_not_run_are_named_with_the_command(contest, record):
    assert contest(record("cnn")).notes[-1] == (
        "There is no SVM, no probe and no floor among these runs; get one with: cellbench run --dataset hep2 "
        "--method svm-combined --method probe-linear --method floor-intensity --device cpu"
    )


# not shown, though it ran


def test_a_net_that_is_only_not_shown_is_said_to_have_run(results, record):
    root = results(record("svm-hog"), record("resnet18", overrides={"epochs": 3}))
    shown, _ = load_results(root).select()
    (table,) = tables(shown, "svm-vs-deep")
    assert [row["method"] for row in table.rows] == ["svm-hog"]
    assert (
        "No net is among these runs, but resnet18 (epochs=3) used less data or changed settings; show it with: "
        "--runs all"
    ) in table.notes
    assert "--method resnet18" not in table.notes[-1]
    (depth,) = tables(shown, "depth")
    assert depth.notes[0].startswith(
        "No plain or residual net is among these runs, but resnet18 (epochs=3) used less data or changed settings"
    )


# not trained enough


def test_what_was_not_trained_enough_comes_first_with_the_command_and_decides_nothing(contest, record):
    short = record("resnet18", overrides={"epochs": 3}, facts={"undertrained": STEPS})
    table = contest(record("svm-hog"), short)
    assert [row["method"] for row in table.rows] == ["svm-hog", "resnet18"]  # though its figures are better
    net = table.rows[1]
    assert (net["undertrained"], net["test_accuracy_difference"]) == (STEPS, None)
    assert net["remark"] == f"not trained enough: {STEPS}"
    assert net["sentence"].split("\n")[0] == (
        f"On hep2 resnet18 (epochs=3) was not trained enough ({STEPS}), so there is no verdict on it yet; get one "
        "with: cellbench run --dataset hep2 --method resnet18 --device cpu"
    )
    assert "resnet18 (epochs=3), has 93.8 % accuracy, not trained enough, trained in" in net["sentence"]


def test_a_net_that_was_trained_enough_stands_for_its_family_whatever_the_other_scores(contest, record):
    short = record("resnet34", facts={"undertrained": STEPS})
    assert by_family(contest(record("svm-hog"), short, record("cnn")))["deep"]["method"] == "cnn"


def test_default_settings_that_were_not_enough_are_asked_for_twice_as_long(contest, record):
    table = contest(record("svm-hog"), record("resnet18", facts={"undertrained": "still rising"}))
    assert table.rows[1]["sentence"].split("\n")[0].endswith("--method resnet18 --device cpu --set epochs=32")


def test_a_row_far_from_the_best_train_error_of_its_kind_was_not_trained_enough(results, record):
    def train(accuracy):
        return {"metrics": {part: {"accuracy": accuracy, "macro_f1": accuracy, "n": 9} for part in ("train", "test")}}

    records = [
        record("cnn", overrides={"epochs": 40, "lr": 0.05}, **train(0.95)),
        record("cnn", overrides={"epochs": 10}, **train(0.86)),  # 9 points behind
        record("cnn", overrides={"epochs": 2}, **train(0.84)),  # 11
        record("cnn", overrides={"epochs": 2, "width": 2}, **train(0.5)),  # of another kind
        record("resnet18", **train(0.4)),
    ]
    reasons = {row["overrides"]: row["undertrained"] for row in load_results(results(*records)).rows}
    assert {text for text, reason in reasons.items() if reason} == {'{"epochs":2}'}
    assert reasons['{"epochs":2}'] == "16.0 % wrong on train, where other settings came to 5.0 %"


def test_the_reason_on_record_goes_before_one_found_by_comparison(record):
    row = {"status": "ok", "undertrained": STEPS, "remark": "x", "params": "{}", "train_accuracy": 0.5, "method": "cnn"}
    better = {**row, "undertrained": None, "train_accuracy": 0.9}
    first, second = with_undertrained([row, better])
    assert (first["undertrained"], first["remark"]) == (STEPS, f"not trained enough: {STEPS}; x")
    assert (second["undertrained"], second["remark"]) == (None, "x")


def test_of_fewer_than_three_seeds_it_is_said_that_they_tell_of_trained_models(contest, record):
    table = contest(record("svm-hog"), record("cnn"), record("cnn", seed=1))
    (sentence,) = {row["sentence"] for row in table.rows}
    assert sentence.split("\n")[1] == (
        "cnn has fewer than three seeds: what is said of it holds for this trained model, not for the method; get "
        "three with: cellbench run --dataset hep2 --method cnn --device cpu --seeds 0-2"
    )
    table = contest(record("svm-hog"), *(record("cnn", seed=seed) for seed in range(3)))
    assert "fewer than three seeds" not in table.rows[0]["sentence"]


def test_what_was_not_trained_enough_is_never_bold(view, record):
    short = judged("resnet18", 0.95, 1, facts={"undertrained": STEPS})
    table = view("leaderboard", short, judged("cnn", 0.9, 2, facts=STEADY), judged("svm-hog", 0.7, 3))
    assert {row["method"]: row["tied"] for row in table.rows} == {"resnet18": None, "cnn": True, "svm-hog": False}


# labels


def test_a_limit_says_both_training_and_val_labels(contest, record):
    table = contest(record("cnn", limit=100), record("svm-hog", limit=100))
    assert table.title.startswith("hep2, split official, limited to 100 training images and all val images: ")
    assert table.notes[-1].endswith("--limit 100 --val-limit all")


def test_the_summary_has_the_contest_of_every_data_set_and_each_by_its_own_figure(results, record):
    labels = {"several_labels": True, "multilabel": True}
    folder = results(
        *judgements(),
        *(record(name, dataset="atlas", facts=labels, split="by antibody") for name in ("svm-hog", "cnn")),
    )
    found = load_results(folder)
    (summary,) = tables(found, "summary")
    apart = [row for table in tables(found, "svm-vs-deep") for row in table.rows]
    assert {(row["dataset"], row["split"]) for row in summary.rows} == {
        ("hep2", "official"),
        ("wells", "official"),
        ("atlas", "by antibody"),
    }
    key = ("dataset", "split", "method", "device", "test_accuracy", "test_accuracy_difference_low", "train_seconds")
    assert sorted(str([row[k] for k in key]) for row in summary.rows) == sorted(
        str([row[k] for k in key]) for row in apart
    )
    columns = {column.title_in_line: column for column in summary.columns}
    of_labels = [row for row in summary.rows if row["dataset"] == "atlas"]
    others = [row for row in summary.rows if row["dataset"] != "atlas"]
    assert [columns["test accuracy"].value(row) for row in of_labels] == [None, None]
    assert [columns["test macro-F1"].value(row) for row in of_labels] == [row["test_macro_f1"] for row in of_labels]
    assert [columns["test accuracy"].value(row) for row in others] == [row["test_accuracy"] for row in others]
    assert {columns["test macro-F1"].value(row) for row in others} == {None}


def test_the_summary_says_on_which_data_a_time_is_that_of_a_busy_machine(results, record):
    quiet = [record(name, dataset="atlas", others=0.0) for name in ("svm-hog", "cnn")]
    busy = [record("svm-hog", others=0.0), record("cnn", others=0.23)]
    (summary,) = tables(load_results(results(*quiet, *busy)), "summary")
    (note,) = [note for note in summary.notes if note.startswith("Other programs had 23 %")]
    assert note.endswith("Run them again with --force: cnn on hep2, split official.")


def test_the_summary_names_the_hardware_once_where_each_data_set_has_one(view, record):
    wells = {"dataset": "wells", "split": "grouped"}
    table = view("summary", record("svm-hog"), record("cnn"), record("cnn", threads=8, **wells))
    text = render([table], "text", 200)
    assert "device" not in text.split("---")[0]
    assert f"Device (threads) and machine: cpu (2) of {MACHINE} for hep2; cpu (8) of {MACHINE} for wells" in text
    several = render([view("summary", record("svm-hog"), record("cnn"), record("cnn", threads=8))], "text", 200)
    assert "(threads)" in several.split("---")[0]
    assert "Device (threads)" not in several
