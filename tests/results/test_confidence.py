"""How far probabilities can be trusted: figures against hand computations, scikit-learn and simulations."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.special
import scipy.stats
from sklearn.metrics import brier_score_loss, log_loss

from cellbench.core.scoring.calibration import Calibration
from cellbench.results import confidence as module
from cellbench.results.confidence import (
    Trusted,
    accuracy_of_surest,
    bin_of,
    calibrated_noise,
    calibration_error,
    calibration_figures,
    confidences,
    set_figures,
    sets_of,
)

ONE = Calibration((1.0,), (0.0,), False)


def column(*values):
    return np.array(values, float)[:, None]


def trusted(val, val_truth, test, test_truth, groups=None):
    """The probabilities of a run that are given as such."""
    of_val, of_test = (
        SimpleNamespace(truth=np.array(truth), scores=np.log(p), groups=None)
        for p, truth in ((val, val_truth), (test, test_truth))
    )
    of_test.groups = groups
    return Trusted(ONE, of_val, of_test, np.asarray(val), np.asarray(test))


def row_of(test_truth):
    return SimpleNamespace(predictions=[0], draws=(0,), groups_unknown=False, family="deep")


def drawn(n, seed, classes=4):
    """Probabilities, and labels that follow them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.4), n)
    return probabilities, (np.log(probabilities + 1e-300) + rng.gumbel(size=probabilities.shape)).argmax(1)


def test_the_error_is_the_distance_of_confidence_from_the_share_right_bin_by_bin(monkeypatch):
    monkeypatch.setattr(module, "BINS", 2)
    confidence, right = column(0.5, 0.6, 0.9, 1.0), column(1, 0, 1, 1).astype(bool)
    assert bin_of(confidence)[:, 0].tolist() == [0, 0, 1, 1]
    # bins: mean 0.55 against 1/2, mean 0.95 against 1; two answers of four each
    assert calibration_error(confidence, right) == pytest.approx((0.05 + 0.05) / 2)


def test_equal_confidences_share_a_bin():
    assert set(bin_of(column(*[0.9] * 50, 0.95)).ravel()) <= {0, 1}
    assert len(set(bin_of(column(*[0.9] * 50)).ravel())) == 1


def test_an_answer_of_one_label_is_the_likeliest_class_and_of_several_each_class():
    probabilities = np.array([[0.2, 0.8], [0.7, 0.3]])
    confidence, right = confidences(probabilities, np.array([1, 1]))
    assert (confidence.tolist(), right.tolist()) == ([[0.8], [0.7]], [[True], [False]])
    several = np.array([[True, False], [True, True]])
    assert [each.tolist() for each in confidences(probabilities, several)] == [probabilities.tolist(), several.tolist()]


def test_loss_and_brier_score_are_scikit_learns():
    probabilities, truth = drawn(300, 0)
    found = calibration_figures(row_of(truth), [trusted(probabilities, truth, probabilities, truth)])
    assert found.nll.value == pytest.approx(log_loss(truth, probabilities))
    expected = brier_score_loss(truth, probabilities, labels=range(4), scale_by_half=False)
    assert found.brier.value == pytest.approx(expected)
    per_image = -np.log(probabilities[np.arange(300), truth])
    half = 1.96 * per_image.std(ddof=1) / np.sqrt(300)
    assert found.nll.interval.half_width == pytest.approx(half, rel=0.12)
    assert found.nll.interval.over == "test images"


def test_perfect_probabilities_have_errors_below_the_noise_in_95_of_100_trials(monkeypatch):
    monkeypatch.setattr(module, "SIMULATIONS", 300)
    above = 0
    for seed in range(200):
        confidence, right = confidences(*drawn(400, seed))
        above += calibration_error(confidence, right) > calibrated_noise(confidence)
    assert 3 <= above <= 20  # 10 expected, standard deviation 3.1


def test_intervals_of_the_error_hold_the_error_of_the_population(monkeypatch):
    monkeypatch.setattr(module, "RESAMPLES", 400)

    def sharpened(p):
        p = p**1.6
        return p / p.sum(1, keepdims=True)

    large, labels = drawn(200_000, 10_000)
    population = calibration_error(*confidences(sharpened(large), labels))
    hits = 0
    for seed in range(60):
        probabilities, truth = drawn(800, seed)
        run = trusted(probabilities, truth, sharpened(probabilities), truth)
        span = calibration_figures(row_of(truth), [run]).error.interval
        hits += span.low <= population <= span.high
    assert hits >= 52  # of 60: 57 expected of a 95 % interval


