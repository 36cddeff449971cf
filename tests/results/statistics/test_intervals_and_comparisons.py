"""Intervals and tests against formulas, hand computations, the shared metrics, and simulated truths."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from sklearn.metrics import average_precision_score

from cellbench.core.scoring.metrics import METRICS, NAMED, evaluate
from cellbench.results.statistics import comparisons, intervals
from cellbench.results.statistics.bootstrap import Interval

T_2 = 4.302653  # Student's 97.5 % quantile with two degrees of freedom


def guessed(rng, truth, share, classes=4):
    """Labels of which about `share` are right."""
    return np.where(rng.random(len(truth)) < share, truth, (truth + rng.integers(1, classes, len(truth))) % classes)


def wells(rng, classes, of_class, cells=20, share=0.85, spread=15.0):
    """Truth, predictions and wells of cells whose well decides how often they are right: `share` on average."""
    right = rng.beta(share * spread, (1 - share) * spread, classes * of_class)
    well = np.repeat(np.arange(len(right)), cells)
    truth = well // of_class
    return truth, np.where(rng.random(len(well)) < right[well], truth, (truth + 1) % classes), well


@pytest.fixture
def one_label():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, 600)
    return truth, guessed(rng, truth, 0.8)


@pytest.fixture
def several_labels():
    rng = np.random.default_rng(4)
    truth = rng.random((300, 5)) < [0.5, 0.3, 0.2, 0.1, 0.05]
    scores = (truth + rng.normal(0, 0.4, truth.shape) - 0.5).astype(np.float32)
    return truth, scores


@pytest.mark.parametrize("figure", ["accuracy", "balanced_accuracy", "macro_f1"])
def test_figures_of_confusion_matrices_are_the_shared_metrics(one_label, figure):
    truth, predicted = one_label
    confusion = np.zeros((1, 4, 4))
    np.add.at(confusion[0], (truth, predicted), 1)
    assert NAMED[figure].of_sums(confusion)[0] == pytest.approx(
        evaluate(truth, np.eye(4, dtype=np.float32)[predicted])[figure]
    )


def test_every_metric_has_a_definition_that_resamples_can_take():
    assert [metric.name for metric in METRICS if not metric.of_sums] == ["mean_average_precision"]
    assert all(bool(metric.of_sums) != bool(metric.of_scores) for metric in METRICS)


def test_images_with_equal_scores_are_found_together_in_every_resample():
    truth, scores = np.array([[1], [0], [1], [0]], bool), np.array([[1], [1], [1], [0]], np.float32)
    weights = np.array([[1.0, 1, 1, 1], [2, 0, 0, 1]])
    assert NAMED["mean_average_precision"].of_scores(truth, scores, weights).tolist() == [pytest.approx(2 / 3), 1]


@pytest.mark.parametrize("figure", ["macro_f1", "micro_f1", "exact_match", "sample_averaged_f1"])
def test_the_interval_of_several_labels_lies_around_the_shared_metric(several_labels, figure):
    truth, scores = several_labels
    found = intervals.interval(truth, scores > 0, figure)
    whole = evaluate(truth, scores)[figure]
    plain = intervals.interval_of(lambda t, p: evaluate(t, p)[figure], truth, scores, resamples=150)
    assert found.low < whole < found.high
    assert found.low == pytest.approx(plain.low, abs=0.3 * plain.half_width)
    assert found.high == pytest.approx(plain.high, abs=0.3 * plain.half_width)


def test_the_interval_of_average_precision_is_that_of_scikit_learns(several_labels):
    truth, scores = several_labels
    found = intervals.interval(truth, scores > 0, "mean_average_precision", scores=scores)
    plain = intervals.interval_of(
        lambda t, s: average_precision_score(t, s, average="macro"), truth, scores, resamples=150
    )
    assert found.low == pytest.approx(plain.low, abs=0.3 * plain.half_width)
    assert found.high == pytest.approx(plain.high, abs=0.3 * plain.half_width)


def test_the_interval_over_images_is_that_of_a_proportion(one_label):
    truth, predicted = one_label
    share = np.mean(truth == predicted)
    found = intervals.interval(truth, predicted, "accuracy")
    assert found.half_width == pytest.approx(1.96 * math.sqrt(share * (1 - share) / 600), rel=0.05)
    assert (found.over, found.n, found.level) == ("test images", 600, 0.95)


def test_the_interval_over_groups_has_the_variance_of_stratified_clusters():
    truth, predicted, well = wells(np.random.default_rng(5), classes=3, of_class=8, cells=25)
    found = intervals.interval(truth, predicted, "accuracy", well)
    right = np.bincount(well, truth == predicted).reshape(3, 8)
    variance = sum(8 / 7 * np.sum((row - row.mean()) ** 2) for row in right) / len(truth) ** 2
    assert found.half_width == pytest.approx(scipy_stats.t.ppf(0.975, 24 - 3) * math.sqrt(variance), rel=0.06)
    assert (found.over, found.n, found.few_groups) == ("groups within class", 24, ())


def test_a_class_with_few_groups_is_drawn_over_its_cells_and_named():
    truth, predicted, well = wells(np.random.default_rng(6), classes=3, of_class=8)
    merged = np.where(truth == 1, 1000 + well % 2, well)
    found = intervals.intervals(truth, predicted, ["accuracy", "f1:0", "f1:1"], merged)
    assert {(i.over, i.few_groups) for i in found.values()} == {("groups within class", (1,))}
    assert [i.n for i in found.values()] == [16, 8, 160]  # wells of the two other classes, of one, cells of the third
    cells = intervals.interval(truth, predicted, "recall:1")
    assert intervals.interval(truth, predicted, "recall:1", merged).half_width == pytest.approx(
        cells.half_width, rel=0.1
    )


@pytest.mark.parametrize("labels", ["one", "several"])
def test_where_no_class_has_enough_groups_only_cells_are_left_to_draw(one_label, several_labels, labels):
    truth, predicted = one_label if labels == "one" else (several_labels[0], several_labels[1] > 0)
    found = intervals.interval(truth, predicted, "macro_f1", np.arange(len(truth)) % 3)
    assert (found.over, found.n, found.few_groups) == ("cells, all from these wells", len(truth), ())
    assert found.half_width == pytest.approx(intervals.interval(truth, predicted, "macro_f1").half_width, rel=0.1)


def test_groups_that_hold_several_classes_are_drawn_whole():
    rng = np.random.default_rng(7)
    patient = np.repeat(np.arange(40), 30)
    truth = rng.integers(0, 4, 1200)
    predicted = np.where(patient % 2, truth, (truth + 1) % 4)  # half of the patients right, half wrong
    found = intervals.interval(truth, predicted, "accuracy", patient)
    assert (found.over, found.n) == ("groups", 40)
    assert found.half_width == pytest.approx(scipy_stats.t.ppf(0.975, 39) * math.sqrt(0.25 / 39), rel=0.06)


def test_without_an_error_the_bound_is_that_of_clopper_and_pearson():
    truth = np.arange(60) % 3
    found = intervals.interval(truth, truth, "macro_f1")
    exact = scipy_stats.binomtest(60, 60).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == (pytest.approx(exact.low), 1.0)
    wrong = intervals.interval(truth, (truth + 1) % 3, "accuracy", np.arange(60) // 2)
    assert (wrong.low, wrong.high) == (0.0, pytest.approx(1 - exact.low, rel=1.1))


def test_the_bound_of_a_class_without_a_hit_rests_on_its_own_images():
    truth, well = np.repeat([0, 1, 2], [200, 200, 16]), np.r_[np.arange(400) // 20, np.full(16, 99)]
    predicted = np.where(truth == 2, 1, truth)
    none_of_16 = scipy_stats.binomtest(0, 16).proportion_ci(0.95, method="exact").high
    for groups in (None, well):
        found = intervals.interval(truth, predicted, "recall:2", groups)
        assert (found.low, found.high, found.n) == (0, pytest.approx(none_of_16), 16)
    assert intervals.interval(truth, predicted, "recall:0", well).n == 10  # its wells


def test_the_mean_over_seeds_has_the_narrower_interval_of_averaged_images(one_label):
    truth, predicted = one_label
    other = guessed(np.random.default_rng(8), truth, 0.8)
    found = intervals.interval(truth, [predicted, other], "accuracy")
    spread = np.std(np.mean([truth == predicted, truth == other], 0), ddof=1)
    assert found.half_width == pytest.approx(1.96 * spread / math.sqrt(600), rel=0.05)


def test_the_interval_over_seeds_is_students():
    found = intervals.interval_over_seeds(0.92, 0.02, 3)  # 0.90, 0.92, 0.94
    margin = T_2 * 0.02 / math.sqrt(3)
    assert found == Interval(pytest.approx(0.92 - margin), pytest.approx(0.92 + margin), 0.95, "seeds", 3)
    assert intervals.interval_over_seeds(0.91, 0.01, 2) is None
    assert intervals.interval_over_seeds(0.9, 0.0, 3) is None


def test_the_same_arrays_give_the_same_interval(one_label):
    assert intervals.interval(*one_label, "macro_f1") == intervals.interval(*one_label, "macro_f1")


def test_mcnemars_mid_p_by_hand():
    only_a, only_b = np.arange(9) < 1, (np.arange(9) >= 1) & (np.arange(9) < 6)  # 1 against 5
    assert comparisons.mcnemar(only_a, only_b) == pytest.approx(2 * (1 + 6) / 64 - 6 / 64)
    assert comparisons.mcnemar(only_a, only_a) == 1
    assert comparisons.mcnemar(only_a[:0], only_b[:0]) == 1


def test_sign_flips_by_hand():
    assert comparisons.sign_flip(np.array([1.0, 2, 3])) == 2 / 8  # only +++ and --- reach 6
    assert comparisons.sign_flip(np.array([3.0, -1])) == 1  # ±2 and ±4 all reach 2
    assert comparisons.sign_flip(np.array([0.0, 4, 1, -1, 0])) == 6 / 8  # ±4 four times, ±6 twice... and not ±2
    assert comparisons.sign_flip(np.zeros(4)) == 1


def test_sign_flips_of_single_images_are_the_exact_mcnemar():
    for wins, losses in ((9, 3), (30, 14), (300, 240)):
        exact = scipy_stats.binomtest(wins, wins + losses).pvalue
        assert comparisons.sign_flip(np.repeat([1.0, -1], [wins, losses])) == pytest.approx(exact, abs=0.006)


def test_sign_flips_resolve_what_random_ones_cannot():
    differences = np.r_[np.ones(100), -np.ones(10)]
    exact = scipy_stats.binomtest(100, 110).pvalue
    assert exact < comparisons.sign_flip(differences) < 1e-15


def test_holm_by_hand():
    assert comparisons.holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert comparisons.holm([0.5, 0.001, 0.9, 0.02]).tolist() == pytest.approx([1, 0.004, 1, 0.06])
    assert comparisons.holm([]).tolist() == []
    assert comparisons.holm([0.02, 0.001], family=3).tolist() == pytest.approx([0.04, 0.003])


def test_of_equal_methods_one_is_worse_than_the_best_in_at_most_6_percent_of_2000_tables():
    """The best is picked by the figures that are tested, so the family is all pairs."""
    rng = np.random.default_rng(4)
    right, wrongly, over_rivals = rng.random((2000, 8, 300)) < 0.85, 0, 0
    for table in right:
        best, *others = table[np.argsort(-table.sum(1), kind="stable")]
        p = [comparisons.mcnemar(best & ~other, other & ~best) for other in others]
        wrongly += min(comparisons.holm(p, family=28)) <= 0.05
        over_rivals += min(comparisons.holm(p)) <= 0.05
    assert wrongly / 2000 <= 0.06
    assert over_rivals / 2000 > 0.08


def test_a_comparison_without_groups_is_mcnemars_with_a_paired_interval(one_label):
    truth, a = one_label
    b = np.where(np.arange(600) < 60, truth, a)  # better where a was wrong among the first 60
    gained = np.count_nonzero(a[:60] != truth[:60])
    found = comparisons.compare(truth, a, b)
    assert (found.test, found.over, found.n) == ("McNemar, mid-p", "test images", 600)
    assert found.p == pytest.approx(2 * 0.5**gained - 0.5**gained)
    assert found.difference == pytest.approx(gained / 600)
    share = gained / 600
    assert found.interval.half_width == pytest.approx(1.96 * math.sqrt(share * (1 - share) / 600), rel=0.08)


def test_a_comparison_with_groups_flips_whole_groups():
    rng = np.random.default_rng(9)
    truth, a, well = wells(rng, classes=2, of_class=5, cells=30)
    worst = np.argmax(np.bincount(well, a != truth))
    b = np.where(well == worst, truth, a)  # one well of ten is better, in many cells
    found = comparisons.compare(truth, a, b, groups=well)
    assert (found.test, found.over, found.n) == ("sign flips", "groups", 10)
    assert found.p == 1  # one group that differs may as well have the other sign
    assert comparisons.compare(truth, a, b).p < 0.01


def test_macro_f1_is_compared_by_the_paired_bootstrap(one_label):
    truth, a = one_label
    b = np.where(truth == 2, truth, a)
    found = comparisons.compare(truth, a, b, "macro_f1")
    gap = evaluate(truth, np.eye(4)[b])["macro_f1"] - evaluate(truth, np.eye(4)[a])["macro_f1"]
    assert found.difference == pytest.approx(gap)
    assert found.interval.low < gap < found.interval.high
    error = found.interval.half_width / 1.96
    assert math.log(found.p) == pytest.approx(math.log(2 * scipy_stats.norm.sf(gap / error)), rel=0.15)
    assert comparisons.compare(truth, b, a, "macro_f1").difference == -found.difference
    assert comparisons.compare(truth, a, a, "macro_f1").p == 1


def test_seeds_are_compared_by_welchs_t():
    a, b = [0.90, 0.91, 0.92], [0.93, 0.95, 0.97, 0.95]
    told = [(np.mean(x), np.std(x, ddof=1), len(x)) for x in (a, b)]
    found, welch = comparisons.compare_over_seeds(*told), scipy_stats.ttest_ind(b, a, equal_var=False)
    assert found.difference == pytest.approx(0.04)
    assert found.p == pytest.approx(welch.pvalue)
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(welch.confidence_interval(0.95)))
    assert comparisons.compare_over_seeds((0.9, 0.01, 2), told[1]) is None
    assert comparisons.compare_over_seeds((0.9, 0.0, 3), (0.9, 0.0, 3)) is None


def share_that_covers(draw, runs=2000):
    """Of intervals of accuracy, those that hold the simulated truth, 0.85."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(runs):
        found = intervals.interval(*draw(rng), resamples=400)
        held += found.low <= 0.85 <= found.high
    return held / runs


