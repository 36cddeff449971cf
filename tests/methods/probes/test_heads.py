"""Small classifiers on embeddings, against scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from cellbench.core.data import Samples
from cellbench.core.errors import UsageError
from cellbench.core.records.runs import RunLog
from cellbench.core.scoring.metrics import macro_f1
from cellbench.methods.probes.heads import (
    Linear,
    LinearSettings,
    NeighbourSettings,
    StandardisedHead,
    linear_path,
    neighbour_path,
)


def embeddings(n: int, classes: int = 3, seed: int = 0, multilabel: bool = False) -> Samples:
    """Overlapping clusters of 12 features."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    centres = np.random.default_rng(7).normal(0, 1, (classes, 12))
    rows = (centres[labels] + rng.normal(0, 1.5, (n, 12))).astype(np.float32)
    truth = np.eye(classes, dtype=bool)[labels] | np.roll(np.eye(classes, dtype=bool)[labels], 1, 1) * (rows[:, :1] > 0)
    return Samples(rows, truth if multilabel else labels.astype(np.int64), tuple(map(str, range(classes))))


def fitted(path, settings, train: Samples, val: Samples) -> StandardisedHead:
    head = StandardisedHead(path, settings, "test")
    head.fit(train, val, RunLog())
    return head


@pytest.fixture(params=[3, 2], ids=["three classes", "two classes"])
def parts(request):
    train, val = embeddings(90, request.param), embeddings(40, request.param, seed=1)
    scale = StandardScaler().fit(train.images)
    return train, val, scale.transform(train.images), scale.transform(val.images)


def test_neighbours_are_scikit_learns_weighted_by_similarity(parts):
    train, val, seen, unseen = parts
    peer = KNeighborsClassifier(7, metric="cosine", algorithm="brute", weights=lambda d: np.exp((1 - d) / 0.07))
    expected = peer.fit(seen, train.labels).predict_proba(unseen) - 0.5
    scores = fitted(neighbour_path, NeighbourSettings(k=7), train, val).predict(val.images)
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_logistic_regression_is_scikit_learns(parts):
    train, val, seen, unseen = parts
    peer = LogisticRegression(C=0.1, max_iter=1000, tol=1e-6).fit(seen, train.labels)
    scores = fitted(linear_path, LinearSettings(C=0.1), train, val).predict(val.images)
    exponentials = np.exp(scores)
    probabilities = exponentials / exponentials.sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities, peer.predict_proba(unseen), atol=1e-3)


def test_several_labels_an_image_get_a_regression_each_and_a_share_of_votes_each():
    train, val = embeddings(90, multilabel=True), embeddings(40, seed=1, multilabel=True)
    scale = StandardScaler().fit(train.images)
    seen, unseen = scale.transform(train.images), scale.transform(val.images)
    peer = OneVsRestClassifier(LogisticRegression(C=0.1, max_iter=1000, tol=1e-6)).fit(seen, train.labels)
    linear = fitted(linear_path, LinearSettings(C=0.1), train, val).predict(val.images)
    np.testing.assert_allclose(linear, peer.decision_function(unseen), atol=2e-2)
    votes = fitted(neighbour_path, NeighbourSettings(k=1), train, val).predict(val.images)
    nearest = KNeighborsClassifier(1, metric="cosine", algorithm="brute").fit(seen, train.labels).predict(unseen)
    np.testing.assert_allclose(votes, nearest - 0.5, atol=1e-6)


def test_labels_that_no_training_image_has_or_all_have_get_constant_scores():
    train = Samples(embeddings(30).images, np.tile([True, False, True], (30, 1)), ("a", "b", "c"))
    train.labels[::2, 2] = False
    scores = fitted(linear_path, LinearSettings(C=1), train, train).predict(train.images)
    assert (scores[:, 0] > 20).all()
    assert (scores[:, 1] < -20).all()
    one_class = Samples(train.images, np.ones(30, np.int64), train.classes)
    assert (fitted(linear_path, LinearSettings(C=1), one_class, one_class).predict(train.images).argmax(1) == 1).all()


def test_the_value_that_does_best_on_val_is_chosen_and_each_leaves_a_row():
    train, val, log = embeddings(90), embeddings(40, seed=1), RunLog()
    head = StandardisedHead(neighbour_path, NeighbourSettings(k=(1, 5, 80, 900)), "test")
    head.fit(train, val, log)
    assert [row["k"] for row in log.history] == [1, 5, 80]  # there are 90 images
    alone = {k: fitted(neighbour_path, NeighbourSettings(k=k), train, val).predict(val.images) for k in (1, 5, 80)}
    figures = {k: macro_f1(val.labels, scores.argmax(1)) for k, scores in alone.items()}
    assert [row["val_macro_f1"] for row in log.history] == list(figures.values())
    assert head.chosen == {"k": max(figures, key=figures.get)}


def test_a_class_unseen_in_training_is_never_named():
    train, val = embeddings(60), embeddings(30, seed=1)
    kept = train.labels != 1
    without = Samples(train.images[kept], train.labels[kept], train.classes)
    for path, settings in ((linear_path, LinearSettings()), (neighbour_path, NeighbourSettings())):
        assert not (fitted(path, settings, without, val).predict(val.images).argmax(1) == 1).any()


@pytest.mark.parametrize(
    ("settings", "value", "message"),
    [
        (LinearSettings, {"C": 0}, "C is 0; give a positive number"),
        (LinearSettings, {"C": ()}, r"C is \(\); give a positive number"),
        (NeighbourSettings, {"k": 0}, "k is 0; give a whole number"),
        (NeighbourSettings, {"k": (1, 2.5)}, r"k is \(1, 2.5\); give a whole number"),
    ],
)
def test_bad_settings_are_refused(settings, value, message):
    with pytest.raises(UsageError, match=message):
        settings(**value)


def test_logits_are_a_product_and_a_sum():
    linear = Linear(torch.tensor([[1.0, 2.0], [0.0, -1.0]]), torch.tensor([0.5, 0.0]))
    assert linear(torch.tensor([[3.0, 4.0]])).tolist() == [[11.5, -4.0]]
