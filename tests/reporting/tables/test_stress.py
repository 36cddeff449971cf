"""Stress tests in the table and the chart: the stored figures, means over seeds, and what is passed over by name."""

import json
import math

import numpy as np
import pytest

from cellbench import load_results
from cellbench.core.records.store import Store
from cellbench.core.records.stress import Curve, StressRecord
from cellbench.reporting.charts.chart import LackingError
from cellbench.reporting.charts.kinds import stress as chart
from cellbench.reporting.tables.table import render
from cellbench.reporting.tables.views.stress import of_records, strengths_of

FALL = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
FLAT = [0.86, 0.86, 0.85, 0.85, 0.85, 0.85]


def test_the_table_has_the_stored_figures_perturbation_by_perturbation(view, record, under_stress):
    under_stress(record("svm-hog"), rotation=FALL, dimmer=FLAT)
    under_stress(record("cnn"), seen={"rotation": {"rotate": 180}}, rotation=FLAT, dimmer=FALL)
    table = view("stress", record("svm-hog"), record("cnn"), record("mlp"))
    assert [(row["perturbation"], row["method"]) for row in table.rows] == [
        ("rotation", "cnn"),
        ("rotation", "svm-hog"),
        ("dimmer", "cnn"),
        ("dimmer", "svm-hog"),
    ]
    row = table.rows[1]
    assert [row[f"accuracy_{at}"] for at in range(6)] == FALL
    assert [row[f"macro_f1_{at}"] for at in range(6)] == pytest.approx([value - 0.01 for value in FALL])
    assert row["fall"] == pytest.approx(-0.5)
    assert row["strength_5"] == 90
    assert table.notes == (
        "2,720 test images at every strength.",
        "Without intervals: cnn, svm-hog; `cellbench stress --force` finds them, unless a class is rare.",
        "cnn was trained on images changed in like manner: rotation (rotate=180).",
        "Without a stress test: mlp; keep models with `cellbench run --save-models`, then: cellbench stress",
    )


def half_of_normal(p, n=2720):
    return 1.96 * math.sqrt(p * (1 - p) / n)


def test_figures_have_intervals_over_images_and_the_fall_a_paired_one(view, record, under_stress):
    under_stress(record("cnn"), rotation=FALL, answered=True)
    table = view("stress", record("cnn"))
    (row,) = table.rows
    for at, share in enumerate(FALL):
        half = (row[f"accuracy_{at}_high"] - row[f"accuracy_{at}_low"]) / 2
        assert half == pytest.approx(half_of_normal(share), rel=0.06)
        assert row[f"accuracy_{at}_low"] < share < row[f"accuracy_{at}_high"]
    # the same images: half of them change from right to wrong, none from wrong to right
    assert (row["fall_high"] - row["fall_low"]) / 2 == pytest.approx(half_of_normal(0.5), rel=0.06)
    assert row["interval_over"] == "test images"
    text = render([table], "text", 200)
    assert f"{-50.0:.1f} ± 1.9".replace("-", "−") in text
    assert "±, the widest of the six, and of the fall: half of the 95 % interval, over test images" in text


def test_three_seeds_widen_the_intervals_by_their_spread(view, record, results, under_stress):
    shifts = (0.0, 0.03, 0.06)
    for seed, shift in enumerate(shifts):
        under_stress(record("cnn", seed=seed), rotation=[value + shift for value in FALL], answered=True)
    (row,) = view("stress", *(record("cnn", seed=seed) for seed in range(3))).rows
    over_seeds = 4.302653 * np.std(shifts, ddof=1) / math.sqrt(3)  # Student's t of two degrees of freedom
    low, high = row["accuracy_5_low"], row["accuracy_5_high"]
    assert row["accuracy_5"] == pytest.approx(0.43, abs=1e-3)
    assert (high - low) / 2 == pytest.approx(math.hypot(over_seeds, half_of_normal(0.43) / math.sqrt(3)), rel=0.05)
    drawn = chart.stress(load_results(results(*(record("cnn", seed=seed) for seed in range(3)))).rows)
    assert (drawn.points[5]["low"], drawn.points[5]["high"]) == (low, high)
    assert "Bars: 95 % interval, over test images and seeds." in drawn.notes


