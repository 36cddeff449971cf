"""The fall from a random split to groups that no method has seen."""

import math
import statistics

import pytest
import scipy.stats

from ..made_results import donors

FALLS = (0.05, 0.12, 0.08, 0.02, 0.15, 0.06)


def test_the_headline_is_the_fall(view):
    table = view("leave-one-out", *donors())
    assert table.title == "hep2: accuracy falls by 8.0 to 16.0 points from a random split to donors left out"
    assert [row["method"] for row in table.rows] == ["svm-hog", "cnn"]


def test_a_fall_is_the_difference_of_both_with_the_interval_over_groups(view):
    svm, _ = view("leave-one-out", *donors()).rows
    half = scipy.stats.t.ppf(0.975, 5) * statistics.stdev(FALLS) * math.sqrt(1 / 6 + 100 / 500)
    assert (svm["split"], svm["random_split"], svm["groups"]) == ("leave-one-out:donor@0-5", "stratified", 6)
    assert svm["left_out"] == pytest.approx(0.832 - statistics.fmean(FALLS))
    assert svm["fall"] == pytest.approx(statistics.fmean(FALLS))
    assert svm["left_out_half"] == pytest.approx(half)
    assert svm["fall_half"] is None  # these records kept no predictions, so that the random split has no interval


def test_a_random_split_that_is_lacking_comes_with_its_command(view):
    (note,) = view("leave-one-out", *donors()[:6]).notes
    assert note.startswith("No result of the same methods on a random split; get one with: cellbench run")
    assert note.endswith("--device cpu --split stratified")


def test_groups_that_were_never_left_out_come_with_their_command(view):
    (note,) = view("leave-one-out", *donors()[12:]).notes
    assert note.startswith("No group was left out in turn; get one with: cellbench run")
    assert note.endswith("--device cpu --split leave-one-out")
