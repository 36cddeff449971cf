"""What figures show: the data behind each kind, against the records and against hand computations."""

import dataclasses
import math
import statistics
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from cellbench import load_results
from cellbench.core.errors import UsageError
from cellbench.reporting.charts.chart import LackingError, labelled
from cellbench.reporting.charts.contenders import contenders
from cellbench.reporting.charts.kinds import (
    bars,
    confusion,
    depth,
    history,
    learning_curve,
    per_class,
    svm_time,
    thresholds,
    time,
)
from cellbench.reporting.charts.registry import outcomes
from cellbench.results.rows.row import Row

from ..made_records import CLASSES, COUNTS, METHODS, TAKEN, TRUTH, epochs, of_size, predictions, several_labels
from ..made_results import sizes


@pytest.fixture
def evidence(results):
    """The rows of records, or of pairs of record and predictions."""

    def gather(*records: Any) -> list[Row]:
        return load_results(results(*records)).rows

    return gather


def by_label(chart) -> dict[str, Any]:
    return {row["label"]: row for row in chart.rows}


# time


def test_training_time_and_test_accuracy_are_those_of_the_records(evidence, record):
    rows = by_label(time.time(evidence(record("svm-hog"), record("cnn"))))
    assert (rows["svm-hog"]["seconds"], rows["svm-hog"]["figure"]) == (pytest.approx(9.84 + 0.4), 0.832)
    assert (rows["cnn"]["seconds"], rows["cnn"]["figure"]) == (pytest.approx(61.4), 0.858)
    assert rows["cnn"]["span"] is rows["cnn"]["seconds_sd"] is None


def test_seeds_are_pooled_and_three_of_them_have_an_interval(evidence, record):
    shifts = (0.0, 0.01, -0.02)
    chart = time.time(evidence(*(record("cnn", seed=seed, shift=shift) for seed, shift in enumerate(shifts))))
    (row,) = chart.rows
    accuracies = [0.858 + shift for shift in shifts]
    assert row["figure"] == pytest.approx(statistics.mean(accuracies))
    half = 4.302653 * statistics.stdev(accuracies) / math.sqrt(3)  # Student's t, 2 degrees of freedom
    assert row["span"] == pytest.approx((row["figure"] - half, row["figure"] + half))
    assert chart.subtitle.endswith("; means of 3 seeds")
    assert "Bars of accuracy: 95 % interval, over seeds." in chart.notes


def test_the_pareto_front_is_what_no_other_beats_in_both():
    named = {
        "fast": (1, 0.7),
        "worse and slower": (2, 0.6),
        "better": (3, 0.8),
        "its twin": (3, 0.8),
        "as good, slower": (4, 0.8),
        "best": (9, 0.9),
        "as slow, worse": (9, 0.85),
    }
    points = [{"label": name, "seconds": s, "figure": f} for name, (s, f) in named.items()]
    assert [point["label"] for point in time.pareto(points)] == ["fast", "better", "its twin", "best"]


def test_a_time_that_other_programs_made_too_long_is_on_no_front_and_keeps_none_off_it():
    points = [
        {"label": "a", "seconds": 1.0, "figure": 0.9, "others": 0.5},
        {"label": "b", "seconds": 2.0, "figure": 0.8, "others": 0.05},
        {"label": "c", "seconds": 3.0, "figure": 0.85},
    ]
    assert [point["label"] for point in time.pareto(points)] == ["b", "c"]


def test_each_device_has_a_front_of_its_own(evidence, record):
    quick = {"seconds": {"fit": 1.0}}
    chart = time.time(evidence(record("svm-hog"), record("cnn"), record("cnn", device="cuda", **quick)))
    assert {(row["label"], row["device"]): row["front"] for row in chart.rows} == {
        ("svm-hog", "cpu"): True,
        ("cnn", "cpu"): True,
        ("cnn", "cuda"): True,
    }


def test_what_failed_is_told_and_not_drawn(evidence, record):
    chart = time.time(evidence(record("cnn"), record("vgg16", status="timeout", reason="not finished")))
    assert [row["label"] for row in chart.rows] == ["cnn"]
    assert "vgg16 on cpu (2): timeout: not finished" in chart.notes


# history


def test_the_history_of_seeds_is_their_mean_and_deviation_over_the_epochs_that_all_have(evidence, record):
    first = record("cnn", seed=0, history=epochs(3.0, 2.0, 1.0), chosen={"epoch": 3})
    second = record("cnn", seed=1, history=epochs(2.0, 1.0), chosen={"epoch": 2})
    (net,) = history.history(evidence(first, second, record("svm-hog"))).rows
    assert net["epochs"].tolist() == [1, 2]
    assert net["val"]["loss"].means.tolist() == [2.5, 1.5]
    assert net["val"]["loss"].deviations == pytest.approx([statistics.stdev([3, 2]), statistics.stdev([2, 1])])
    assert net["train"]["accuracy"].means == pytest.approx([0.5, 0.6])
    assert net["kept"] == [3, 2]


