"""Which library fits a machine: the choice, its reasons, and the one call in front of all of them."""

import numpy as np
import pytest
import torch
from sklearn.svm import SVC

from cellbench.core.errors import BackendError
from cellbench.svm import BACKENDS, available, backends, candidates, choose
from cellbench.svm.pilot import share_of_vectors


def problem(**changes):
    """A problem of 4,000 samples a pair, 1,000 features, three values of C, most samples support vectors."""
    return backends.Problem(**{"largest_pair": 4000, "features": 1000, "values": 3, "pilot": lambda: 0.9, **changes})


def test_on_cuda_ours_is_chosen_whatever_the_problem():
    assert choose(device="cuda", problem=problem(largest_pair=10**6, features=10)).name == "torch"


def test_on_a_processor_ours_up_to_a_size_then_onedal_then_libsvm(monkeypatch):
    assert choose(problem=problem(largest_pair=backends.OURS_UP_TO)).name == "torch"
    large = problem(largest_pair=backends.OURS_UP_TO + 1)
    assert choose(problem=large).name == "onedal"
    monkeypatch.setattr(backends, "_obstacle", lambda backend: "" if backend.name == "libsvm" else "gone")
    assert choose(problem=large).name == "libsvm"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"features": 120}, "onedal"),
        ({"features": 121}, "torch"),
        ({"features": 1000, "values": 1}, "onedal"),
        ({"features": 1001, "values": 1}, "torch"),
        ({"features": 77, "pilot": lambda: 0.54}, "libsvm"),
        ({"features": 121, "values": 1, "pilot": lambda: 0.54}, "onedal"),
        ({"features": 77, "several_labels": True}, "torch"),
    ],
)
def test_few_features_are_for_libraries_without_a_gram_matrix(changes, name, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert choose(problem=problem(**changes)).name == name


def test_libsvm_has_one_thread_so_more_than_two_are_for_onedal(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert choose(problem=problem(features=77, pilot=lambda: 0.1)).name == "onedal"


def test_ours_takes_the_place_of_onedal_where_there_is_none(monkeypatch):
    monkeypatch.setattr(backends, "_obstacle", lambda backend: "gone" if backend.name == "onedal" else "")
    assert choose(problem=problem(features=77)).name == "torch"
    assert choose(problem=problem(features=77, largest_pair=backends.OURS_UP_TO)).name == "torch"


def test_libsvm_takes_the_place_of_onedal_for_a_large_pair_whatever_the_features(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(backends, "_obstacle", lambda backend: "gone" if backend.name == "onedal" else "")
    for features in (77, 1000):
        large = problem(features=features, largest_pair=backends.OURS_UP_TO + 1)
        assert choose(problem=large).name == "libsvm"
        assert backends.reason(choose(problem=large), "rbf", large) == (
            "auto took libsvm: the largest machine has 6,001 samples, more than 6,000"
        )


def test_the_choice_says_why(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    told = {}
    for pilot in (0.5, 0.9):
        few = problem(features=77, pilot=lambda pilot=pilot: pilot)
        told[pilot] = backends.reason(choose(problem=few), "rbf", few)
    assert told == {
        0.5: "auto took libsvm: it is faster for 77 features and 3 values of C, where few samples are support vectors",
        0.9: "auto took onedal: it is faster for 77 features and 3 values of C",
    }


def test_the_pilot_is_a_machine_on_every_eighth_sample():
    rng = np.random.default_rng(0)
    y = np.sort(rng.integers(0, 3, 2400))
    X = (rng.normal(size=(2400, 5)) + 3 * np.eye(3, 5)[y]).astype(np.float32)
    share = share_of_vectors(torch.from_numpy(X), y, C=10, gamma="scale")
    assert share == SVC(C=10).fit(X[::8], y[::8]).n_support_.sum() / 300
    assert 0 < share < 0.6
    assert share_of_vectors(torch.from_numpy(X[:1999]), y[:1999], C=10) == 1


def test_a_kernel_that_only_libsvm_has_goes_there():
    assert choose(kernel="sigmoid").name == "libsvm"
    assert choose(kernel="precomputed").name == "libsvm"
    with pytest.raises(BackendError, match="'torch' has no kernel 'sigmoid'; it has linear, rbf, poly"):
        choose("torch", kernel="sigmoid")


def test_on_cuda_a_kernel_that_only_libsvm_has_goes_to_the_processor_and_that_is_said():
    chosen = choose(device="cuda", kernel="sigmoid")
    assert chosen.name == "libsvm"
    assert backends.reason(chosen, "sigmoid", problem()) == (
        "auto took libsvm, on the processor: the kernel sigmoid is not among linear, rbf, poly"
    )
    assert backends.reason(choose(device="cuda"), "rbf", problem()) == ""


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
