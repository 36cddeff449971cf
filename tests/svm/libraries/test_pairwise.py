"""The layouts of coefficients against scikit-learn's."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC

from cellbench.svm.libraries.pairwise import by_opponent, by_pair


@pytest.mark.parametrize("n_classes", [3, 5])
def test_coefficients_by_pair_make_the_decisions_of_scikit_learn(n_classes):
    X, y = make_blobs(120, n_features=4, centers=n_classes, cluster_std=6, random_state=0)
    svc = SVC(gamma=0.02, decision_function_shape="ovo").fit(X, y)
    pairs = by_pair(svc.dual_coef_, y[svc.support_], n_classes)
    decisions = rbf_kernel(X, X[svc.support_], gamma=0.02) @ pairs + svc.intercept_
    np.testing.assert_allclose(decisions, svc.decision_function(X), atol=1e-9)
    np.testing.assert_array_equal(by_opponent(pairs, y[svc.support_], n_classes), svc.dual_coef_)


def test_a_sample_of_each_class_has_its_coefficients_against_the_others_in_turn():
    # machines (0, 1), (0, 2), (1, 2); samples of class 0, 1, 2
    pairs = np.array([[1.0, 2.0, 0.0], [-3.0, 0.0, 4.0], [0.0, -5.0, -6.0]])
    assert by_opponent(pairs, np.arange(3), 3).tolist() == [[1, -3, -5], [2, 4, -6]]
    np.testing.assert_array_equal(by_pair(by_opponent(pairs, np.arange(3), 3), np.arange(3), 3), pairs)
