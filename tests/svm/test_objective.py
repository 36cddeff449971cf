"""Support vectors and dual objectives of every backend against scikit-learn's, from its coefficients alone."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from cellbench.svm import backends, objective

from .problems import dual_objectives

SETTINGS = {"kernel": "rbf", "degree": 3, "coef0": 0.0, "class_weight": None}


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(150, centers=3, n_features=4, cluster_std=5, random_state=0)
    return X.astype(np.float32), y


@pytest.fixture(params=["torch", "libsvm", "onedal", "thundersvm"])
def fitted(request):
    """fitted(X, y, ...): the backend's one model."""
    if reason := backends.available()[request.param]:
        pytest.skip(reason)

    def fit(X, y, **settings):
        x = torch.from_numpy(X)
        backend = backends.choose(request.param)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ((_, model, _),) = backends.candidates(
                backend, x, y, x[:2], C=[10.0], gamma=["scale"], **{**SETTINGS, **settings}
            )
        return model

    return fit


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kernel", ["rbf", "poly", "linear"])
def test_facts_of_several_classes_are_those_of_scikit_learn(blobs, fitted, classes, kernel):
    X, y = blobs[0][blobs[1] < classes], blobs[1][blobs[1] < classes]
    reference = SVC(C=10, kernel=kernel, tol=1e-8).fit(X.astype(float), y)
    found = objective.facts(fitted(X, y, kernel=kernel))
    assert found["dual_objective"] == pytest.approx(dual_objectives(reference, X.astype(float)).sum(), rel=1e-4)
    assert found["support_vectors"] == pytest.approx(
        len(reference.support_), abs=2
    )  # those at the stopping rule's edge


def test_facts_of_several_labels_are_sums_over_their_machines(blobs, fitted):
    X, y = blobs
    labels = np.stack([y == 0, y != 1, y >= 0], 1)  # the last label is everywhere: no machine, so it adds nothing
    machines = [SVC(C=10, tol=1e-8).fit(X.astype(float), labels[:, k]) for k in (0, 1)]
    found = objective.facts(fitted(X, labels))
    expected = sum(dual_objectives(one, X.astype(float)).sum() for one in machines)
    assert found["dual_objective"] == pytest.approx(expected, rel=1e-4)
    distinct = set(machines[0].support_) | set(machines[1].support_)
    assert found["support_vectors"] == pytest.approx(len(distinct), abs=2)


def test_what_cannot_be_told_is_left_out(blobs, monkeypatch):
    X, y = blobs
    sigmoid = SVC(kernel="sigmoid").fit(X, y)
    assert objective.facts(sigmoid) == {"support_vectors": len(sigmoid.support_)}
    machine, several = SVC().fit(X, y), OneVsRestClassifier(SVC()).fit(X, np.eye(3, dtype=int)[y])
    monkeypatch.setattr(objective, "MOST_VECTORS", 10)
    assert "dual_objective" not in objective.facts(machine)
    assert "dual_objective" not in objective.facts(several)