def test_an_epoch_after_which_val_was_not_scored_has_no_figure_of_it(evidence, record):
    rows = epochs(3.0, 2.0, 1.0)
    unscored = {name: value for name, value in rows[1].items() if not name.startswith("val_")}
    (net,) = history.history(evidence(record("cnn", history=(rows[0], unscored, rows[2])))).rows
    assert net["val"]["loss"].means == pytest.approx([3.0, math.nan, 1.0], nan_ok=True)
    assert net["train"]["loss"].means == pytest.approx([3.1, 2.1, 1.1])


def test_a_search_over_c_is_no_history_of_epochs(evidence, record):
    with pytest.raises(LackingError, match=r"no net has a history of epochs; get one with: .*--method cnn"):
        history.history(evidence(record("svm-hog", history=({"C": 1.0, "val_macro_f1": 0.5},))))


# bars


def test_bars_are_train_val_and_test_the_best_on_test_first(evidence, record):
    chart = bars.bars(evidence(record("svm-hog"), record("cnn"), record("mlp")))
    assert [(row["label"], row["train"], row["val"], row["test"]) for row in chart.rows] == [
        ("cnn", 0.911, 0.869, 0.858),
        ("svm-hog", 0.998, 0.846, 0.832),
        ("mlp", 0.942, 0.771, 0.759),
    ]
    assert "train is scored" not in " ".join(chart.notes)


def test_claimed_figures_go_to_their_method_alone(evidence, record):
    rows = by_label(bars.bars(evidence(record("svm-hog"), record("cnn")), {"cnn": {"test": 0.52}}))
    assert (rows["cnn"]["claimed"], rows["svm-hog"]["claimed"]) == ({"test": 0.52}, {})


# depth


def test_depth_is_the_error_of_plain_and_residual_nets(evidence, record):
    nets = ("plain18", "plain34", "resnet18", "resnet34")
    rows = {row["kind"]: row for row in depth.depth(evidence(*(record(net) for net in nets), record("cnn"))).rows}
    for kind, prefix in (("plain", "plain"), ("residual", "resnet")):
        assert rows[kind]["depths"] == [18, 34]
        for part, place in (("train", 4), ("test", 6)):
            expected = [1 - METHODS[f"{prefix}{layers}"][place] for layers in (18, 34)]
            assert rows[kind]["errors"][part] == pytest.approx(expected)


def test_thin_nets_and_wide_ones_are_never_joined(evidence, record):
    nets = [record(net) for net in ("resnet18", "resnet34")]
    thin = [record("resnet18", facts={"depth": layers}, overrides={"lr": layers}) for layers in (20, 56)]
    same = [dataclasses.replace(one, overrides={}) for one in thin]
    rows = depth.depth(evidence(*nets, *same)).rows
    assert [(row["width"], row["depths"]) for row in rows] == [("thin", [20, 56]), ("wide", [18, 34])]


def test_settings_that_all_nets_share_are_told_once_and_not_in_their_names(evidence, record):
    nets = [record(net, seed=seed, overrides={"lr": 0.2}) for net in ("plain18", "plain34") for seed in (0, 1)]
    chart = depth.depth(evidence(*nets))
    assert chart.notes[0] == "All with lr=0.2."
    assert sum("lr=" in note for note in chart.notes) == 1


def test_one_depth_is_no_curve(evidence, record):
    with pytest.raises(LackingError, match=r"at two depths; get one with: .*--method plain18 --method resnet18"):
        depth.depth(evidence(record("plain18"), record("resnet18")))


# learning-curve


def test_a_learning_curve_has_every_size_with_all_of_the_data_last(evidence, record):
    limited = [of_size(record, "cnn", n, shift=shift) for n, shift in ((1000, -0.2), (100, -0.4))]
    chart = learning_curve.learning_curve(evidence(*limited, record("cnn"), record("mlp")))
    (row,) = chart.rows
    assert row["sizes"] == [600, 1500, 10876]  # training and val images
    assert row["figures"] == pytest.approx([0.458, 0.658, 0.858])
    assert "Not drawn, with one size only: mlp." in chart.notes
    taken = "Labelled val images, beside the training images: 500 with 100, 500 with 1,000, 2,175 with 8,701."
    assert taken in chart.notes


