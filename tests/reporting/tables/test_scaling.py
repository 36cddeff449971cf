"""Fit time against size: exponents of exact power laws and of scattered times, and what the yeast study claims."""

import numpy as np
import pytest
from scipy.stats import linregress

from cellbench import load_results
from cellbench.reporting.tables.by_view import tables
from cellbench.reporting.tables.views.scaling import exponent

from ..made_records import make
from ..made_results import sizes


@pytest.fixture
def scaling(results):
    """{(method, backend): row} of the one table of some records, and the table."""

    def show(*records):
        (table,) = tables(load_results(results(*records)), "scaling")
        return {(row["method"], row["solver"]): row for row in table.rows}, table

    return show


def of_size(method, n, fit, **changes):
    return make(method, limit=n, facts={"n": {"train": n, "val": 5, "test": 5}}, seconds={"fit": fit}, **changes)


def test_an_exact_power_law_has_its_exponent_and_no_error():
    b, error = exponent({n: 2 * n**1.5 for n in (100, 400, 900, 2500)})
    assert b == pytest.approx(1.5, abs=1e-12)
    assert error == pytest.approx(0, abs=1e-7)


def test_the_exponent_of_scattered_times_and_its_error_are_those_of_linear_regression():
    n, t = np.array([100, 300, 1000, 5000]), np.array([1.0, 5.0, 9.0, 80.0])
    reference = linregress(np.log(n), np.log(t))
    assert exponent(dict(zip(n, t, strict=True))) == pytest.approx((reference.slope, reference.stderr))


def test_two_sizes_give_no_exponent():
    assert exponent({100: 1.0, 200: 2.0}) == (None, None)


def test_limits_are_pooled_in_one_row_a_method_backend_and_device(scaling):
    rows, table = scaling(*sizes())
    assert list(rows) == [
        ("cnn", "torch bf16"),
        ("svm-hog", "libsvm"),
        ("svm-hog", "torch"),
        ("study's SVM", "claimed"),
    ]
    ours = rows["svm-hog", "torch"]
    assert ours["sizes"] == [100, 2500, 10000]
    assert ours["fit_seconds"] == pytest.approx([0.02, 2.5, 20])
    assert ours["exponent"] == pytest.approx(1.5)
    assert rows["cnn", "torch bf16"]["exponent"] == pytest.approx(1.0)
    assert "limited" not in table.title


def test_a_size_that_failed_is_told_and_left_out_of_the_fit(scaling):
    rows, _ = scaling(*sizes())
    slow = rows["svm-hog", "libsvm"]
    assert (slow["sizes"], slow["exponent"]) == ([100, 2500], None)
    assert slow["sizes_tried"] == [100, 2500, 10000]
    assert slow["remark"] == "10,000 images: timeout: not finished after 3600 seconds"


def test_seeds_are_pooled_before_the_fit(scaling):
    rows, _ = scaling(*(of_size("cnn", n, n + d, seed=d) for n in (100, 200, 400) for d in (0, 2)))
    (row,) = rows.values()
    assert row["fit_seconds"] == [101, 201, 401]


def test_all_of_the_data_counts_as_its_number_of_images(scaling):
    rows, _ = scaling(of_size("cnn", 100, 1.0), make("cnn", seconds={"fit": 9.0}))
    (row,) = rows.values()
    assert row["sizes"] == [100, 8701]


def test_a_time_from_a_busy_machine_is_told_and_left_out_of_the_fit(scaling):
    """The three others grow as n^1.5."""
    fits = ((100, 2, 0.05), (400, 16, 0.0), (900, 500, 0.234), (1600, 999, None), (2500, 250, 0.0))
    rows, _ = scaling(*(of_size("cnn", n, fit, others=others) for n, fit, others in fits))
    (curve,) = [row for row in rows.values() if not row["claimed"]]
    assert (curve["sizes"], curve["sizes_tried"]) == ([100, 400, 1600, 2500], [100, 400, 900, 1600, 2500])
    assert curve["exponent"] == pytest.approx(1.5)
    assert curve["remark"] == (
        "900 images: left out, other programs had 23 % of the processors; "
        "1,600 images: whether other programs ran is unknown, so it is not in b"
    )


def test_the_claimed_curve_stands_by_the_images_of_the_yeast_study_alone(scaling, results):
    rows, table = scaling(*sizes())
    claimed = rows["study's SVM", "claimed"]
    reference = linregress(np.log([5e3, 1e4, 3e4, 6.5e4]), np.log([188, 614, 4377, 568 * 60]))
    assert (claimed["exponent"], claimed["exponent_error"]) == pytest.approx((reference.slope, reference.stderr))
    assert [row["claimed"] for row in table.rows] == [False, False, False, True]
    (note,) = [note for note in table.notes if note.startswith("claimed, CPU, github.com/DearRush/Deep-learning")]
    assert note.endswith(
        "times, and an accuracy of 49.1 % with 5,000, 53.7 % with 10,000, 60.1 % with 30,000, 82.7 % with 65,000 "
        "training images; not measured here."
    )
    other = [of_size("cnn", 100, 1.0, dataset="blood")]
    shown = tables(load_results(results(*other)), "scaling")
    assert [any(row["claimed"] for row in table.rows) for table in shown] == [False, True]


def test_without_an_exponent_a_note_has_the_command_for_another_size(scaling):
    _, table = scaling(of_size("svm-hog", 1000, 1.0, overrides={"C": 10}))
    assert table.notes[1] == (
        "No exponent yet; get one with: "
        "cellbench run --dataset hep2 --method svm-hog --device cpu --limit 500 --set C=10"
    )
