"""The approximate machine against scikit-learn's own pipeline of the same parts, and against an exact machine."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.kernel_approximation import Nystroem
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC

from cellbench.svm import backends, candidates, choose, saved
from cellbench.svm.approximate import ApproximateSVC

CPU = partial(ApproximateSVC, device="cpu")


@pytest.fixture(scope="module")
def samples():
    """Features (700, 10) float64 and their classes, of 4: the first 500 to train with."""
    return make_classification(700, 10, n_informative=8, n_redundant=0, n_classes=4, random_state=0)


def pipeline(classifier, X, kernel="rbf"):
    gamma = 1 / (X.shape[1] * X.var())
    described = Nystroem(kernel=kernel, gamma=gamma, degree=3, coef0=0, n_components=60, random_state=0)
    return make_pipeline(described, classifier)


@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly"])
def test_machines_for_pairs_of_classes_are_those_of_scikit_learns_pipeline(samples, kernel):
    X, y = samples
    reference = pipeline(OneVsOneClassifier(LinearSVC(C=2.0, dual=False)), X[:500], kernel).fit(X[:500], y[:500])
    ours = CPU(C=2.0, kernel=kernel, landmarks=60).fit(X[:500], y[:500])
    assert ours.decision_function(X[500:]) == pytest.approx(reference.decision_function(X[500:]), abs=1e-3)


def test_two_classes_have_one_decision_positive_for_the_second(samples):
    X, y = samples[0], samples[1] > 1
    reference = pipeline(LinearSVC(C=2.0, dual=False), X[:500]).fit(X[:500], y[:500])
    ours = CPU(C=2.0, landmarks=60).fit(X[:500], y[:500])
    assert ours.decision_function(X[500:]) == pytest.approx(reference.decision_function(X[500:]), abs=1e-3)


def test_several_labels_have_a_machine_each_also_one_that_no_sample_has(samples):
    X, y = samples
    labels = np.stack([y == 0, y > 1, np.zeros(len(y), bool)], 1).astype(int)
    model = pipeline(OneVsRestClassifier(LinearSVC(C=2.0, dual=False)), X[:500])
    with pytest.warns(UserWarning, match="Label not 2"):
        reference = model.fit(X[:500], labels[:500])
    ours = CPU(C=2.0, landmarks=60).fit(X[:500], labels[:500])
    decisions = ours.decision_function(X[500:])
    assert decisions[:, :2] == pytest.approx(reference.decision_function(X[500:])[:, :2], abs=1e-3)
    assert set(decisions[:, 2]) == {-1.0}


def test_weights_of_samples_and_of_classes_are_factors_of_c(samples):
    X, y = samples[0][:500], (samples[1] > 1)[:500]
    weight = np.where(y, 3.0, 1.0)
    reference = pipeline(LinearSVC(C=2.0, dual=False), X).fit(X, y, linearsvc__sample_weight=weight)
    for ours in (
        CPU(C=2.0, landmarks=60).fit(X, y, weight),
        CPU(C=2.0, landmarks=60, class_weight={1: 3.0}).fit(X, y),
    ):
        assert ours.decision_function(X) == pytest.approx(reference.decision_function(X), abs=1e-3)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])  # with 10 features, most landmarks depend on others
def test_of_float32_samples_that_are_alike_it_scores_as_the_pipeline_in_float64_does(samples, kernel):
    X, y = np.concatenate([samples[0][:300]] * 2).astype(np.float32), np.concatenate([samples[1][:300]] * 2)
    described = Nystroem(kernel=kernel, gamma=1 / (X.shape[1] * X.var()), n_components=600, random_state=0)
    reference = make_pipeline(described, OneVsOneClassifier(LinearSVC(C=2.0, dual=False))).fit(X.astype(float), y)
    ours = CPU(C=2.0, kernel=kernel).fit(X, y)
    unseen = samples[0][500:].astype(np.float32)
    decisions = reference.decision_function(unseen.astype(float))
    assert ours.decision_function(unseen) == pytest.approx(decisions, abs=5e-3)


def test_samples_and_labels_of_different_number_are_refused(samples):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        CPU().fit(samples[0], samples[1][:-1])


def test_with_every_sample_as_a_landmark_it_labels_nearly_as_the_exact_machine_does(samples):
    X, y = samples
    exact = SVC(C=1.0).fit(X[:500], y[:500]).predict(X[500:])
    assert (CPU(C=1.0).fit(X[:500], y[:500]).predict(X[500:]) == exact).mean() > 0.93
    assert (CPU(C=1.0, landmarks=4).fit(X[:500], y[:500]).predict(X[500:]) == exact).mean() < 0.8


def test_the_same_seed_draws_the_same_landmarks(samples):
    X, y = samples
    first, same, other = (CPU(landmarks=30, random_state=seed).fit(X, y) for seed in (0, 0, 1))
    assert first.support_.tolist() == same.support_.tolist() != other.support_.tolist()
    assert first.support_vectors_ == pytest.approx(X[first.support_])


@pytest.mark.parametrize("several_labels", [False, True])
def test_as_a_backend_it_fits_keeps_and_restores(samples, several_labels):
    X, y = torch.from_numpy(samples[0]).float(), samples[1]
    labels = np.stack([y == 0, y > 1], 1) if several_labels else y
    backend = choose("nystroem")
    settings = {"C": (1.0, 10.0), "gamma": ("scale",), "kernel": "rbf", "class_weight": None}
    found = list(candidates(backend, X[:500], labels[:500], X[500:], **settings))
    assert [chosen["C"] for chosen, _, _ in found] == [1.0, 10.0]
    _, model, decisions = found[0]
    restored = saved.classifier(saved.state(model), "cpu")
    assert restored.decision_function(X[500:]) == pytest.approx(decisions, abs=1e-5)
    problem = backends.Problem(largest_pair=200, features=10, values=2)
    assert backends.reason(backend, "rbf", problem).startswith("approximate: kernel values with up to 2,000 training")
