"""svm-combined against a scikit-learn pipeline by hand, and what a record says of its features."""

import dataclasses

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from cellbench.core.errors import UsageError
from cellbench.core.records.runs import RunLog
from cellbench.core.scoring.metrics import macro_f1
from cellbench.datasets.toy import rings
from cellbench.features import compute
from cellbench.features.tensors import Standardiser
from cellbench.methods.svms.combined import CombinedSettings, CombinedSVM, suited

GROUPS = ("texture", "intensity")
WITH_HOG = ("hog", "texture", "intensity")


def fitted(data, **settings):
    method = CombinedSVM(CombinedSettings(**settings), "cpu")
    method.fit(data.part("train"), data.part("val"), RunLog())
    return method


@pytest.fixture(scope="module")
def data():
    return rings(n=160, channels=2)


@pytest.mark.parametrize("backend", ["torch", "libsvm"])
@pytest.mark.parametrize(
    ("settings", "machine"),
    [({"features": GROUPS, "kernel": "rbf", "C": 5}, SVC(C=5)), ({"features": WITH_HOG}, SVC(kernel="linear", C=10))],
    ids=["rbf", "default for few images"],
)
def test_scores_are_those_of_standardised_groups_divided_by_the_root_of_their_size(data, settings, machine, backend):
    ours = fitted(data, **settings, gamma_factors=None, backend=backend)
    seen, unseen = (compute(data.part(part).images, settings["features"]) for part in ("train", "test"))
    scalers = []
    for name, columns in seen.slices.items():
        varying = (seen.values[:, columns].std(0) > 1e-6).sum().item()
        scaler = make_pipeline(StandardScaler(), FunctionTransformer(lambda x, n=varying: x / np.sqrt(n)))
        scalers.append((name, scaler, columns))
    theirs = make_pipeline(ColumnTransformer(scalers), machine)
    theirs.fit(seen.values.numpy().astype(np.float64), data.part("train").labels)
    expected = theirs.decision_function(unseen.values.numpy().astype(np.float64))
    np.testing.assert_allclose(ours.predict(data.part("test").images), expected, atol=5e-3)


def test_gamma_is_the_one_around_scale_that_scores_val_best_and_scale_on_a_tie():
    """Of labels that are half wrong, so that the width of the kernel matters."""
    data, rng = rings(n=160), np.random.default_rng(3)
    data = dataclasses.replace(data, labels=np.where(rng.random(160) < 0.5, rng.permutation(data.labels), data.labels))
    ours = fitted(data, features=GROUPS, kernel="rbf", C=5, gamma_factors=(0.1, 0.5, 2, 10))
    train, val = data.part("train"), data.part("val")
    seen, unseen = (compute(part.images, GROUPS) for part in (train, val))
    scale = Standardiser.of_groups(seen.values, seen.slices.values())
    x, unseen_x = (scale(each.values.clone()).numpy().astype(np.float64) for each in (seen, unseen))
    usual = 1 / (x.shape[1] * x.var())
    scores = {
        factor: macro_f1(val.labels, SVC(C=5, gamma=factor * usual).fit(x, train.labels).predict(unseen_x))
        for factor in (1, 0.1, 0.5, 2, 10)
    }
    best = max(scores, key=scores.get)
    assert best != 1
    assert ours.chosen["gamma"] == pytest.approx(best * usual, rel=1e-4)
    untouched = fitted(data, features=GROUPS, kernel="rbf", C=5, gamma=0.3, gamma_factors=(0.1, 10))
    assert untouched.chosen["gamma"] == 0.3


def test_importance_is_what_val_loses_when_a_group_or_channel_is_that_of_other_images(data):
    method = fitted(data, features=GROUPS, C=5)
    found = method.facts["importance"]
    val = data.part("val")
    order = np.random.default_rng(0).permutation(len(val))
    images = val.images.copy()
    images[:, 0] = images[order, 0]  # all features of one channel: the same as those of its permuted images
    whole, mixed = (macro_f1(val.labels, method.predict(pixels).argmax(1)) for pixels in (val.images, images))
    assert found["channels"]["channel 0"] == pytest.approx(whole - mixed)
    assert set(found["groups"]) == set(GROUPS)
    assert method.facts["features"] == 2 * (40 + 37)
    assert method.facts["importance"] == found


@pytest.mark.parametrize(
    ("given", "n", "expected"),
    [
        ({}, 199, ("linear", 10, ())),
        ({}, 200, ("rbf", (1, 10, 100), ("hog",))),
        ({"C": (0.1, 1), "optional": "hog"}, 100, ("linear", (0.1, 1), ("hog",))),
        ({"kernel": "rbf"}, 100, ("rbf", (1, 10, 100), ("hog",))),
        ({"kernel": "linear"}, 100, ("linear", 10, ())),
        ({"kernel": "linear"}, 200, ("linear", (1, 10, 100), ("hog",))),
        ({"kernel": "auto", "C": "auto", "optional": "auto"}, 10**6, ("rbf", (1, 10, 100), ("hog",))),
        ({"optional": None}, 10**6, ("rbf", (1, 10, 100), ())),
        ({"features": "texture"}, 10**6, ("rbf", (1, 10, 100), ())),
    ],
)
def test_kernel_c_and_optional_groups_follow_from_the_number_of_images_unless_given(given, n, expected):
    found = suited(CombinedSettings(**given), n)
    assert (found.kernel, found.C, found.optional) == expected


def test_groups_have_one_form_and_order_whatever_way_they_were_given():
    assert CombinedSettings(features=("intensity", "hog")).features == ("hog", "intensity")
    assert CombinedSettings(features="texture").features == ("texture",)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"features": "textur"}, "did you mean 'texture'"), ({"features": ()}, "no group"), ({"C": 0}, "C is 0")],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        CombinedSettings(**settings)
