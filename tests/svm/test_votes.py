"""The votes of one-against-one machines against scikit-learn's and LIBSVM's own."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.svm import SVC
from sklearn.utils.multiclass import _ovr_decision_function

from cellbench.svm.votes import one_score_per_class, votes


@pytest.mark.parametrize("n_classes", [2, 3, 5, 10])
def test_scores_are_those_of_scikit_learn(n_classes):
    decisions = np.random.default_rng(n_classes).normal(scale=3, size=(50, n_classes * (n_classes - 1) // 2))
    expected = _ovr_decision_function(decisions < 0, -decisions, n_classes)
    np.testing.assert_allclose(one_score_per_class(decisions, n_classes), expected, rtol=1e-12, atol=1e-12)


def test_a_decision_of_zero_scores_for_the_first_class_of_its_pair_as_in_scikit_learn():
    decisions = np.array([[0.0, 0.0, 0.0], [0.0, -1.0, 2.0]])
    expected = _ovr_decision_function(decisions < 0, -decisions, 3)
    np.testing.assert_allclose(one_score_per_class(decisions, 3), expected, rtol=1e-12)
    assert one_score_per_class(decisions, 3)[0].tolist() == [2, 1, 0]


def test_scores_of_float32_decisions_are_float64():
    scores = one_score_per_class(np.array([[1, -2, 0.5]], dtype=np.float32), 3)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, [[1 - 1 / 6, 1 - 0.5 / 4.5, 1 + 1.5 / 7.5]], rtol=1e-12)


def test_votes_go_to_the_first_class_of_a_pair_when_positive_and_else_to_the_second():
    pairs = np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0], [1.0, -1.0, 1.0], [0.0, 0.0, 0.0]])
    assert votes(pairs, 3).tolist() == [[2, 1, 0], [0, 1, 2], [1, 1, 1], [0, 1, 2]]


def test_the_class_with_most_votes_is_the_one_that_libsvm_predicts():
    X, y = make_blobs(200, n_features=4, centers=5, cluster_std=6, random_state=0)
    svc = SVC(decision_function_shape="ovo").fit(X, y)
    assert svc.predict(X).tolist() == votes(svc.decision_function(X), 5).argmax(1).tolist()


def test_libsvm_counts_a_decision_of_zero_for_the_second_class():
    svc = SVC(kernel="linear", decision_function_shape="ovo").fit([[-1.0], [1.0]], [0, 1])
    assert svc.decision_function([[0.0]]).tolist() == [0]
    assert svc.predict([[0.0]])[0] == votes(np.zeros((1, 1)), 2).argmax() == 1
    assert svc.predict([[0.5]])[0] == 1


def test_no_rows_give_no_rows():
    assert votes(np.zeros((0, 3)), 3).shape == one_score_per_class(np.zeros((0, 3)), 3).shape == (0, 3)
