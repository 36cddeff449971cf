"""Floors and trees against scikit-learn by hand."""

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cellbench.core.data import Samples
from cellbench.core.records.runs import RunLog
from cellbench.core.settings import replace
from cellbench.datasets.toy import rings
from cellbench.features import compute, intensity
from cellbench.methods import methods
from cellbench.methods.estimators import log_probabilities


def fitted(name, data, seed=0, **settings):
    method = methods[name].factory(replace(methods[name].defaults, **settings), seed, "cpu")
    method.fit(data.part("train"), data.part("val"), RunLog())
    return method


def test_majority_scores_every_image_with_the_shares_of_the_training_classes():
    data = rings(n=100)
    train = data.part("train")
    scores = fitted("floor-majority", data).predict(data.part("test").images)
    np.testing.assert_allclose(scores, np.tile(np.bincount(train.labels) / len(train), (25, 1)), rtol=1e-6)


def test_intensity_floor_is_the_logistic_regression_of_the_best_c():
    data = rings(n=100)
    train, test = data.part("train"), data.part("test")
    method = fitted("floor-intensity", data)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=method.chosen["C"], max_iter=300))
    theirs.fit(intensity(train.images).numpy(), train.labels)
    expected = theirs.predict_log_proba(intensity(test.images).numpy())
    np.testing.assert_allclose(method.predict(test.images), expected, atol=1e-3)


def test_forest_is_scikit_learns_extra_trees_with_the_leaf_chosen_on_val():
    data, groups = rings(n=80), ("intensity",)
    train, test = data.part("train"), data.part("test")
    method = fitted("forest", data, seed=3, features=groups, trees=20)
    theirs = ExtraTreesClassifier(20, min_samples_leaf=method.chosen["min_samples_leaf"], random_state=3)
    theirs.fit(compute(train.images, groups).values.numpy(), train.labels)
    expected = theirs.predict(compute(test.images, groups).values.numpy())
    assert np.array_equal(method.predict(test.images).argmax(1), expected)


def test_a_class_without_training_images_is_never_predicted():
    data = rings(n=90)
    train = data.part("train")
    some = train.labels != 1
    method = methods["floor-intensity"].factory(methods["floor-intensity"].defaults, 0, "cpu")
    method.fit(Samples(train.images[some], train.labels[some], train.classes), data.part("val"), RunLog())
    assert set(method.predict(data.part("test").images).argmax(1)) <= {0, 2}


def test_of_several_labels_scores_are_log_odds_of_one_classifier_a_label():
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(60, 4)).astype(np.float32), rng.random((60, 3)) > 0.5
    fitted_one = OneVsRestClassifier(LogisticRegression()).fit(features, labels.astype(int))
    expected = np.stack([one.decision_function(features) for one in fitted_one.estimators_], 1)
    np.testing.assert_allclose(log_probabilities(fitted_one, features, 3), expected, atol=1e-4)
