"""thundersvm against scikit-learn's LIBSVM, and what thundersvm would do to a caller who trusts it."""

import copy
import pickle
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from cellbench.core.errors import BackendError, TrainingError
from cellbench.svm.libraries.thunder import ThunderSVC, load

KERNELS = {
    "linear": {"kernel": "linear"},
    "rbf": {"kernel": "rbf"},
    "poly": {"kernel": "poly", "degree": 2, "coef0": 1.0},
    "poly of coef0 0": {"kernel": "poly"},
}


@pytest.fixture(scope="module", autouse=True)
def there():
    try:
        load()
    except BackendError as error:
        pytest.skip(str(error))


def blobs(n_classes, n=120, names=None):
    """Overlapping classes in no order, the last one first to appear; half of them to train on."""
    X, y = make_blobs(n, n_features=4, centers=n_classes, cluster_std=3, random_state=n_classes)
    X = (X - X.mean(0)) / X.std(0)
    first = np.flatnonzero(y == n_classes - 1)[0]
    X[[0, first]], y[[0, first]] = X[[first, 0]], y[[first, 0]]
    y = y if names is None else np.array(names)[y]
    return X[: n // 2], y[: n // 2], X[n // 2 :]


def same_scores(ours, theirs, X, atol=2e-3):
    """decision_function agrees but where a pair's decision is so near zero that its vote may go either way."""
    pairs = clone(theirs).set_params(decision_function_shape="ovo").fit(*theirs.seen).decision_function(X)
    clear = (np.abs(pairs.reshape(len(X), -1)) > 2 * atol).all(1)
    assert clear.mean() > 0.9
    np.testing.assert_allclose(ours.decision_function(X)[clear], theirs.decision_function(X)[clear], atol=atol)
    assert ours.predict(X)[clear].tolist() == theirs.predict(X)[clear].tolist()


def both(X, y, **settings):
    theirs = SVC(tol=1e-4, **settings).fit(X, y)
    theirs.seen = X, y
    return ThunderSVC(tol=1e-4, **settings).fit(X, y), theirs


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("kernel", KERNELS)
def test_scores_predictions_and_support_vectors_are_those_of_libsvm(kernel, n_classes):
    X, y, unseen = blobs(n_classes)
    ours, theirs = both(X, y, gamma=0.1, **KERNELS[kernel])
    same_scores(ours, theirs, unseen)
    assert ours.decision_function(unseen).shape == theirs.decision_function(unseen).shape
    assert abs(len(ours.support_) - len(theirs.support_)) <= 2
    assert ours.classes_.tolist() == list(range(n_classes))
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=2e-3)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_fitted_attributes_are_laid_out_as_in_scikit_learn(n_classes):
    X, y, _ = blobs(n_classes)
    ours, theirs = both(X, y, gamma=0.1)
    assert ours.support_.tolist() == theirs.support_.tolist()
    assert ours.n_support_.tolist() == theirs.n_support_.tolist()
    assert ours.dual_coef_.shape == theirs.dual_coef_.shape
    np.testing.assert_allclose(ours.dual_coef_, theirs.dual_coef_, atol=0.01)
    assert ours.n_features_in_ == 4


@pytest.mark.parametrize("C", [0.01, 0.1])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_bias_is_right_where_every_support_vector_is_at_its_bound(n_classes, C):
    X, y, unseen = blobs(n_classes)
    as_many = np.concatenate([np.flatnonzero(y == c)[:10] for c in range(n_classes)])
    ours, theirs = both(X[as_many], y[as_many], C=C, kernel="poly", gamma=0.1)
    assert (np.isclose(np.abs(ours.dual_coef_), C) | (ours.dual_coef_ == 0)).all()
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-4)
    np.testing.assert_allclose(ours.decision_function(unseen), theirs.decision_function(unseen), atol=1e-4)


@pytest.mark.parametrize("weight", ["balanced", {"b": 5.0, "a": 0.5}])
def test_class_weights_are_those_of_scikit_learn_for_names_too(weight):
    X, y, unseen = blobs(3, names=["b", "c", "a"])
    few = np.flatnonzero((y != "c") | (np.arange(len(y)) % 3 == 0))
    ours, theirs = both(X[few], y[few], class_weight=weight, gamma=0.1)
    same_scores(ours, theirs, unseen)
    plain = ThunderSVC(gamma=0.1).fit(X[few], y[few])
    assert np.abs(plain.decision_function(unseen) - ours.decision_function(unseen)).max() > 0.1


@pytest.mark.parametrize("gamma", ["scale", "auto"])
def test_gamma_by_name_is_that_of_scikit_learn(gamma):
    X, y, unseen = blobs(3)
    ours, theirs = both(X * [1, 3, 0.2, 5], y, gamma=gamma)
    same_scores(ours, theirs, unseen * [1, 3, 0.2, 5])


