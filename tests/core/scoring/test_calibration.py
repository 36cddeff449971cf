"""Rules from scores to probabilities, against scikit-learn's and against what can be worked out by hand."""

import json
import math

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.svm import SVC

from cellbench.core.scoring.calibration import Calibration, calibrate
from cellbench.core.scoring.pair_scores import are_of_pairs, votes_and_sums
from cellbench.svm.votes import one_score_per_class, pairs_of, votes


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose scores are its features."""

    def fit(self, features, labels):
        self.classes_ = np.unique(labels)
        return self

    def decision_function(self, features):
        return features if features.shape[1] > 1 else features[:, 0]

    def predict(self, features):
        return self.classes_[features.argmax(1)]


def drawn(n=20_000, classes=4, temperature=2.5, seed=0):
    """Scores, and labels that follow the softmax of the scores divided by the temperature."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 4, (n, classes))
    noise = rng.gumbel(size=scores.shape)
    return scores.astype(np.float32), (scores / temperature + noise).argmax(1)


def of_library(method, scores, labels):
    return CalibratedClassifierCV(FrozenEstimator(Given().fit(scores, labels)), method=method).fit(scores, labels)


def test_the_temperature_is_that_which_made_the_labels():
    scores, labels = drawn()
    assert calibrate(scores, labels).temperature == pytest.approx(2.5, rel=0.03)


def test_probabilities_are_those_of_scikit_learns_temperature_scaling():
    scores, labels = drawn(5_000)
    expected = of_library("temperature", scores, labels).predict_proba(scores)
    assert calibrate(scores, labels)(scores) == pytest.approx(expected, abs=2e-3)  # whose targets are 1, not 0.9998


def test_sigmoids_are_those_of_scikit_learns_platt_scaling():
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 3, (400, 2))
    labels = rng.random((400, 2)) < 1 / (1 + np.exp(-(0.5 * scores - 1)))
    expected = [of_library("sigmoid", scores[:, [k]], labels[:, k]).predict_proba(scores[:, [k]])[:, 1] for k in (0, 1)]
    assert calibrate(scores, labels)(scores) == pytest.approx(np.stack(expected, 1), abs=1e-3)


def test_one_margin_gets_the_share_that_is_right():
    scores = np.tile([3.0, 0.0], (98, 1))
    labels = np.array([0] * 73 + [1] * 25)  # targets 0.99 and 0.01: a mean of 0.74
    rule = calibrate(scores, labels)
    assert rule(scores)[0] == pytest.approx([0.74, 0.26], abs=1e-4)
    assert rule.temperature == pytest.approx(3 / math.log(0.74 / 0.26), rel=1e-3)


def test_a_val_part_that_is_answered_wholly_right_makes_nobody_certain():
    scores = np.eye(3)[[0, 1, 2, 0, 1, 2, 0, 1]] * 9
    rule = calibrate(scores, scores.argmax(1))
    assert rule(scores).max(1) == pytest.approx(np.full(8, 0.9), abs=1e-4)  # (8 + 1) / (8 + 2)


def test_a_class_without_positive_or_negative_images_keeps_its_scores():
    labels = np.array([[True, False], [True, True], [True, False]])
    rule = calibrate(np.array([[1.0, 2.0], [0.5, 3.0], [2.0, -1.0]]), labels)
    assert (rule.slope[0], rule.offset[0]) == (1.0, 0.0)
    assert rule.temperature is None


def of_pairs(n=3_000, classes=5, seed=0):
    """Scores of one-against-one machines, and labels that follow half of their sums of decisions and 0.8 of votes."""
    rng = np.random.default_rng(seed)
    decisions = rng.normal(0, 1.5, (n, classes * (classes - 1) // 2))
    scores = one_score_per_class(decisions, classes)
    first, second = pairs_of(classes)
    logits = 0.5 * decisions @ (first - second) + 0.8 * votes(decisions, classes)
    return scores.astype(np.float32), (logits + rng.gumbel(size=logits.shape)).argmax(1), decisions


def test_scores_of_pairs_come_apart_into_votes_and_sums():
    scores, _, decisions = of_pairs(200)
    first, second = pairs_of(5)
    found, sums = votes_and_sums(scores.astype(float))
    assert found.tolist() == votes(decisions, 5).tolist()
    assert sums == pytest.approx(decisions @ (first - second), rel=1e-3, abs=1e-4)
    assert are_of_pairs(scores.astype(float))
    assert not are_of_pairs(drawn(200)[0].astype(float))
    assert not are_of_pairs(scores[:, :4].astype(float))


def test_scores_of_scikit_learns_svc_are_known_as_those_of_pairs():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    samples = rng.normal(0, 1, (200, 6)) + labels[:, None]
    assert are_of_pairs(SVC().fit(samples, labels).decision_function(samples))


def test_the_weights_of_votes_and_sums_are_those_that_made_the_labels():
    scores, labels, _ = of_pairs(20_000)
    rule = calibrate(scores, labels)
    assert (rule.slope[0], rule.votes) == pytest.approx((0.5, 0.8), abs=0.06)
    assert rule.temperature is None
    assert Calibration.of_data(json.loads(json.dumps(rule.to_data()))) == rule


def test_probabilities_of_pairs_keep_the_answer_and_order_images_by_their_sums():
    scores, labels, _ = of_pairs()
    found = calibrate(scores, labels)(scores)
    assert found.sum(1) == pytest.approx(np.ones(len(found)))
    assert found.argmax(1).tolist() == scores.argmax(1).tolist()
    by_one_number = Calibration((0.7,), (0.0,), False)(scores)  # close to the best temperature for these scores
    right = scores.argmax(1) == labels
    surest = [right[p.max(1) > np.median(p.max(1))].mean() for p in (found, by_one_number)]
    assert surest[0] > surest[1] + 0.02


def test_a_rule_is_the_same_after_it_was_written_and_read():
    rule = calibrate(*drawn(500))
    assert Calibration.of_data(json.loads(json.dumps(rule.to_data()))) == rule