@pytest.mark.parametrize(("classes", "of_class"), [(6, 5), (3, 10)])
def test_95_percent_intervals_over_30_groups_cover_the_truth_as_often_as_they_say(classes, of_class):
    def draw(rng):
        truth, predicted, well = wells(rng, classes, of_class)
        return truth, predicted, "accuracy", well

    assert 0.93 <= share_that_covers(draw) <= 0.97


def test_95_percent_intervals_over_images_cover_the_truth_as_often_as_they_say():
    def draw(rng):
        truth = rng.integers(0, 4, 200)
        return truth, guessed(rng, truth, 0.85)

    assert 0.93 <= share_that_covers(draw) <= 0.97


def test_mcnemar_errs_in_at_most_6_percent_of_10000_null_runs():
    rng = np.random.default_rng(1)
    right = rng.random((2, 10_000, 200)) < 0.85
    p = [comparisons.mcnemar(a & ~b, b & ~a) for a, b in zip(*right, strict=True)]
    assert np.mean(np.array(p) <= 0.05) <= 0.06


def test_sign_flips_of_groups_err_in_at_most_6_percent_of_10000_null_runs_where_mcnemar_errs_often():
    rng = np.random.default_rng(2)
    wells_right = rng.beta(3, 1, (2, 10_000, 30))
    right = rng.binomial(20, wells_right)  # of 20 cells a well, by two methods that are as good
    p = np.array([comparisons.sign_flip((b - a).astype(float), flips=999) for a, b in zip(*right, strict=True)])
    assert np.mean(p <= 0.05) <= 0.06
    cells = rng.random((2, 200, 30, 20)) < wells_right[:, :200, :, None]
    naive = [comparisons.mcnemar(a & ~b, b & ~a) for a, b in zip(*cells, strict=True)]
    assert np.mean(np.array(naive) <= 0.05) > 0.15


def test_the_paired_bootstrap_of_macro_f1_errs_in_at_most_6_percent_of_1000_null_runs():
    rng = np.random.default_rng(3)
    wrongly = 0
    for _ in range(1000):
        truth = rng.integers(0, 3, 300)
        both = guessed(rng, truth, 0.85, 3), guessed(rng, truth, 0.85, 3)
        wrongly += comparisons.compare(truth, *both, "macro_f1", resamples=300).p <= 0.05
    assert wrongly / 1000 <= 0.06
