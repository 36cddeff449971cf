"""Blocks of neighbours are groups: the committed records of HEp-2's id-block, judged over its 14 blocks of test."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import scipy.special
import scipy.stats

from cellbench import load_results
from cellbench.reporting.findings.trial import settling
from cellbench.results.certainty import compare_rows, in_words, over_of
from cellbench.results.rows.row import grouped_by

from ..reporting.made_records import judged

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def rows():
    """The rows on id-block with their usual settings, by method."""
    found = load_results(ROOT / "results" / "amd-epyc-2c-a1c96e" / "hep2").where(["split=id-block", "overrides={}"])
    return {row.method: row for row in found}


def by_block(row):
    """The number of right answers, and of images, of each block."""
    (told,) = row.predictions
    block = np.unique(told.groups, return_inverse=True)[1]
    return np.bincount(block, told.predicted == told.truth), np.bincount(block)


@pytest.mark.parametrize(("method", "half"), [("svm-hog", 15.2), ("resnet18", 10.9), ("cnn", 15.4)])
def test_the_interval_is_that_of_14_blocks(rows, method, half):
    """By the formula of a ratio it is `half` wide either way; the jackknife on the logit scale is met exactly."""
    right, n = by_block(rows[method])
    error = np.sqrt(14 / 13 * np.sum((right - right.sum() / n.sum() * n) ** 2)) / n.sum()
    assert 100 * scipy.stats.t.ppf(0.975, 13) * error == pytest.approx(half, abs=0.05)
    span = rows[method].interval("accuracy")
    assert (span.over, span.n) == ("groups", 14)
    logit, back, without = scipy.special.logit, scipy.special.expit, (right.sum() - right) / (n.sum() - n)
    error = np.sqrt(13 / 14 * np.sum((logit(without) - logit(without).mean()) ** 2))
    margin = scipy.stats.t.ppf(0.975, 13) * error
    ends = [back(logit(right.sum() / n.sum()) + side * margin) for side in (-1, 1)]
    assert [span.low, span.high] == pytest.approx(ends)  # over images it was 1.4 to 1.7 points either way


@pytest.mark.parametrize(("method", "p"), [("cnn", 0.22), ("resnet18", 0.008)])
def test_differences_from_the_svm_have_the_p_of_all_flips_of_signs_of_blocks(rows, method, p):
    gain = by_block(rows[method])[0] - by_block(rows["svm-hog"])[0]
    flips = np.array(list(itertools.product([-1, 1], repeat=14))) @ gain
    exact = np.mean(abs(flips) >= abs(gain.sum()) - 1e-9)
    found = compare_rows(rows["svm-hog"], rows[method])
    assert found.p == pytest.approx(exact)
    assert found.p == pytest.approx(p, rel=0.06)
    assert (found.over, found.n) == ("groups", 14)


def test_intervals_are_said_to_be_over_blocks_and_blocks_are_asked_for(rows):
    svm, cnn = rows["svm-hog"], rows["cnn"]
    assert over_of(svm, svm.interval("accuracy")) == "blocks"
    assert in_words("groups and seeds", svm) == "blocks and seeds"
    assert in_words("test images and seeds", svm) == "test images and seeds"
    wells = svm.having(groups_are="Metadata_Well")
    assert in_words("groups within class", wells) == "wells within class"
    assert in_words("cells, all from these wells", svm) == "cells, all from these blocks"
    found = compare_rows(cnn, svm)
    lack = settling(svm, cnn, "accuracy", found.difference, found)["lack"]
    assert (lack.n, lack.nouns) == (14, ("test block", "test blocks"))


def test_the_split_that_keeps_neighbours_together_stands_first():
    splits = ["stratified", "official", "leave-one-out:donor@0-3", "id-block", "kfold:5/0", "grouped"]
    groups = grouped_by([{"split": name} for name in splits], ("split",))
    assert [row["split"] for (row,) in groups] == [
        *("grouped", "id-block", "leave-one-out:donor@0-3"),
        *("official", "kfold:5/0", "stratified"),
    ]


def test_an_older_record_without_its_blocks_is_marked_and_not_tested(results):
    older = [judged(method, share, n) for n, (method, share) in enumerate((("cnn", 0.9), ("svm-hog", 0.7)))]
    blocks = [
        (dataclasses.replace(one, spec=dataclasses.replace(one.spec, split="id-block")), told) for one, told in older
    ]
    first, second = load_results(results(*blocks)).rows
    assert first.groups_unknown
    assert over_of(first, first.interval("accuracy")) == "test images (groups unknown)"
    assert compare_rows(first, second) is None
    official, other = load_results(results(*older)).where(["split=official"])
    assert not official.groups_unknown
    assert compare_rows(official, other).p < 1e-6
