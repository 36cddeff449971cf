"""The classifier's interface: scikit-learn's own checks, the path of C, labels, memory, and what it refuses."""

import pickle
import weakref

import numpy as np
import pytest
import scipy.sparse
import sklearn.svm
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from cellbench.core.errors import BackendError
from cellbench.svm import SVC, classifier, machines, path, solver
from cellbench.svm.classifier import path_scores

from .problems import dual_objectives

# scikit-learn's own SVC fails it too: gamma="scale" is read off all rows, whatever their weight
EXPECTED = {"check_sample_weight_equivalence_on_dense_data": "gamma='scale' does not heed sample weights"}


@parametrize_with_checks([SVC(device="cpu")], expected_failed_checks=lambda _: EXPECTED)
def test_scikit_learn_s_checks_pass(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def samples():
    """400 samples of 12 features in 5 classes that overlap, and 200 unseen."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 5, 600)
    X = (rng.normal(size=(600, 12)) + 0.6 * np.eye(5, 12)[y] * 3).astype(np.float32)
    return X[:400], y[:400], X[400:]


def test_a_path_of_c_gives_each_model_that_a_fit_of_its_own_gives(samples):
    X, y, unseen = samples
    models = path(SVC(device="cpu"), X, y, [100, 0.1, 1, 1000], [0.05, "scale"])
    assert [(m.C, m.gamma) for m in models] == [(C, g) for g in (0.05, "scale") for C in (0.1, 1, 100, 1000)]
    scores = path_scores(models, unseen)
    for model, score in zip(models, scores, strict=True):
        alone = SVC(C=model.C, gamma=model.gamma, device="cpu").fit(X, y)
        np.testing.assert_allclose(model.dual_objective_, alone.dual_objective_, rtol=1e-4)
        np.testing.assert_allclose(score, model.decision_function(unseen), atol=1e-9)
        assert np.mean(model.predict(unseen) == alone.predict(unseen)) >= 0.995


def test_one_gram_matrix_serves_every_pair_and_every_c(samples, monkeypatch):
    X, y, _ = samples
    made = []
    whole = machines.gram
    monkeypatch.setattr(machines, "gram", lambda kernel, x, *rest: made.append(len(x)) or whole(kernel, x, *rest))
    path(SVC(device="cpu"), X, y, [0.1, 1, 10, 100, 1000], [0.1])
    assert made == [400]


@pytest.mark.parametrize("memory", [400**2 * 8 - 1, 2**10])
def test_blocks_of_the_gram_matrix_give_the_same_machine_as_the_whole(samples, monkeypatch, memory):
    X, y, unseen = samples
    whole = SVC(device="cpu", C=5).fit(X, y)
    made = []
    gram = machines.gram
    monkeypatch.setattr(machines, "gram", lambda kernel, x, *rest: made.append(len(x)) or gram(kernel, x, *rest))
    blocks = SVC(device="cpu", C=5, memory=memory).fit(X, y)
    assert max(made) == np.bincount(y).max()  # a class with itself at most
    assert len(made) == (5 if memory > 2**20 else 20)  # kept while they fit, else made for every pair
    np.testing.assert_allclose(blocks.decision_function(unseen), whole.decision_function(unseen), atol=1e-6)


def test_labels_get_a_machine_each_as_one_versus_rest_makes_them(samples):
    X, y, unseen = samples
    labels = np.stack([y < 2, y % 2 == 0, y == 4], 1)
    theirs = OneVsRestClassifier(sklearn.svm.SVC(C=2, gamma=0.05, tol=1e-6)).fit(X, labels.astype(int))
    ours = SVC(C=2, gamma=0.05, tol=1e-6, device="cpu").fit(X, labels)
    np.testing.assert_allclose(ours.decision_function(unseen), theirs.decision_function(unseen), atol=1e-3)
    assert np.array_equal(ours.predict(unseen), theirs.predict(unseen))


def test_a_label_that_all_or_no_samples_have_scores_one_way(samples):
    X, y, unseen = samples
    labels = np.stack([y < 2, np.ones_like(y, bool), np.zeros_like(y, bool)], 1)
    decisions = SVC(device="cpu").fit(X, labels).decision_function(unseen)
    assert np.all(decisions[:, 1] == 1)
    assert np.all(decisions[:, 2] == -1)


def test_labels_whose_gram_matrix_does_not_fit_are_refused_with_both_figures(samples):
    X, y, _ = samples
    with pytest.raises(BackendError, match=r"400 samples takes 0\.0 GiB.*another backend"):
        SVC(device="cpu", memory=1000).fit(X, np.stack([y < 2, y == 3], 1))


def test_a_batch_of_small_pairs_gives_what_each_gives_alone(samples, monkeypatch):
    X, y, unseen = samples
    together = SVC(device="cpu").fit(X, y)
    monkeypatch.setattr(machines, "BATCH_BYTES", {"cpu": 1})
    alone = SVC(device="cpu").fit(X, y)
    np.testing.assert_allclose(together.decision_function(unseen), alone.decision_function(unseen), atol=2e-3)
    np.testing.assert_allclose(together.dual_objective_, alone.dual_objective_, rtol=1e-6)


def test_float32_gives_the_machine_that_float64_gives(samples, monkeypatch):
    X, y, unseen = samples
    exact = SVC(device="cpu", C=10).fit(X, y)
    monkeypatch.setattr(machines, "EXACT_UP_TO", 0)
    single = SVC(device="cpu", C=10).fit(X, y)
    assert single._vectors.dtype == torch.float32
    np.testing.assert_allclose(single.dual_objective_, exact.dual_objective_, rtol=1e-4)
    assert single.gap_.max() <= 1e-3
    np.testing.assert_allclose(single.decision_function(unseen), exact.decision_function(unseen), atol=5e-3)


def test_a_path_in_float32_goes_on_after_a_c_that_rounds_down(samples, monkeypatch):
    """float32(0.01) lies below 0.01: a sample at that bound is at its bound nevertheless."""
    monkeypatch.setattr(machines, "EXACT_UP_TO", 0)
    X, y, _ = samples
    for labels in (y, np.stack([y < 2, y == 4], 1)):
        for model in path(SVC(device="cpu"), X, labels, [0.01, 0.7, 7], [0.1]):
            alone = SVC(C=model.C, gamma=0.1, device="cpu").fit(X, labels)
            np.testing.assert_allclose(model.dual_objective_, alone.dual_objective_, rtol=1e-4)


def test_what_rounding_makes_hopeless_ends_with_a_warning():
    rng = np.random.default_rng(3)
    X, y = 1e18 * rng.normal(size=(200, 4)), rng.integers(0, 2, 200)
    with pytest.warns(ConvergenceWarning, match="1 of 1 machines stopped at a gap of up to"):
        assert SVC(device="cpu", kernel="linear").fit(X, y).fit_status_ == 1


def test_kernel_values_that_overflow_are_refused():
    X = np.array([[1e200, 1], [1, 1e200], [0, 1], [1, 0]])
    with pytest.raises(ValueError, match="kernel values overflow"):
        SVC(device="cpu", kernel="linear").fit(X, [0, 1, 0, 1])


def test_raw_pixels_under_a_linear_kernel_reach_the_tolerance():
    rng = np.random.default_rng(3)
    X, y = rng.integers(0, 256, (300, 30)).astype(float), rng.integers(0, 2, 300)
    assert SVC(device="cpu", kernel="linear", C=100).fit(X, y).gap_.max() <= 1e-3


def test_labels_of_minus_one_and_one_and_sparse_ones_mean_the_same(samples):
    X, y, unseen = samples
    labels = np.stack([y < 2, y == 3], 1)
    expected = SVC(device="cpu").fit(X, labels).predict(unseen)
    for form in (np.where(labels, 1, -1), scipy.sparse.csr_matrix(labels.astype(int))):
        assert np.array_equal(SVC(device="cpu").fit(X, form).predict(unseen), expected)


def test_far_off_features_lose_nothing_to_float32(samples, monkeypatch):
    monkeypatch.setattr(machines, "EXACT_UP_TO", 0)
    X, y, unseen = samples
    X, unseen = X.astype(np.float64), unseen.astype(np.float64)
    near = SVC(device="cpu", gamma=0.1).fit(X, y).decision_function(unseen)
    far = SVC(device="cpu", gamma=0.1).fit(X + 1e6, y)
    np.testing.assert_allclose(far.decision_function(unseen + 1e6), near, atol=5e-3)
    np.testing.assert_allclose(far.support_vectors_ - 1e6, X[far.support_], atol=1e-3)


def test_the_intercept_of_a_linear_kernel_is_that_of_features_as_they_came(samples, monkeypatch):
    monkeypatch.setattr(machines, "EXACT_UP_TO", 0)
    X, y, _ = samples
    ours = SVC(device="cpu", kernel="linear", tol=1e-5).fit(X + 3, y)
    np.testing.assert_allclose(
        ours.intercept_, sklearn.svm.SVC(kernel="linear", tol=1e-5).fit(X + 3, y).intercept_, atol=5e-3
    )


def test_the_order_of_samples_does_not_matter(samples):
    X, y, unseen = samples
    order = np.random.default_rng(0).permutation(len(y))
    a, b = SVC(device="cpu", tol=1e-6).fit(X, y), SVC(device="cpu", tol=1e-6).fit(X[order], y[order])
    np.testing.assert_allclose(a.decision_function(unseen), b.decision_function(unseen), atol=1e-4)
    assert set(b.support_) == {np.flatnonzero(order == i)[0] for i in a.support_}


@pytest.mark.parametrize("form", [np.asfortranarray, lambda X: X[:, ::-1][:, ::-1], lambda X: X.astype(np.float64)])
def test_any_layout_and_type_of_features_gives_the_same_labels(samples, form):
    X, y, unseen = samples
    assert np.array_equal(
        SVC(device="cpu").fit(form(X), y).predict(unseen), SVC(device="cpu").fit(X, y).predict(unseen)
    )


def test_whole_numbers_and_tensors_are_features_too(samples):
    X, y, unseen = samples
    whole = (X * 10).astype(np.int64)
    expected = sklearn.svm.SVC().fit(whole, y).predict(whole)
    assert np.array_equal(SVC(device="cpu").fit(whole, y).predict(whole), expected)
    tensor = SVC(device="cpu").fit(torch.from_numpy(X), y)
    assert np.array_equal(tensor.predict(torch.from_numpy(unseen)), SVC(device="cpu").fit(X, y).predict(unseen))


def test_a_constant_feature_and_opposite_twins_are_no_obstacle():
    X = np.zeros((40, 3))
    X[:, 0] = 7
    X[:, 1] = np.repeat(np.arange(20), 2)
    y = np.tile([0, 1], 20)
    ours, theirs = SVC(C=10, device="cpu").fit(X, y), sklearn.svm.SVC(C=10).fit(X, y)
    np.testing.assert_allclose(ours.dual_objective_, dual_objectives(theirs, X), rtol=1e-6)


def test_a_fitted_model_can_be_pickled(samples):
    X, y, unseen = samples
    model = SVC(device="cpu").fit(X, y)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(unseen), model.predict(unseen))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"C": 0}, "C is 0; give a positive number"),
        ({"C": float("nan")}, "C is nan"),
        ({"tol": -1}, "tol is -1"),
        ({"gamma": -1}, "gamma is -1; give 'scale', 'auto' or a positive number"),
        ({"gamma": "scales"}, "gamma is 'scales'"),
        ({"kernel": "rfb"}, "kernel is 'rfb'.*rbf"),
        ({"kernel": "poly", "coef0": -1}, "coef0 -1; a whole degree of at least 1"),
        ({"kernel": "poly", "degree": 2.5}, "degree is 2.5"),
        ({"kernel": "poly", "degree": "two"}, "degree is 'two'"),
        ({"decision_function_shape": "all"}, "choose 'ovr' or 'ovo'"),
        ({"device": "gpu"}, "device is 'gpu'; choose 'auto', 'cpu' or 'cuda'"),
        ({"memory": 0}, "memory is 0; give a positive number of bytes"),
    ],
)
def test_bad_settings_are_refused_in_one_line(samples, settings, message):
    with pytest.raises(ValueError, match=message) as caught:
        SVC(**{"device": "cpu", **settings}).fit(samples[0], samples[1])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kernel", ["sigmoid", "precomputed"])
@pytest.mark.parametrize("classes", [2, 5])
def test_kernels_that_need_not_be_definite_are_solved_by_libsvm(samples, kernel, classes):
    X, y, unseen = samples
    X, y = X[y < classes], y[y < classes]
    if kernel == "precomputed":
        X, unseen = np.tanh(X @ X.T / 10), np.tanh(unseen @ X.T / 10)
    settings = {"C": 3.0, "kernel": kernel, "gamma": 0.02, "coef0": -0.5, "class_weight": "balanced"}
    ours, theirs = SVC(**settings, device="cpu").fit(X, y), sklearn.svm.SVC(**settings).fit(X, y)
    np.testing.assert_array_equal(ours.decision_function(unseen), theirs.decision_function(unseen))
    np.testing.assert_array_equal(ours.predict(torch.from_numpy(unseen)), theirs.predict(unseen))
    for name in ("support_", "n_support_", "dual_coef_", "intercept_", "support_vectors_", "classes_"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert np.array_equal(pickle.loads(pickle.dumps(ours)).predict(unseen), theirs.predict(unseen))
    models = path(ours, X, y, [3, 1], [0.02])
    assert [model.C for model in models] == [1, 3]
    for model, scores in zip(models, path_scores(models, unseen), strict=True):
        np.testing.assert_array_equal(scores, model.decision_function(unseen))


def test_a_gram_matrix_is_cut_by_rows_and_columns_in_cross_validation(samples):
    X, y, _ = samples
    ours = cross_val_score(SVC(kernel="precomputed", device="cpu"), X @ X.T, y)
    np.testing.assert_array_equal(ours, cross_val_score(sklearn.svm.SVC(kernel="precomputed"), X @ X.T, y))


def test_a_kernel_of_libsvm_s_takes_one_label_a_sample(samples):
    X, y, _ = samples
    with pytest.raises(ValueError, match="'sigmoid' takes one label a sample; for several use OneVsRestClassifier"):
        SVC(kernel="sigmoid").fit(X, np.stack([y < 2, y == 3], 1))


def test_a_model_fitted_anew_by_our_solver_forgets_libsvm_s(samples):
    X, y, unseen = samples
    again = SVC(kernel="sigmoid", device="cpu").fit(X, y).set_params(kernel="rbf").fit(X, y)
    np.testing.assert_array_equal(again.predict(unseen), SVC(device="cpu").fit(X, y).predict(unseen))


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.ones((1, 2)), [0], "greater than one"),
        (np.ones((4, 2)), [1, 1, 1, 1], "greater than one"),
        (np.array([[1.0, np.nan], [1, 2]]), [0, 1], "NaN"),
        (np.array([[1.0, np.inf], [1, 2]]), [0, 1], "infinity"),
        (torch.ones(2, 0), [0, 1], "finite one of shape"),
        (np.ones((3, 2)), [0, 1], "inconsistent numbers of samples"),
        (torch.tensor([[1.0, float("nan")], [1, 2]]), [0, 1], "finite"),
    ],
)
def test_what_no_machine_can_be_made_of_is_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        SVC(device="cpu").fit(X, y)


def test_memory_that_runs_out_in_the_middle_leaves_the_model_unfitted_and_nothing_held(samples, monkeypatch):
    X, y, _ = samples

    matrices = []

    def full(problems, *_):
        matrices.append(weakref.ref(problems.K))
        raise torch.OutOfMemoryError("simulated")

    model = SVC(device="cpu")
    monkeypatch.setattr(machines, "solve", full)
    for labels in (y, np.stack([y < 2, y == 4], 1)):
        with pytest.raises(BackendError, match="memory of the cpu ran out with 400 samples") as caught:
            model.fit(X, labels)
        assert caught.value.__cause__ is not None  # somebody keeps the error
        assert all(matrix() is None for matrix in matrices)
    assert len(matrices) == 2
    assert not hasattr(model, "_vectors")


def test_a_device_that_is_not_there_is_refused_in_one_line(samples, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BackendError, match="device is 'cuda' and torch finds no CUDA device; choose 'cpu'"):
        SVC(device="cuda").fit(samples[0], samples[1])


def test_on_a_card_half_of_what_is_free_may_be_used_torch_s_own_reserve_included(monkeypatch):
    free = {"mem_get_info": (1000, 5000), "memory_reserved": 700, "memory_allocated": 300}
    for name, value in free.items():
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    assert classifier._free_memory(torch.device("cuda")) == (1000 + 700 - 300) // 2


def test_large_coefficients_are_summed_to_within_the_tolerance(samples, monkeypatch):
    monkeypatch.setattr(machines, "EXACT_UP_TO", 0)
    X, y, unseen = samples
    y = y == np.random.default_rng(0).permutation(y)  # no order in it: most samples end at their bound
    for C in (10, 1e4):
        model = SVC(C=C, gamma=0.02, device="cpu").fit(X, y)
        K = rbf_kernel(unseen.astype(float), model.support_vectors_.astype(float), gamma=0.02)
        expected = K @ model.dual_coef_[0] + model.intercept_[0]
        np.testing.assert_allclose(model.decision_function(unseen), expected, atol=1e-3)


def test_newton_steps_that_end_in_no_number_in_float32_are_taken_again_in_float64(samples, monkeypatch):
    X, y, unseen = samples
    expected = SVC(device="cpu").fit(X, y)
    solved = solver._solved
    monkeypatch.setattr(machines, "EXACT_UP_TO", 0)
    monkeypatch.setattr(
        solver,
        "_solved",
        lambda blocks, sides: solved(blocks, sides) if sides.dtype == torch.float64 else torch.nan * sides,
    )
    reached = SVC(device="cpu").fit(X, y)
    assert reached.gap_.max() <= 1e-3
    np.testing.assert_allclose(reached.dual_objective_, expected.dual_objective_, rtol=1e-5)
    np.testing.assert_allclose(reached.decision_function(unseen), expected.decision_function(unseen), atol=2e-3)


def test_a_c_whose_square_is_no_number_is_refused(samples):
    with pytest.raises(ValueError, match=r"C times the mean of k\(x, x\) is 1\.0e\+40; give a smaller C, or rescale X"):
        SVC(C=1e40, device="cpu").fit(samples[0], samples[1])
