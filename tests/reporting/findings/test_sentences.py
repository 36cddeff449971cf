"""The answer in words for each data set."""

import pytest

from cellbench import load_results
from cellbench.reporting.findings import sentences
from cellbench.reporting.report.page import report
from cellbench.reporting.tables.by_view import tables

from .scored import first_right, scored


def budget(*figures):
    return [
        scored(method, first_right(k, 100), dataset="blood", limit=n, n=n, train=0.9)
        for n, svm, net in figures
        for method, k in (("svm-hog", svm), ("cnn", net))
    ]


def test_curves_cross_where_straight_lines_over_the_logarithm_meet(results):
    """From −10 points at 100 to +10 at 10,000: half of the way in logarithms, at 1,000."""
    (said,) = sentences(load_results(results(*budget((100, 60, 50), (10000, 60, 70)))))
    assert {key: said["crossing"][key] for key in ("low", "high", "at")} == {"low": 100, "high": 10000, "at": 1000}
    assert (
        "cross between 100 training and 2,175 val images and 10,000 training and 2,175 val images (at about 1,000 "
        "training images), above which the net is ahead" in said["sentence"]
    )


def test_the_sentence_has_gap_interval_and_ratios_of_time_and_memory(results):
    (said,) = sentences(
        load_results(results(scored("svm-hog", first_right(60, 100)), scored("cnn", first_right(80, 100))))
    )
    assert "The best SVM, svm-hog, has 60.0 % accuracy, 20.0 points less" in said["sentence"]
    assert "95 % interval over test images" in said["sentence"]
    assert said["train_seconds_ratio"] == pytest.approx((61.0 + 0.4) / (9.84 + 0.4))
    assert said["memory_ratio"] == pytest.approx(1_200_289_478 / 1_600_000_000)
    assert "The best net takes 0.75 × the memory of the best SVM" in said["sentence"]
    assert said["sentence"].endswith("swap places; measure it with: cellbench run --suite label-budget")


def test_the_command_for_the_crossing_asks_for_the_split_that_was_drawn(results):
    records = [scored(name, first_right(60, 100), split="id-block") for name in ("svm-hog", "cnn")]
    (said,) = sentences(load_results(results(*records)))
    assert said["sentence"].endswith("measure it with: cellbench run --suite label-budget --split id-block")


def test_curves_that_do_not_cross_are_said_not_to(results):
    (said,) = sentences(load_results(results(*budget((100, 50, 60), (1000, 60, 70)))))
    assert "do not cross: the net is ahead at all 2 sizes from 100 training and 2,175 val images to" in said["sentence"]
    assert said["crossing"]["at"] is None


def test_findings_table_and_report_have_one_answer_for_one_folder_in_one_order(results):
    """Two machines, two splits, changed settings and a limit, of which the best on val differ."""
    kept = [
        scored(method, first_right(k, 100), split=split, val=k / 100)
        for split, svm, net in (("official", 90, 95), ("id-block", 70, 60))
        for method, k in (("svm-hog", svm), ("cnn", net))
    ]
    kept.append(scored("cnn", first_right(99, 100), val=0.99, overrides={"lr": 0.5}))
    results(*kept, *budget((100, 60, 50)), machine="one-cpu")
    given = load_results(results(scored("svm-hog", first_right(91, 100), val=0.96), machine="another-cpu"))
    headlines = [one["sentence"].split("\n")[0] for one in sentences(given) if one["dataset"] == "hep2"]
    in_report = [row["sentence"].split("\n")[0] for table in report(given).contests for row in table.rows]
    in_table = [
        row["sentence"].split("\n")[0] for table in tables(given.select()[0], "svm-vs-deep") for row in table.rows
    ]
    assert len(headlines) >= 2
    assert "split id-block" in headlines[0]
    assert headlines == [*dict.fromkeys(in_report)] == [*dict.fromkeys(in_table)]
