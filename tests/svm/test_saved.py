"""Machines of every backend, told as tensors and made into a classifier of ours, decide as they did."""

import io
import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.svm import SVC

from cellbench.svm import backends, saved

SETTINGS = {"degree": 3, "coef0": 0.5, "class_weight": None}


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(200, centers=4, n_features=5, cluster_std=6, random_state=0)
    return (X / X.std()).astype(np.float32), y


def fitted(name, X, y, kernel="rbf", C=(1.0, 10.0), gamma="scale"):
    """The backend's model of the largest C, and its own decisions."""
    if reason := backends.available()[name]:
        pytest.skip(reason)
    x = torch.from_numpy(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(
            backends.candidates(
                backends.choose(name, kernel=kernel), x, y, x, C=C, gamma=[gamma], kernel=kernel, **SETTINGS
            )
        )
    model = found[-1][1]
    return model, model.decision_function(x if name == "torch" else X)


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def again(model, X):
    return saved.classifier(through_a_file(saved.state(model)), "cpu").decision_function(torch.from_numpy(X))


@pytest.mark.parametrize("name", ["torch", "libsvm", "onedal", "thundersvm"])
@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly"])
@pytest.mark.parametrize("classes", [2, 4])
def test_decisions_of_classes_are_the_backends_own(blobs, name, kernel, classes):
    X, y = blobs[0][blobs[1] < classes], blobs[1][blobs[1] < classes]
    model, decisions = fitted(name, X, y, kernel)
    found = again(model, X)
    assert found.shape == ((len(X),) if classes == 2 else (len(X), classes))
    np.testing.assert_allclose(found, decisions, rtol=1e-4, atol=3e-4)  # oneDAL and ThunderSVM work in float32
    if name == "torch":
        np.testing.assert_array_equal(found, decisions)


def test_a_kernel_that_only_libsvm_fits_is_restored_too(blobs):
    X, y = blobs
    model, decisions = fitted("libsvm", X, y, "sigmoid", C=(1.0,), gamma=0.01)
    reference = SVC(C=1, kernel="sigmoid", gamma=0.01, coef0=0.5).fit(X.astype(float), y)
    np.testing.assert_allclose(again(model, X), reference.decision_function(X.astype(float)), atol=1e-4)
    np.testing.assert_allclose(again(model, X), decisions, atol=1e-4)


@pytest.mark.parametrize("name", ["torch", "libsvm", "onedal", "thundersvm"])
def test_decisions_of_labels_are_the_backends_own_constant_labels_too(blobs, name):
    X, y = blobs
    labels = np.stack([y == 0, y >= 2, y >= 0, y > 9], 1)  # the third all have, the fourth none
    model, decisions = fitted(name, X, labels)
    found = again(model, X)
    np.testing.assert_allclose(found[:, :2], decisions[:, :2], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(found[:, 2:], decisions[:, 2:])


def test_features_far_from_zero_which_ours_centres_lose_nothing(blobs):
    X, y = blobs[0][:40] + 100, blobs[1][:40]
    X, y = (
        np.tile(X, (30, 1)) + 0.1 * np.random.default_rng(0).normal(size=(1200, 5)).astype(np.float32),
        np.tile(y, 30),
    )
    model, decisions = fitted("torch", X, y)
    assert saved.state(model)["centre"] is not None
    np.testing.assert_array_equal(again(model, X), decisions)


def test_vectors_that_only_other_machines_of_a_path_have_are_left_out(blobs):
    model, _ = fitted("torch", *blobs, C=(0.01, 100.0))
    state = saved.state(model)
    assert len(state["vectors"]) == len(model.support_) < len(model._vectors)
    assert state["weights"].any(1).all()