def test_of_backends_with_the_same_problem_the_one_with_most_sizes_is_drawn(evidence, record):
    def solved(backend: str, n: int):
        return of_size(record, "svm-hog", n, overrides={"C": 10, "backend": backend}, backend=backend)

    chart = learning_curve.learning_curve(
        evidence(*(solved("torch", n) for n in (100, 200, 400)), solved("libsvm", 100))
    )
    assert [(row["label"], row["sizes"]) for row in chart.rows] == [("svm-hog, C=10", [600, 700, 900])]
    assert learning_curve.BACKENDS in chart.notes
    assert "Beside the training images, 500 val images have labels at every size." in chart.notes


def test_with_one_size_the_command_for_another_is_told(evidence, record):
    with pytest.raises(LackingError, match=r"two numbers of training images; get one with: .* --limit 4350$"):
        learning_curve.learning_curve(evidence(record("cnn")))


# confusion


def test_confusion_is_scikit_learns_in_another_order_of_classes(evidence, record):
    (row,) = confusion.confusion(evidence((record("cnn"), predictions(TRUTH, TAKEN)))).rows
    expected = confusion_matrix(TRUTH, TAKEN, labels=range(6), normalize="true")
    order = [CLASSES.index(name) for name in row["classes"]]
    assert sorted(order) == list(range(6))
    shares = np.nan_to_num(row["shares"])
    assert shares == pytest.approx(expected[np.ix_(order, order)])
    assert dict(zip(row["classes"], row["n"], strict=True))["Speckled"] == 5
    absent = row["classes"].index("Golgi")
    assert np.isnan(row["shares"][absent]).all()
    assert row["n"][absent] == 0


def test_classes_that_are_mistaken_for_each_other_stand_side_by_side(evidence, record):
    (row,) = confusion.confusion(evidence((record("cnn"), predictions(TRUTH, TAKEN)))).rows
    place = {name: at for at, name in enumerate(row["classes"])}
    assert abs(place["Homogeneous"] - place["Centromere"]) == 1  # 0 and 3
    assert abs(place["Nucleolar"] - place["NuMem"]) == 1  # 2 and 4


def test_confusion_of_seeds_is_pooled_and_n_counts_images_once(evidence, record):
    one = (record("cnn", seed=0), predictions([0, 0, 1, 1], [0, 0, 1, 1]))
    other = (record("cnn", seed=1), predictions([0, 0, 1, 1], [0, 1, 1, 1]))
    (row,) = confusion.confusion(evidence(one, other)).rows
    first, second = row["classes"].index("Homogeneous"), row["classes"].index("Speckled")
    assert row["shares"][first, first] == 0.75
    assert row["shares"][first, second] == 0.25
    assert row["n"].sum() == 4


def test_without_predictions_or_with_several_labels_there_is_no_confusion(evidence, record):
    with pytest.raises(LackingError, match="no run with predictions beside its record; get one with"):
        confusion.confusion(evidence(record("cnn")))
    with pytest.raises(LackingError, match="several labels have no confusion matrix; see: cellbench plot per-class"):
        confusion.confusion(evidence(record("cnn", dataset="atlas", facts={"multilabel": True})))


def test_of_many_methods_the_best_svm_and_the_best_net_on_val_are_shown(evidence, record):
    rows = labelled(evidence(*(record(method) for method in METHODS)))
    shown, notes = contenders(rows)
    assert [row["method"] for row in shown] == ["resnet34", "svm-hog"]
    assert "9 others not: choose up to 4" in notes[0]
    few, none = contenders([row for row in rows if row["method"] in ("cnn", "mlp", "svm-flat")])
    assert ([row["method"] for row in few], none) == (["cnn", "svm-flat", "mlp"], [])


# per-class


def test_f1_of_a_class_is_scikit_learns_whether_or_not_the_record_holds_it(evidence, record):
    expected = f1_score(TRUTH, TAKEN, labels=range(6), average=None, zero_division=np.nan)
    (computed,) = per_class.per_class(evidence((record("cnn"), predictions(TRUTH, TAKEN)))).rows
    assert computed["f1"][:5] == pytest.approx(expected[:5])
    assert np.isnan(computed["f1"][5])
    assert computed["n_train"] == COUNTS["train"]


def test_f1_of_a_class_is_that_of_the_record_over_seeds(evidence, record):
    def kept(seed: int, f1: list[float | None]):
        figures = {"precision": f1, "recall": f1, "f1": f1, "n": [5, 4, 3, 2, 1, 0]}
        return record("cnn", seed=seed, per_class={"test": figures})

    chart = per_class.per_class(
        evidence(kept(0, [0.5, 0.6, 0.7, 0.8, 0.9, None]), kept(1, [0.7, 0.6, 0.7, 0.8, 0.9, None]))
    )
    (row,) = chart.rows
    assert row["f1"][:2] == pytest.approx([0.6, 0.6])
    assert row["spans"] == [None] * 6  # no predictions, so nothing to draw from
    assert np.isnan(row["f1"][5])
    assert row["n_test"] == [5, 4, 3, 2, 1, 0]


