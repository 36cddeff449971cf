"""Metrics against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn import metrics as reference

from cellbench.core.metrics import accuracy, balanced_accuracy, decide, evaluate, macro_f1


@pytest.fixture
def labels():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 5, 200)
    return truth, np.where(rng.random(200) < 0.6, truth, rng.integers(0, 5, 200))


def test_figures_are_scikit_learns(labels):
    truth, predicted = labels
    assert accuracy(truth, predicted) == pytest.approx(reference.accuracy_score(truth, predicted), abs=1e-12)
    assert balanced_accuracy(truth, predicted) == pytest.approx(reference.balanced_accuracy_score(truth, predicted))
    assert macro_f1(truth, predicted) == pytest.approx(reference.f1_score(truth, predicted, average="macro"))


def test_figures_by_hand():
    truth, predicted = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    assert accuracy(truth, predicted) == 0.75
    assert balanced_accuracy(truth, predicted) == pytest.approx((2 / 3 + 1) / 2)
    assert macro_f1(truth, predicted) == pytest.approx((0.8 + 2 / 3) / 2)


def test_a_label_is_the_class_with_the_largest_score():
    assert decide(np.array([[0.1, 2.0, 1.0], [3.0, 0.0, -1.0]], np.float32)).tolist() == [1, 0]


def test_several_labels_are_the_classes_above_their_thresholds():
    scores = np.array([[0.4, 0.6], [0.9, 0.1]], np.float32)
    assert decide(scores, np.array([0.5, 0.05]), multilabel=True).tolist() == [[False, True], [True, True]]


def test_a_metric_that_is_undefined_for_several_labels_is_absent():
    truth = np.array([[True, False], [True, True]])
    figures = evaluate(truth, np.array([[1, -1], [1, -1]], np.float32))
    assert figures == {"n": 2, "accuracy": 0.5, "macro_f1": pytest.approx(0.5)}
