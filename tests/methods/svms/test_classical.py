"""The SVM methods against scikit-learn by hand."""

import sys

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from cellbench.core.data import Samples
from cellbench.core.errors import BackendError, DataError, UsageError
from cellbench.core.records.runs import RunLog
from cellbench.datasets.toy import rings
from cellbench.features import flatten
from cellbench.methods.svms.classical import FeatureSVM, SVMSettings
from cellbench.svm import backends


@pytest.fixture(scope="module")
def noisy():
    """The toy images, so noisy that the value of C matters."""
    data = rings(n=200)
    rng = np.random.default_rng(1)
    parts = []
    for name in ("train", "val", "test"):
        part = data.part(name)
        parts.append(
            Samples((part.images + rng.normal(0, 400, part.images.shape)).astype(np.float32), part.labels, part.classes)
        )
    return parts


@pytest.mark.parametrize("backend", ["torch", "libsvm", "onedal"])
def test_scores_are_those_of_a_scikit_learn_pipeline(noisy, backend):
    train, val, test = noisy
    ours = FeatureSVM(flatten, SVMSettings(C=5, backend=backend), "cpu")
    ours.fit(train, val, RunLog())
    theirs = make_pipeline(StandardScaler(), SVC(C=5)).fit(flatten(train.images), train.labels)
    np.testing.assert_allclose(ours.predict(test.images), theirs.decision_function(flatten(test.images)), atol=2e-3)


def test_the_best_c_on_validation_is_taken_and_the_smaller_on_a_tie(noisy):
    train, val, _ = noisy
    log = RunLog()
    method = FeatureSVM(flatten, SVMSettings(C=(0.001, 1, 1000, 10000)), "cpu")
    method.fit(train, val, log)
    figures = {row["C"]: row["val_macro_f1"] for row in log.history}
    best = max(figures.values())
    assert method.chosen["C"] == min(C for C, value in figures.items() if value == best)
    assert figures[0.001] < best
    assert set(log.seconds) == {"transfer", "features", "fit"}


def test_a_class_without_training_images_is_never_predicted(noisy):
    train, val, test = noisy
    some = np.flatnonzero(train.labels != 1)
    method = FeatureSVM(flatten, SVMSettings(C=1), "cpu")
    method.fit(Samples(train.images[some], train.labels[some], train.classes), val, RunLog())
    assert set(method.predict(test.images).argmax(1)) <= {0, 2}


def test_smote_trains_on_what_imbalanced_learn_makes_of_standardised_training_features(noisy):
    train, val, test = noisy
    rare = np.flatnonzero((train.labels != 1) | (np.cumsum(train.labels == 1) <= 4))
    some = Samples(train.images[rare], train.labels[rare], train.classes)
    log = RunLog()
    ours = FeatureSVM(flatten, SVMSettings(C=5, smote=True), "cpu")
    ours.fit(some, val, log)
    scale = StandardScaler().fit(flatten(some.images))
    more, labels = SMOTE(random_state=0, k_neighbors=3).fit_resample(scale.transform(flatten(some.images)), some.labels)
    assert len(set(np.bincount(labels))) == 1
    theirs = SVC(C=5).fit(more, labels)
    expected = theirs.decision_function(scale.transform(flatten(test.images)))
    np.testing.assert_allclose(ours.predict(test.images), expected, atol=2e-3)
    assert set(log.seconds) == {"transfer", "features", "fit"}


def test_smote_leaves_a_class_without_images_without_them(noisy):
    train, val, test = noisy
    some = np.flatnonzero(train.labels != 1)
    method = FeatureSVM(flatten, SVMSettings(C=1, smote=True), "cpu")
    method.fit(Samples(train.images[some], train.labels[some], train.classes), val, RunLog())
    assert set(method.predict(test.images).argmax(1)) <= {0, 2}


def test_smote_is_refused_where_nothing_lies_between(noisy):
    train, val, _ = noisy
    some = np.flatnonzero((train.labels != 1) | (np.cumsum(train.labels == 1) <= 1))
    single = Samples(train.images[some], train.labels[some], train.classes)
    method = FeatureSVM(flatten, SVMSettings(C=1, smote=True), "cpu")
    with pytest.raises(DataError, match=f"{train.classes[1]} has one; use smote=false"):
        method.fit(single, val, RunLog())
    several = Samples(train.images, np.eye(3, dtype=bool)[train.labels], train.classes)
    with pytest.raises(DataError, match="several labels"):
        method.fit(several, several, RunLog())


def test_smote_without_imbalanced_learn_is_refused_before_anything_is_computed(monkeypatch):
    monkeypatch.setitem(sys.modules, "imblearn.over_sampling", None)
    with pytest.raises(BackendError, match="pip install imbalanced-learn"):
        FeatureSVM(flatten, SVMSettings(smote=True), "cpu")


def test_the_record_says_why_auto_took_another_library(noisy, monkeypatch):
    train, val, _ = noisy
    monkeypatch.setattr(backends, "OURS_UP_TO", 10)
    told = {}
    for backend in ("auto", "onedal"):
        method = FeatureSVM(flatten, SVMSettings(C=(1, 2), backend=backend), "cpu")
        method.fit(train, val, RunLog())
        told[backend] = method.facts.get("backend_reason")
    n = np.sort(np.bincount(train.labels))[-2:].sum()
    assert told == {"auto": f"auto took onedal: the largest machine has {n} samples, more than 10", "onedal": None}
    assert method.backend == "onedal"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"C": 0}, "C is 0; give a positive number"),
        ({"C": (1, -1)}, "give a positive number"),
        ({"C": ()}, "give a positive number"),
        ({"C": "ten"}, "C is 'ten'"),
        ({"gamma": 0}, "gamma is 0"),
        ({"gamma": "auto"}, "give 'scale' or a positive number"),
        ({"gamma": (0.1, -1)}, "gamma is"),
        ({"kernel": "rfb"}, "kernel is 'rfb'.*rbf"),
        ({"kernel": "poly", "coef0": -1}, "at least 0"),
        ({"class_weight": "even"}, "give balanced, or none"),
        ({"backend": "libsmv"}, "libsvm"),
        ({"smote": "yes"}, "smote is 'yes'; give true or false"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        SVMSettings(**settings)
