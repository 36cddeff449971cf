"""Which library fits a machine: the choice, its reasons, and the one call in front of all of them."""

import numpy as np
import pytest
import torch
from sklearn.svm import SVC

from cellbench.core.errors import BackendError
from cellbench.svm import BACKENDS, available, backends, candidates, choose


def test_on_cuda_ours_is_chosen_whatever_the_size():
    assert choose(device="cuda", largest_pair=10**6).name == "torch"


def test_on_a_processor_ours_up_to_a_size_then_onedal_then_libsvm(monkeypatch):
    assert choose(largest_pair=backends.OURS_UP_TO).name == "torch"
    assert choose(largest_pair=backends.OURS_UP_TO + 1).name == "onedal"
    monkeypatch.setattr(backends, "_obstacle", lambda backend: "" if backend.name == "libsvm" else "gone")
    assert choose(largest_pair=backends.OURS_UP_TO + 1).name == "libsvm"


def test_a_kernel_that_only_libsvm_has_goes_there():
    assert choose(kernel="sigmoid").name == "libsvm"
    assert choose(kernel="precomputed").name == "libsvm"
    with pytest.raises(BackendError, match="'torch' has no kernel 'sigmoid'; it has linear, rbf, poly"):
        choose("torch", kernel="sigmoid")


def test_on_cuda_a_kernel_that_only_libsvm_has_goes_to_the_processor_and_that_is_said():
    chosen = choose(device="cuda", kernel="sigmoid")
    assert chosen.name == "libsvm"
    assert backends.reason(chosen, "sigmoid", 100) == (
        "auto took libsvm, on the processor: the kernel sigmoid is not among linear, rbf, poly"
    )
    assert backends.reason(choose(device="cuda"), "rbf", 10**6) == ""


@pytest.mark.parametrize("kernel", ["sigmoid", "precomputed"])
def test_a_grid_of_libsvm_s_kernels_is_that_of_scikit_learn(kernel):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 4)).astype(np.float32), np.arange(60) % 3
    features = X @ X[:60].T if kernel == "precomputed" else X
    seen, unseen = torch.from_numpy(features[:60].copy()), torch.from_numpy(features[60:].copy())
    for _, model, scores in candidates(choose(kernel=kernel), seen, y, unseen, C=[1, 10], gamma=[0.1], kernel=kernel):
        theirs = SVC(C=model.C, kernel=kernel, gamma=0.1).fit(features[:60], y)
        np.testing.assert_allclose(scores, theirs.decision_function(features[60:]), atol=1e-6)


def test_a_backend_is_refused_on_a_device_that_it_does_not_run_on():
    with pytest.raises(BackendError, match=r"'libsvm' runs on cpu, not on cuda; take --device cpu"):
        choose("libsvm", device="cuda")


def test_a_misspelt_backend_is_answered_with_the_right_one():
    with pytest.raises(BackendError, match="libsvm"):
        choose("libsmv")


def test_a_backend_that_is_not_there_says_why(monkeypatch):
    def broken():
        raise OSError("libcusparse.so.9.0: cannot open shared object file")

    monkeypatch.setitem(BACKENDS, "onedal", backends.Backend("onedal", "", broken))
    assert available()["onedal"] == "OSError: libcusparse.so.9.0: cannot open shared object file"
    with pytest.raises(BackendError, match=r"'onedal' cannot be used: OSError: libcusparse"):
        choose("onedal")


@pytest.mark.parametrize("multilabel", [False, True])
def test_every_backend_finds_the_same_machines_along_the_same_grid(multilabel):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 120)
    X = torch.from_numpy((rng.normal(size=(150, 6)) + np.eye(3, 6)[np.append(y, y[:30])]).astype(np.float32))
    labels = np.stack([y == 0, y > 0, y == 2], 1) if multilabel else y
    found = {}
    for name in ("torch", "libsvm", "onedal"):
        results = list(
            candidates(BACKENDS[name], X[:120], labels, X[120:], C=[10, 0.1], gamma=[0.2, "scale"], tol=1e-5)
        )
        assert [r[0] for r in results] == [{"C": C, "gamma": g} for g in (0.2, "scale") for C in (0.1, 10)]
        found[name] = np.stack([r[2] for r in results])
    np.testing.assert_allclose(found["torch"], found["libsvm"], atol=2e-3)
    np.testing.assert_allclose(found["onedal"], found["libsvm"], atol=2e-3)
