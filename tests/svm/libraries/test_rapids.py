"""cuML's two-class machines put together: with a stand-in that solves by LIBSVM, and with cuML itself where it is."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.svm
import torch
from sklearn.base import clone
from sklearn.datasets import make_blobs

from cellbench.core.errors import BackendError
from cellbench.svm.libraries.rapids import CumlSVC, load


@pytest.fixture
def made(monkeypatch):
    """Every machine made by a cuML of which only what the adapter may rely on is there; solved in float64."""
    machines = []

    class Machine:
        def __init__(self, *, C, kernel, degree, gamma, coef0, tol, cache_size, output_type):
            assert output_type == "numpy"
            self.settings = {"C": C, "kernel": kernel, "degree": degree, "gamma": gamma, "coef0": coef0, "tol": tol}
            self.cache_size = cache_size
            machines.append(self)

        def fit(self, X, y, sample_weight):
            assert (X.dtype, sample_weight.dtype) == (np.float32, np.float32)
            assert np.unique(y).tolist() == [0, 1]
            self._svc = sklearn.svm.SVC(**self.settings).fit(X, y, sample_weight)
            self.weights = sample_weight
            self.support_ = self._svc.support_
            self.dual_coef_ = self._svc.dual_coef_
            self.intercept_ = self._svc.intercept_
            return self

        def decision_function(self, X):
            return self._svc.decision_function(X)

    module = SimpleNamespace(SVC=Machine)
    monkeypatch.setitem(sys.modules, "cuml", SimpleNamespace(svm=module))
    monkeypatch.setitem(sys.modules, "cuml.svm", module)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(asarray=np.asarray, asnumpy=np.asarray))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    return machines


def blobs(n_classes, names=None):
    X, y = make_blobs(160, n_features=4, centers=n_classes, cluster_std=3, random_state=n_classes)
    X = ((X - X.mean(0)) / X.std(0)).astype(np.float32)
    y = y if names is None else np.array(names)[y]
    return X[:100], y[:100], X[100:]


KERNELS = {
    "linear": {},
    "rbf": {},
    "poly": {"degree": 2, "coef0": 0.5},
    "sigmoid": {"gamma": 0.02},  # where it is indefinite the optimum that is found hangs on the order of the classes
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_pairs_put_together_are_the_machine_of_scikit_learn(made, n_classes, kernel):
    X, y, unseen = blobs(n_classes)
    settings = {"kernel": kernel, "C": 2.0, "tol": 1e-6, **KERNELS[kernel]}
    ours = load()(**settings).fit(X, y)
    theirs = sklearn.svm.SVC(**settings).fit(X, y)
    assert len(made) == n_classes * (n_classes - 1) // 2
    # a vote for the other class is a difference of 1; float32's gamma is one of 1e-8
    np.testing.assert_allclose(ours.decision_function(unseen), theirs.decision_function(unseen), atol=1e-3)
    assert ours.predict(unseen).tolist() == theirs.predict(unseen).tolist()
    assert ours.support_.tolist() == theirs.support_.tolist()
    assert ours.n_support_.tolist() == theirs.n_support_.tolist()
    np.testing.assert_allclose(ours.dual_coef_, theirs.dual_coef_, atol=1e-2)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-3)


def test_gamma_scale_is_of_all_samples_and_not_of_each_pair(made):
    X, y, _ = blobs(3)
    CumlSVC(gamma="scale", cache_size=2000).fit(X, y)
    assert [machine.settings["gamma"] for machine in made] == pytest.approx([1 / (4 * X.var())] * 3, rel=1e-5)
    assert [machine.cache_size for machine in made] == [2000] * 3


def test_class_weights_are_of_all_samples_and_reach_every_pair(made):
    X, y, unseen = blobs(3, names=["b", "c", "a"])
    few = np.flatnonzero(np.arange(len(y)) % np.array([{"a": 1, "b": 2, "c": 3}[name] for name in y]) == 0)
    ours = CumlSVC(class_weight="balanced", tol=1e-4).fit(X[few], y[few])
    theirs = sklearn.svm.SVC(class_weight="balanced", tol=1e-4).fit(X[few], y[few])
    np.testing.assert_allclose(ours.decision_function(unseen), theirs.decision_function(unseen), atol=1e-3)
    assert ours.predict(unseen).tolist() == theirs.predict(unseen).tolist()
    a, b, c = (len(few) / (3 * (y[few] == name).sum()) for name in "abc")
    assert [np.unique(m.weights).tolist() for m in made] == [
        pytest.approx(sorted(pair), rel=1e-6) for pair in ((a, b), (a, c), (b, c))
    ]


def test_a_clone_keeps_the_settings(made):
    assert clone(CumlSVC(C=3.0, kernel="sigmoid")).get_params()["kernel"] == "sigmoid"


def test_without_a_cuda_device_load_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BackendError, match="needs a CUDA device"):
        load()


def test_without_cuml_load_says_what_to_install(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setitem(sys.modules, "cuml", None)
    monkeypatch.delitem(sys.modules, "cuml.svm", raising=False)
    with pytest.raises(BackendError, match="pip install cuml-cu13"):
        load()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly"])
def test_cuml_itself_scores_as_libsvm_does(kernel, n_classes):
    try:
        load()
    except BackendError as error:
        pytest.skip(str(error))
    X, y, unseen = blobs(n_classes)
    settings = {"kernel": kernel, "class_weight": "balanced", "tol": 1e-4, **KERNELS[kernel]}
    ours, theirs = CumlSVC(**settings).fit(X, y), sklearn.svm.SVC(**settings).fit(X, y)
    assert (ours.predict(unseen) == theirs.predict(unseen)).mean() > 0.97
    near = np.abs(ours.decision_function(unseen) - theirs.decision_function(unseen)) < 0.01
    assert near.mean() > 0.95
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-2)