def test_seeds_are_pooled_into_means(view, record, under_stress):
    for seed, shift in enumerate((0.0, 0.02, 0.04)):
        under_stress(record("cnn", seed=seed), rotation=[value + shift for value in FALL])
    (row,) = view("stress", *(record("cnn", seed=seed) for seed in range(3))).rows
    assert row["seeds"] == 3
    assert [row[f"accuracy_{at}"] for at in range(6)] == pytest.approx([value + 0.02 for value in FALL])


def test_a_stress_test_of_another_run_and_a_damaged_one_are_passed_over_by_name(results, record, under_stress):
    cnn, hog = record("cnn"), record("svm-hog")
    for one in (cnn, hog):
        under_stress(one, rotation=FALL)
    folder = results(cnn, hog)
    of_cnn, of_hog = (
        Store(folder, "example-cpu-2c-abc123").path(one.spec).with_suffix(".stress") for one in (cnn, hog)
    )
    of_cnn.write_text(of_cnn.read_text()[:100])
    of_hog.write_text(json.dumps({**json.loads(of_hog.read_text()), "seed": 7}))
    with pytest.raises(LackingError) as refused:
        chart.stress(load_results(folder).rows)
    assert f"{of_cnn.name}: not a whole stress record" in str(refused.value)
    assert f"{of_hog.name}: its seed is 7, which is not that of the record" in str(refused.value)


def test_a_stress_test_of_an_earlier_training_of_the_run_is_passed_over(results, record, under_stress):
    cnn = record("cnn")
    under_stress(cnn, rotation=FALL)
    folder = results(cnn)
    file = Store(folder, "example-cpu-2c-abc123").path(cnn.spec).with_suffix(".stress")

    def problem(trained):
        file.write_text(json.dumps({**json.loads(file.read_text()), "trained": trained}))
        (row,) = load_results(folder).rows
        return row.runs[0].stress_problem

    assert problem(cnn.metrics["test"]) == ""
    assert "of an earlier training of this run" in problem({**cnn.metrics["test"], "accuracy": 0.1})


def test_the_chart_has_a_point_for_each_strength_and_names_what_was_seen(results, record, under_stress):
    under_stress(record("svm-hog"), rotation=FALL, dimmer=FLAT)
    under_stress(record("cnn"), seen={"rotation": {"rotate": 180}}, rotation=FLAT)
    drawn = chart.stress(load_results(results(record("svm-hog"), record("cnn"))).rows)
    points = [(p["perturbation"], p["name"], p["strength"], p["y"]) for p in drawn.points]
    assert points[:6] == [("rotation", "cnn", s, y) for s, y in zip((0, 5, 15, 30, 45, 90), FLAT, strict=True)]
    assert len(points) == 18
    assert "cnn was trained on images changed in like manner: rotation (rotate=180)." in drawn.notes
    assert drawn.title == "hep2, split official: accuracy under stress"


def test_without_a_stress_test_the_chart_says_how_to_get_one(results, record):
    with pytest.raises(LackingError, match="no model with a stress test; keep models with"):
        chart.stress(load_results(results(record("cnn"))).rows)


def test_records_of_models_make_the_same_table(tmp_path):
    curve = Curve("dimmer", "share", (0, 0.1, 0.2, 0.4, 0.6, 0.8), {"macro_f1": tuple(FALL)})
    facts = {"model": "0" * 12, "dataset": "atlas", "fingerprint": "f", "split": "official", "n": 9, "draws": 0}
    record = StressRecord(method="cnn", seed=0, curves=(curve,), left_out={"bleaching": "needs 2 channels"}, **facts)
    (table,) = of_records({tmp_path / "cnn.model": record})
    text = render([table], "text", 200)
    assert "10, 20, 40, 60, 80 %" in text
    without = "Without intervals: cnn; `cellbench stress --force` finds them, unless a class is rare."
    assert " ".join(line for line in text.splitlines() if line.startswith("dimmer")).split()[-7:] == [
        *("90.0", "80.0", "70.0", "60.0", "50.0", "40.0"),
        "−50.0",
    ]
    assert table.notes == ("9 test images at every strength.", without, "Left out: bleaching: needs 2 channels.")


def test_strengths_are_written_with_their_unit():
    assert strengths_of("degrees", (5, 15)) == "5, 15 degrees"
    assert strengths_of("share", (0.04, 0.2)) == "4, 20 %"
    assert strengths_of("of images", (0.2, 1)) == "20, 100 % of images"
