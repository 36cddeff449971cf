"""The swap test against hand computations, McNemar's and simulation."""

import itertools

import numpy as np
import pytest
from scipy import stats as scipy_stats

from cellbench.core.scoring.metrics import NAMED, evaluate
from cellbench.results.statistics import comparisons
from cellbench.results.statistics.swaps import swap_test

MACRO_F1 = NAMED["macro_f1"].of_sums
ACCURACY = NAMED["accuracy"].of_sums


def macro_f1(truth, predicted):
    return evaluate(truth, np.eye(4, dtype=np.float32)[predicted])["macro_f1"]


def test_all_swaps_of_few_groups_are_tried_by_hand():
    rng = np.random.default_rng(0)
    truth, a, b = rng.integers(0, 4, (3, 60))
    groups = np.arange(60) % 6
    observed = abs(macro_f1(truth, b) - macro_f1(truth, a))
    found = []
    for flips in itertools.product([False, True], repeat=6):
        swapped = np.array(flips)[groups]
        found.append(abs(macro_f1(truth, np.where(swapped, a, b)) - macro_f1(truth, np.where(swapped, b, a))))
    expected = np.mean(np.array(found) >= observed - 1e-12)
    assert swap_test(truth, [a], [b], MACRO_F1, groups) == pytest.approx(expected)
    assert expected > 2 / 64


def test_of_accuracy_it_is_the_exact_mcnemar():
    truth = np.zeros(300, int)
    for wins, losses in ((8, 3), (40, 22), (9, 0)):
        a = (np.arange(300) < wins).astype(int)  # wrong where b is right
        b = ((np.arange(300) >= wins) & (np.arange(300) < wins + losses)).astype(int)
        exact = scipy_stats.binomtest(wins, wins + losses).pvalue
        assert swap_test(truth, [a], [b], ACCURACY) == pytest.approx(exact, abs=0.012)


def test_equal_answers_do_not_differ_and_plain_differences_are_far_below_a_ten_thousandth():
    truth = np.arange(600) % 4
    worse = np.where(np.arange(600) % 3 == 0, (truth + 1) % 4, truth)
    assert swap_test(truth, [truth], [truth], MACRO_F1) == 1
    assert swap_test(truth, [truth], [worse], MACRO_F1) < 1e-9


def test_unequal_numbers_of_seeds_meet_each_other_equally_often():
    rng = np.random.default_rng(1)
    truth, a, *b = rng.integers(0, 4, (4, 80))
    found = swap_test(truth, [a], b, MACRO_F1)
    assert found == pytest.approx(swap_test(truth, [a, a], b, MACRO_F1))
    assert found == pytest.approx(swap_test(truth, b, [a], MACRO_F1), abs=0.01)


@pytest.mark.parametrize("kind", ["rare class", "few groups"])
def test_methods_that_do_not_differ_are_told_apart_in_at_most_6_percent_of_1000(kind):
    rng = np.random.default_rng(2)
    wrongly = 0
    for _ in range(1000):
        truth = rng.choice(4, 120, p=[0.5, 0.3, 0.17, 0.03])
        groups = np.arange(120) % 10 if kind == "few groups" else None
        hard = rng.beta(2, 1, 10)[np.arange(120) % 10] if kind == "few groups" else 0.8
        a, b = (np.where(rng.random(120) < hard, truth, (truth + rng.integers(1, 4, 120)) % 4) for _ in range(2))
        wrongly += swap_test(truth, [a], [b], MACRO_F1, groups, classes=4, swaps=199) <= 0.05
    assert wrongly / 1000 <= 0.06 + 2 * np.sqrt(0.05 * 0.95 / 1000) - 0.01


def test_the_comparison_of_macro_f1_takes_it():
    rng = np.random.default_rng(3)
    truth, a = rng.integers(0, 4, (2, 200))
    b = np.where(rng.random(200) < 0.3, truth, a)
    found = comparisons.compare(truth, a, b, "macro_f1")
    assert (found.test, found.over, found.n) == ("swaps", "test images", 200)
    assert found.p == swap_test(truth, [a], [b], MACRO_F1, classes=4)
