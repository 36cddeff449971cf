"""Intervals over few groups: by hand, and how often they hold the simulated truth."""

import numpy as np
import pytest
from scipy import special
from scipy import stats as scipy_stats

from cellbench.results.statistics import comparisons, intervals


def patients(rng, groups, share=0.9, spread=15, cells=30):
    """Truth, answers and groups of cells that hold all of four classes, each group with a difficulty of its own."""
    group = np.repeat(np.arange(groups), cells)
    truth = rng.integers(0, 4, len(group))
    right = rng.random(len(group)) < rng.beta(share * spread, (1 - share) * spread, groups)[group]
    return truth, np.where(right, truth, (truth + rng.integers(1, 4, len(group))) % 4), group


def test_the_interval_over_six_groups_is_a_t_interval_of_logits_by_hand():
    truth, predicted, group = patients(np.random.default_rng(0), 6)
    right = truth == predicted
    without = special.logit([right[group != k].mean() for k in range(6)])
    error = np.sqrt(5 / 6 * np.sum((without - without.mean()) ** 2))
    centre, t = special.logit(right.mean()), scipy_stats.t.ppf(0.975, 5)
    found = intervals.interval(truth, predicted, "accuracy", group)
    assert (found.over, found.n) == ("groups", 6)
    assert (found.low, found.high) == pytest.approx(tuple(special.expit([centre - t * error, centre + t * error])))


def test_the_interval_of_a_difference_over_six_groups_is_a_t_interval_by_hand():
    truth, a, group = patients(np.random.default_rng(1), 6)
    b = patients(np.random.default_rng(1), 6, share=0.6)[1]
    gain = (b == truth).astype(float) - (a == truth)
    without = np.array([gain[group != k].mean() for k in range(6)])
    error = np.sqrt(5 / 6 * np.sum((without - without.mean()) ** 2))
    found = comparisons.compare(truth, a, b, groups=group)
    assert found.interval.half_width == pytest.approx(scipy_stats.t.ppf(0.975, 5) * error)


def wells(rng, wells_a_class, share=0.85, spread=15, cells=30):
    """Truth, answers and groups of cells in four classes, each well of one class and with a difficulty of its own."""
    group = np.repeat(np.arange(4 * wells_a_class), cells)
    truth = group // wells_a_class
    right = rng.random(len(truth)) < rng.beta(share * spread, (1 - share) * spread, 4 * wells_a_class)[group]
    return truth, np.where(right, truth, (truth + rng.integers(1, 4, len(truth))) % 4), group


def test_without_a_well_the_others_of_its_class_weigh_more_by_hand():
    """Classes keep their part of the whole: accuracy without a well is the mean of the classes' means."""
    truth, predicted, group = wells(np.random.default_rng(0), 5)
    right = (truth == predicted).reshape(4, 5, 30).mean(2)
    whole, variance = right.mean(), 0.0
    for k in range(4):
        without = [(right.sum() - right[k].sum()) / 20 + np.delete(right[k], j).mean() / 4 for j in range(5)]
        logits = special.logit(without)
        variance += 4 / 5 * np.sum((logits - logits.mean()) ** 2)
    margin = scipy_stats.t.ppf(0.975, 16) * np.sqrt(variance)
    found = intervals.interval(truth, predicted, "accuracy", group)
    assert (found.over, found.n) == ("groups within class", 20)
    expected = special.expit([special.logit(whole) - margin, special.logit(whole) + margin])
    assert (found.low, found.high) == pytest.approx(tuple(expected))


def test_95_percent_intervals_over_five_wells_a_class_hold_93_percent_of_truths_or_more():
    rng, held, held_difference, runs = np.random.default_rng(5), 0, 0, 1500
    for _ in range(runs):
        truth, a, group = wells(rng, 5)
        b = wells(rng, 5, share=0.75)[1]
        found = intervals.interval(truth, a, "accuracy", group, resamples=1)
        held += found.low <= 0.85 <= found.high
        span = comparisons.compare(truth, a, b, groups=group, resamples=1).interval
        held_difference += span.low <= -0.1 <= span.high
    assert 0.93 <= held / runs <= 0.985
    assert 0.925 <= held_difference / runs <= 0.985


def test_where_leaving_a_group_out_changes_nothing_the_bound_is_that_of_clopper_and_pearson():
    truth, group = np.arange(60) % 3, np.arange(60) // 10
    found = intervals.interval(truth, truth, "accuracy", group)
    exact = scipy_stats.binomtest(6, 6).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == (pytest.approx(exact.low), 1.0)


@pytest.mark.parametrize("groups", [5, 8, 12])
def test_95_percent_intervals_over_few_mixed_groups_hold_93_percent_of_truths_or_more(groups):
    rng = np.random.default_rng(groups)
    held = 0
    for _ in range(1500):
        found = intervals.interval(
            *patients(rng, groups)[:2], "accuracy", np.repeat(np.arange(groups), 30), resamples=1
        )
        held += found.low <= 0.9 <= found.high
    assert 0.93 <= held / 1500 <= 0.985
