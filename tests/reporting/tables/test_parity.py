"""Backends against LIBSVM: ratios, agreement and optimum against figures worked out by hand."""

import numpy as np
import pytest

from cellbench import load_results
from cellbench.reporting.tables.by_view import tables
from cellbench.reporting.tables.table import render

from ..made_records import make, scores
from ..made_results import backends, solved


@pytest.fixture
def parity(results):
    """{(backend, device): row} of the one table of some records, and the table."""

    def show(*records, **options):
        (table,) = tables(load_results(results(*records, **options)), "parity")
        return {(row["solver"], row["device"]): row for row in table.rows}, table

    return show


def test_speed_agreement_and_optimum_are_relative_to_libsvm(parity):
    rows, _ = parity(*backends()[:4])
    ours = rows["torch", "cpu"]
    assert (ours["fit_speed_up"], ours["predict_speed_up"]) == (20 / 5, 4 / 0.5)
    assert ours["agreement"] == 0.9
    assert ours["dual_difference"] == pytest.approx(0.1 / 1000)
    assert ours["support_vectors"] == 501
    itself = rows["libsvm", "cpu"]
    assert (itself["fit_speed_up"], itself["agreement"], itself["dual_difference"]) == (1, 1, 0)


@pytest.mark.parametrize("busy", ["libsvm", "torch"])
def test_a_time_from_a_busy_machine_makes_no_ratio(parity, busy):
    of = {name: {"others": 0.2} if name == busy else {} for name in ("libsvm", "torch")}
    rows, _ = parity(*(solved(name, 1, 1, 2, 1, **of[name]) for name in of))
    assert (rows["torch", "cpu"]["fit_speed_up"], rows["torch", "cpu"]["predict_speed_up"]) == (None, None)
    assert rows["torch", "cpu"]["dual_difference"] == 0


def test_a_ratio_across_devices_is_marked(parity):
    rows, table = parity(*backends()[:4])
    assert rows["torch", "cuda"]["fit_speed_up"] == pytest.approx(100)
    assert [key for key, row in rows.items() if row["other_device"]] == [("torch", "cuda")]
    text = render([table], "text")
    assert "100†" in text
    assert text.count("†") == 3  # two ratios and the note
    assert "† another device: this ran on CUDA, LIBSVM on the processor." in table.notes


def test_agreement_is_missing_without_scores_and_speed_is_not(parity):
    rows, _ = parity(*backends()[:4])
    assert rows["onedal", "cpu"]["agreement"] is None
    assert rows["onedal", "cpu"]["fit_speed_up"] == 2.5


def test_scores_of_other_test_images_do_not_agree(parity):
    elsewhere = {**scores([0, 1]), "test_index": np.array([5, 6])}
    rows, _ = parity((solved("libsvm", 1, 1, 1, 1), scores([0, 1])), (solved("torch", 1, 1, 1, 1), elsewhere))
    assert rows["torch", "cpu"]["agreement"] is None


def test_several_labels_are_decided_at_the_thresholds_of_each_run(parity):
    truth = np.zeros((2, 2), bool)
    mine = {"test_scores": np.array([[0.4, 0.6], [0.6, 0.4]], np.float32), "test_labels": truth}
    theirs = {"test_scores": np.array([[-1, 1], [-1, -1]], np.float32), "test_labels": truth}
    index = {"test_index": np.arange(2)}
    figures = {"macro_f1": 0.5, "exact_match": 0.5, "n": 2}
    several = {
        "metrics": dict.fromkeys(("train", "val", "test"), figures),
        "facts": {"classes": ["a", "b"], "counts": {}},
    }
    rows, table = parity(
        (solved("libsvm", 1, 1, 1, 1, chosen={"thresholds": [0, 0]}, **several), {**theirs, **index}),
        (solved("torch", 1, 1, 1, 1, chosen={"thresholds": [0.5, 0.5]}, **several), {**mine, **index}),
    )
    assert rows["torch", "cpu"]["agreement"] == 0.75  # [0 1] and [1 0] against [0 1] and [0 0]; at 0 it would be 0.25
    assert "pairs of test image and label" in table.notes[0]


@pytest.mark.parametrize(
    "change", [{"limit": 1000}, {"overrides": {"C": 1, "backend": "libsvm"}}, {"split": "id-block"}, {"device": "cuda"}]
)
def test_libsvm_on_another_problem_or_device_is_no_partner(results, change):
    root = results(solved("torch", 1, 1, 1, 1), solved("libsvm", 1, 1, 1, 1, **change))
    rows = [row for table in tables(load_results(root), "parity") for row in table.rows]
    (ours,) = [row for row in rows if row["solver"] == "torch"]
    assert (ours["reference"], ours["fit_speed_up"], ours["agreement"]) == (False, None, None)


def test_libsvm_on_another_machine_is_no_partner(results):
    results(solved("libsvm", 1, 1, 1, 1), machine="b")
    (table,) = tables(load_results(results(solved("torch", 1, 1, 1, 1), machine="a")), "parity")
    assert [(row["machine"], row["fit_speed_up"]) for row in table.rows] == [("a", None), ("b", 1.0)]
    assert table.notes[-3].startswith("svm-hog, C=10 on a: no result of LIBSVM")


def test_without_libsvm_a_note_has_the_command_that_gives_it(parity):
    _, table = parity(solved("torch", 1, 1, 1, 1, device="cuda", overrides={"C": [1, 10], "backend": "torch"}))
    assert table.notes[0] == (
        "svm-hog, C=[1,10]: no result of LIBSVM to compare with; get one with: cellbench run --dataset hep2 "
        "--method svm-hog --device cpu --limit 2000 --val-limit all --set C=1,10 --set backend=libsvm"
    )


def test_a_libsvm_run_that_failed_is_shown_and_not_asked_for_again(parity):
    failed = solved("libsvm", 0, 0, 0, 0, status="timeout", reason="too slow")
    rows, table = parity(failed, solved("torch", 1, 1, 1, 1))
    assert rows["libsvm", "cpu"]["remark"] == "timeout: too slow"
    assert not any("get one" in note for note in table.notes)


def test_without_a_machine_the_view_says_so(parity):
    _, table = parity(make("cnn"))
    assert table.notes == ("No support vector machine has a result here.",)
