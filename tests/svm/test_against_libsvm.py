"""Our solver against LIBSVM on problems of every awkward kind."""

import warnings

import numpy as np
import pytest
import sklearn.svm
from sklearn.exceptions import ConvergenceWarning

from cellbench.svm import SVC, machines

from .problems import draw, dual_objectives

TOLERANCE = 1e-3  # LIBSVM's own; decisions nearer to zero than ten of these are ties to it
SEEDS_A_TEST = 10


@pytest.mark.parametrize("exact_up_to", [machines.EXACT_UP_TO, 0], ids=["float64", "float32"])
@pytest.mark.parametrize("batch", range(21))
def test_dual_objectives_and_decisions_are_those_of_libsvm(batch, exact_up_to, monkeypatch):
    monkeypatch.setattr(machines, "EXACT_UP_TO", exact_up_to)
    for seed in range(batch * SEEDS_A_TEST, (batch + 1) * SEEDS_A_TEST):
        problem = draw(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            theirs = sklearn.svm.SVC(
                **problem.settings, decision_function_shape="ovo", cache_size=500, max_iter=2_000_000
            ).fit(problem.X, problem.y)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)  # none may end short of the tolerance
            ours = SVC(**problem.settings, decision_function_shape="ovo", device="cpu").fit(problem.X, problem.y)
        assert ours.gap_.max() <= TOLERANCE, seed
        reached = dual_objectives(theirs, problem.X)
        assert np.all(ours.dual_objective_ >= reached * (1 - 1e-4)), seed  # LIBSVM's is at times the lower one
        if (theirs.n_iter_ < 2_000_000).all():
            assert np.all(ours.dual_objective_ <= reached * (1 + 1e-3)), seed
        if ours.gap_.min() > -TOLERANCE:  # else the bias may lie anywhere in an interval
            mine, other = ours.decision_function(problem.near), theirs.decision_function(problem.near)
            clear = np.minimum(abs(mine), abs(other)) > 10 * TOLERANCE
            assert np.mean((mine > 0)[clear] == (other > 0)[clear]) >= 0.995 if clear.any() else True, seed


def test_coefficients_are_laid_out_as_scikit_learn_does():
    problem = draw(1)
    settings = {"C": 1.0, "gamma": 0.05, "tol": 1e-6}
    theirs = sklearn.svm.SVC(**settings).fit(problem.X, problem.y)
    ours = SVC(**settings, device="cpu").fit(problem.X, problem.y)
    assert np.array_equal(ours.support_, theirs.support_)
    assert np.array_equal(ours.n_support_, theirs.n_support_)
    np.testing.assert_allclose(ours.dual_coef_, theirs.dual_coef_, atol=1e-4)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-4)
    np.testing.assert_array_equal(ours.support_vectors_, theirs.support_vectors_)
    np.testing.assert_allclose(ours.dual_objective_, dual_objectives(theirs, problem.X), rtol=1e-6)


@pytest.mark.parametrize("classes", [2, 3, 9])
def test_scores_and_labels_are_those_of_scikit_learn(classes):
    rng = np.random.default_rng(classes)
    y = np.arange(150) % classes
    X = rng.normal(size=(150, 5)) + 0.5 * y[:, None]
    names = np.array([f"class {i}" for i in range(classes)])[y]
    theirs = sklearn.svm.SVC(C=3, tol=1e-6).fit(X, names)
    ours = SVC(C=3, tol=1e-6, device="cpu").fit(X, names)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-4)
    assert np.array_equal(ours.predict(X), theirs.predict(X))


def test_sample_weights_scale_the_bound_of_each_alpha():
    problem = draw(4)
    weight = np.random.default_rng(0).uniform(0, 2, len(problem.y))
    weight[::7] = 0
    theirs = sklearn.svm.SVC(C=2, gamma=0.1, tol=1e-6).fit(problem.X, problem.y, weight)
    ours = SVC(C=2, gamma=0.1, tol=1e-6, device="cpu").fit(problem.X, problem.y, weight)
    np.testing.assert_allclose(ours.decision_function(problem.near), theirs.decision_function(problem.near), atol=1e-3)
