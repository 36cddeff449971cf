"""Rules from scores to probabilities, against scikit-learn's and against what can be worked out by hand."""

import json
import math

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from cellbench.core.calibration import Calibration, calibrate


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


def test_a_rule_is_the_same_after_it_was_written_and_read():
    rule = calibrate(*drawn(500))
    assert Calibration.of_data(json.loads(json.dumps(rule.to_data()))) == rule