# thresholds


def test_the_sweep_is_scikit_learns_macro_f1_at_each_probability(evidence, record):
    pair, truth, scores = several_labels(record)
    (row,) = thresholds.thresholds(evidence(pair)).rows
    assert row["thresholds"].tolist() == pytest.approx([0.05 * step for step in range(1, 20)])
    probability = 1 / (1 + np.exp(-scores.astype(float)))
    expected = [f1_score(truth, probability > at, average="macro", zero_division=0) for at in row["thresholds"]]
    assert row["macro_f1"] == pytest.approx(expected)
    assert row["best"] == row["thresholds"][np.argmax(expected)]
    assert (row["chosen"], row["chosen_at"]) == (pytest.approx(f1_score(truth, scores > 0, average="macro")), None)


def test_one_threshold_for_all_classes_is_told_as_a_probability(evidence, record):
    pair, *_ = several_labels(record, chosen={"thresholds": [float(np.log(0.15 / 0.85))] * 6})
    (row,) = thresholds.thresholds(evidence(pair)).rows
    assert row["chosen_at"] == pytest.approx(0.15)


def test_one_label_an_image_has_no_threshold(evidence, record):
    with pytest.raises(LackingError, match="hep2 has one label an image, so there is no threshold to choose"):
        thresholds.thresholds(evidence(record("cnn")))


# svm-time


def test_fit_times_and_exponents_are_those_of_the_scaling_table(evidence):
    chart = svm_time.svm_time(evidence(*sizes()))
    rows = {row["solver"]: row for row in chart.rows}
    assert set(rows) == {"torch", "libsvm", "claimed"}  # the net's curve is of another kind
    torch = rows["torch"]
    assert torch["sizes"] == [100, 2500, 10000]
    assert torch["fit_seconds"] == pytest.approx([2e-5 * n**1.5 for n in torch["sizes"]])
    assert torch["exponent"] == pytest.approx(1.5)
    assert svm_time.fitted(torch, [100, 10000]) == pytest.approx([2e-5 * 100**1.5, 2e-5 * 10000**1.5])
    assert rows["libsvm"]["exponent"] is None
    assert "svm-hog, libsvm: 10,000 images: timeout: not finished after 3600 seconds" in chart.notes


# which figures there are


def test_data_sets_splits_and_limits_never_share_a_figure(results, record):
    simulated = {"synthetic": True}
    root = results(
        record("cnn"),
        record("cnn", split="id-block"),
        record("cnn", limit=100),
        record("cnn", dataset="folder:my cells", limit=100),
        record("cnn", dataset="folder:my cells", limit=200),
        record("cnn", dataset="yeast-sim", facts=simulated),
    )
    found = {one.name: one.chart for one in outcomes(load_results(root), ["time"])}
    assert sorted(found) == [
        "time-folder-my-cells-n100",
        "time-folder-my-cells-n200",
        "time-hep2-id-block",
        "time-hep2-official",
        "time-yeast-sim",
    ]
    yeast = found["time-yeast-sim"]
    assert yeast.title.startswith("yeast-sim (simulated), split official: ")
    assert "The images are simulated: no verdict rests on them." in yeast.notes
    assert "limited to 100 training images" in found["time-folder-my-cells-n100"].title
    for chart in found.values():
        assert "2,720 test" in chart.subtitle


def test_conditions_choose_rows_so_that_no_seed_is_picked_by_its_luck(results, record):
    root = results(*(record("cnn", seed=seed, shift=shift) for seed, shift in ((0, 0.0), (1, 0.02))), record("mlp"))
    (one,) = outcomes(load_results(root), ["bars"], conditions=["test_accuracy>=0.865"])
    assert [(row["label"], row["test"]) for row in one.chart.rows] == [("cnn", pytest.approx(0.868))]


def test_two_contents_of_one_name_are_told_apart(results, record):
    root = results(record("cnn"), record("cnn", fingerprint="abcdef0123"))
    names = [one.name for one in outcomes(load_results(root), ["bars"])]
    assert sorted(names) == ["bars-hep2-5f3a9c", "bars-hep2-abcdef01"]


def test_what_a_kind_lacks_is_told_and_the_others_are_made(results, record):
    root = results(record("cnn"), record("svm-hog"))
    found = {one.kind.name: one for one in outcomes(load_results(root), ["time", "depth"])}
    assert found["time"].chart is not None
    assert found["depth"].chart is None
    assert "cellbench run --dataset hep2 --method plain18" in found["depth"].lacking


def test_lacking_is_an_error_of_use():
    assert issubclass(LackingError, UsageError)