@pytest.mark.parametrize("names", [["b", "c", "a"], [-7, 4, 30], [1.0, 5.0, 3.0], [True, False]])
def test_predictions_are_in_the_type_of_the_labels(names):
    names = np.array(names)
    numbers = np.argsort(names).argsort()
    X, y, unseen = blobs(len(names))
    ours = ThunderSVC().fit(X, names[y])
    assert ours.predict(unseen).dtype == names.dtype
    by_number = SVC().fit(X, numbers[y])
    assert ours.predict(unseen).tolist() == np.sort(names)[by_number.predict(unseen)].tolist()


def test_two_classes_score_positive_for_the_second():
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    ours = ThunderSVC(kernel="linear").fit(X, ["right", "right", "left", "left"])
    assert ours.classes_.tolist() == ["left", "right"]
    # by hand: the margin is between -1 and 1, so the decision is -x
    np.testing.assert_allclose(ours.decision_function([[-3.0], [0.5]]), [3, -0.5], atol=1e-3)


def test_one_versus_rest_fits_several_labels():
    X, y, unseen = blobs(3)
    labels = np.stack([y == 0, y != 1], 1).astype(int)
    ours, theirs = (OneVsRestClassifier(m).fit(X, labels) for m in (ThunderSVC(tol=1e-4), SVC(tol=1e-4)))
    np.testing.assert_allclose(ours.decision_function(unseen), theirs.decision_function(unseen), atol=2e-3)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"kernel": "gauss"}, "kernel"),
        ({"kernel": "sigmoid"}, r"kernel is 'sigmoid'; thundersvm: .*linear"),
        ({"kernel": "precomputed"}, "kernel is 'precomputed'"),
        ({"kernel": "poly", "coef0": -1.0}, "coef0 is -1.0; thundersvm may never end"),
        ({"C": 0.0}, "'C'"),
        ({"C": np.nan}, "'C'"),
        ({"gamma": "scales"}, "'gamma'"),
        ({"tol": -1.0}, "'tol'"),
        ({"class_weight": "even"}, "'class_weight'"),
    ],
)
def test_a_setting_that_would_end_or_hang_the_process_is_refused(settings, match):
    X, y, _ = blobs(2)
    with pytest.raises(ValueError, match=match):
        ThunderSVC(**settings).fit(X, y)


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e39])
def test_values_that_no_float32_can_hold_are_refused_in_fit_and_after_it(bad):
    X, y, unseen = blobs(2)
    ours = ThunderSVC().fit(X, y)
    X[3, 1] = unseen[3, 1] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        ThunderSVC().fit(X, y)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        ours.decision_function(unseen)


def test_another_number_of_features_is_refused_rather_than_read_past_its_end():
    X, y, unseen = blobs(2)
    with pytest.raises(ValueError, match="X has 3 features"):
        ThunderSVC().fit(X, y).predict(unseen[:, :3])


def test_one_class_alone_is_refused():
    with pytest.raises(ValueError, match="got 1 class"):
        ThunderSVC().fit([[0.0], [1.0]], [1, 1])


@pytest.mark.parametrize("values", [None, np.nan])
def test_a_failed_fit_is_an_error(monkeypatch, values):
    import thundersvm

    def fail(self, X, y):
        if values is None:
            return None
        fit(self, X, y)
        self.dual_coef_ = self.dual_coef_ * values
        return self

    fit = thundersvm.SVC.fit
    monkeypatch.setattr(thundersvm.SVC, "fit", fail)
    X, y, _ = blobs(2)
    with pytest.raises(TrainingError, match=r"thundersvm failed on 60 samples|values that are not numbers"):
        ThunderSVC().fit(X, y)


def test_nothing_is_printed_and_no_file_is_left(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X, y, unseen = blobs(3)
    ThunderSVC(class_weight="balanced").fit(X, y).predict(unseen)
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_a_copy_scores_the_same_and_a_pickle_is_refused_rather_than_made_of_an_address():
    X, y, unseen = blobs(3)
    ours = ThunderSVC().fit(X, y)
    expected = ours.decision_function(unseen)
    twin = copy.deepcopy(ours)
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(ours)
    del ours
    np.testing.assert_array_equal(twin.decision_function(unseen), expected)


def test_a_clone_has_the_settings_and_is_not_fitted():
    X, y, unseen = blobs(2)
    twin = clone(ThunderSVC(C=3.0, kernel="linear").fit(X, y))
    assert (twin.C, twin.kernel, hasattr(twin, "classes_")) == (3.0, "linear", False)
    assert twin.fit(X, y).predict(unseen).shape == (60,)


def without_module(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "thundersvm"]:
        monkeypatch.delitem(sys.modules, name)


def test_without_thundersvm_load_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "thundersvm", None)
    with pytest.raises(BackendError, match=r"not installed; .*pip install thundersvm-cpu"):
        load()


@pytest.mark.parametrize("error", ["OSError('libcusparse.so.9.0: cannot open')", "FileNotFoundError('Please build')"])
def test_a_library_that_cannot_be_loaded_is_told_in_one_line(monkeypatch, tmp_path, error):
    without_module(monkeypatch)
    (tmp_path / "thundersvm.py").write_text(f"raise {error}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendError, match=r"cannot be loaded \((libcusparse|Please).*thundersvm-cpu") as caught:
        load()
    assert "\n" not in str(caught.value)