def test_over_few_groups_losses_have_jackknife_intervals_of_their_logs_by_hand():
    probabilities, truth = drawn(240, 3)
    groups = np.repeat(np.arange(8), 30)
    found = calibration_figures(row_of(truth), [trusted(probabilities, truth, probabilities, truth, groups)])
    of_group = -np.log(probabilities[np.arange(240), truth]).reshape(8, 30).mean(1)
    without = np.log([np.delete(of_group, k).mean() for k in range(8)])
    margin = scipy.stats.t.ppf(0.975, 7) * np.sqrt(7 / 8 * np.sum((without - without.mean()) ** 2))
    ends = of_group.mean() * np.exp(-margin), of_group.mean() * np.exp(margin)
    assert (found.nll.interval.low, found.nll.interval.high) == pytest.approx(ends)
    assert (found.nll.interval.over, found.brier.interval.n) == ("groups", 8)


def test_the_error_has_neither_interval_nor_chance_where_cells_of_a_group_err_together():
    probabilities, truth = drawn(1200, 3)
    groups = np.repeat(np.arange(40), 30)
    found = calibration_figures(row_of(truth), [trusted(probabilities, truth, probabilities, truth, groups)])
    assert (found.error.interval, found.noise) == (None, None)
    assert found.nll.interval.over == "groups"


@pytest.mark.parametrize("groups", [5, 8, 14])
def test_intervals_of_losses_over_few_groups_hold_the_loss_of_the_population(groups):
    """The bootstrap held 80 to 89 % of these; of 300 intervals 285 are expected to, with a deviation of 3.8."""

    def cells(rng, n):
        scores = rng.normal(0, 1, (n, 30, 4))
        scores[:, :, 0] += rng.normal(2, 1, (n, 1))
        return scipy.special.softmax(1.5 * scores.reshape(-1, 4), axis=1)

    rng, labels = np.random.default_rng(0), np.zeros(30 * groups, int)
    population = -np.log(cells(rng, 20_000)[:, 0]).mean()
    group, hits = np.repeat(np.arange(groups), 30), 0
    for _ in range(300):
        losses = -np.log(cells(rng, groups)[:, 0])
        run = trusted(np.full((2, 4), 0.25), [0, 1], np.full((30 * groups, 4), 0.25), labels, group)
        span = module._Resampling(row_of(labels), [run]).mean([losses]).interval
        hits += span.low <= population <= span.high
    assert 274 <= hits <= 297


def test_the_surest_answers_are_counted_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.45, 0.55]])
    truth = np.array([0, 0, 0, 1])
    assert [accuracy_of_surest(probabilities, truth, share) for share in (1.0, 0.75, 0.5, 0.01)] == [
        3 / 4,
        2 / 3,
        1.0,
        1.0,
    ]


def test_equal_confidences_are_cut_as_a_random_choice_would_be():
    probabilities, truth = np.tile([0.8, 0.2], (10, 1)), np.array([0] * 5 + [1] * 5)
    assert [accuracy_of_surest(probabilities, truth, share) for share in (1.0, 0.5, 0.2)] == [0.5, 0.5, 0.5]
    surer = np.concatenate([[[0.9, 0.1]], probabilities])
    assert accuracy_of_surest(surer, np.append(0, truth), 3 / 11) == pytest.approx((1 + 2 * 0.5) / 3)


def test_sets_that_all_hold_the_right_class_leave_room_for_some_that_do_not():
    probabilities, truth = np.tile([0.9, 0.1], (30, 1)), np.zeros(30, int)
    span = set_figures(row_of(truth), [trusted(probabilities, truth, probabilities, truth)]).coverage.interval
    assert (span.low, span.high) == (pytest.approx(0.025 ** (1 / 30)), 1.0)  # Clopper and Pearson


def test_a_class_is_in_the_set_unless_its_probability_is_among_the_lowest_of_right_classes_on_val():
    of_right = np.linspace(0.05, 0.95, 19)  # with 19 images one in twenty is left out: the lowest
    val = np.stack([of_right, 1 - of_right], 1)
    test = np.array([[0.06, 0.94], [0.04, 0.96]])
    one = trusted(val, [0] * 19, test, [1, 1])
    assert sets_of(one).tolist() == [[True, True], [False, True]]


def test_sets_hold_the_right_class_as_often_as_is_promised():
    covered, sizes = [], []
    for seed in range(40):
        (val, val_truth), (test, truth) = drawn(200, seed), drawn(500, 1000 + seed)
        found = set_figures(row_of(truth), [trusted(val, val_truth, test, truth)])
        covered.append(found.coverage.value)
        sizes.append(found.size)
    assert 0.94 <= np.mean(covered) <= 0.97
    assert 1 < np.mean(sizes) < 4


def test_the_worst_group_is_the_one_that_sets_cover_least():
    probabilities, truth = np.tile([0.9, 0.1], (120, 1)), np.repeat([0, 1], [115, 5])
    one = trusted(probabilities, [0] * 120, probabilities, truth, groups=np.arange(120) // 20)
    found = set_figures(row_of(truth), [one])
    assert (found.worst_group, found.coverage.value, found.single) == (0.75, 115 / 120, 1.0)
    assert (found.coverage.interval.over, found.coverage.interval.n) == ("groups", 6)
