"""Suspect labels: planted wrong labels are found, by models that have not seen the image or its group."""

import csv
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from cellbench.core.errors import BackendError, DataError
from cellbench.datasets.toy import rings
from cellbench.methods import suspect_labels as module
from cellbench.methods.suspect_labels import rank, save_csv, suspect_labels

needs_cleanlab = pytest.mark.skipif(find_spec("cleanlab") is None, reason="cleanlab is not installed")
WRONG = np.arange(7, 147, 14)  # ten images


@pytest.fixture(scope="module")
def data():
    return rings(n=150)


@pytest.fixture(scope="module")
def found(data):
    labels = data.labels.copy()
    labels[WRONG] = (labels[WRONG] + 1) % 3
    return rank(replace(data, labels=labels), np.arange(len(data)))


@pytest.fixture
def guesses(monkeypatch):
    """Calls of what trains a model and judges with it, which is left out here: each class is likely by its number."""
    calls = []

    def out_of_fold(data, learn, choose, judge):
        calls.append((learn, choose, judge))
        share = np.arange(1, len(data.classes) + 1) / np.arange(1, len(data.classes) + 1).sum()
        return np.tile(share, (len(judge), 1))

    monkeypatch.setattr(module, "_out_of_fold", out_of_fold)
    return calls


@needs_cleanlab
def test_wrong_labels_stand_first(found, data):
    assert set(found.order[:10]) == set(WRONG)
    first = found.first(10)
    assert [one.rank for one in first] == list(range(1, 11))
    assert {one.position: one.likely for one in first} == {i: data.classes[data.labels[i]] for i in WRONG.tolist()}
    assert all(one.part in ("train", "val", "test") for one in first)


@needs_cleanlab
def test_the_quality_of_a_label_is_the_probability_that_other_models_give_it(found):
    given = found.probabilities[np.arange(150), found.data.labels]
    np.testing.assert_allclose(found.quality, given)
    np.testing.assert_allclose(found.probabilities.sum(1), 1, atol=1e-6)
    assert found.order.tolist() == np.argsort(given, kind="stable").tolist()


@needs_cleanlab
def test_no_model_judges_an_image_of_a_group_that_it_learnt_or_chose_from(data, guesses):
    groups = np.arange(150) // 3 % 12
    found = rank(replace(data, groups=groups), np.arange(150))
    assert len(guesses) == 5
    assert sorted(np.concatenate([judge for *_, judge in guesses]).tolist()) == list(range(150))
    for learn, choose, judge in guesses:
        assert not set(groups[judge]) & set(groups[np.concatenate([learn, choose])])
        assert not set(learn) & set(choose)
    assert len(found) == 150


@needs_cleanlab
def test_a_class_that_no_model_could_learn_is_not_judged(data, guesses):
    """Of class 2 all images are in one group: the model that judges them has learnt nothing of it."""
    groups = np.where(data.labels == 2, 0, 1 + np.arange(150) // 3 % 12)
    found = rank(replace(data, groups=groups), np.arange(150))
    assert found.unjudged.tolist() == np.flatnonzero(data.labels == 2).tolist()
    assert set(found.order) == set(np.flatnonzero(data.labels != 2))
    assert np.isnan(found.quality[found.unjudged]).all()


@needs_cleanlab
def test_only_what_is_asked_for_is_judged(data, guesses):
    index = np.arange(0, 150, 2)
    found = rank(data, index)
    assert sorted(found.order.tolist()) == index.tolist()
    assert not len(found.unjudged)


def test_too_few_groups_are_refused(data):
    with pytest.raises(DataError, match="'toy' has 4 groups; at least 5 are needed"):
        rank(replace(data, groups=np.arange(150) % 4), np.arange(150))


@needs_cleanlab
def test_of_several_labels_an_image_wrong_ones_stand_first():
    data = rings(n=150, multilabel=True)
    labels = data.labels.copy()
    wrong = np.arange(7, 147, 20)
    labels[wrong] = ~labels[wrong]
    found = rank(replace(data, labels=labels), np.arange(150))
    assert len(set(found.order[:10]) & set(wrong)) >= 6, found.order[:10]
    one = found.first(1)[0]
    assert one.likely == "; ".join(data.classes[k] for k in np.flatnonzero(data.labels[one.position]))
    assert one.given_probability is None


@needs_cleanlab
def test_the_csv_has_every_image_in_the_order_of_the_ranking(found, tmp_path):
    save_csv(found, tmp_path / "suspects.csv")
    with (tmp_path / "suspects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["position"]) for row in rows] == found.order.tolist()
    assert [int(row["rank"]) for row in rows] == list(range(1, 151))
    assert {row["given"] for row in rows} == set(found.data.classes)
    assert float(rows[0]["quality"]) == pytest.approx(found.quality[found.order[0]], rel=1e-3)


@needs_cleanlab
def test_the_gallery_shows_the_cells_that_are_contradicted_most(found, tmp_path):
    picture = module.draw(found)
    assert isinstance(picture, Image.Image)
    assert picture.tobytes() == module.draw(found).tobytes()
    assert picture.size == (1148, 1194)  # six rows of six


def test_a_missing_cleanlab_is_said_before_anything_is_read(monkeypatch, tmp_path):
    monkeypatch.setattr("cellbench.core.extras.Extra.installed", False)
    with pytest.raises(BackendError, match=r'needs the package cleanlab, .*; pip install "cellbench\[labels\]"$'):
        suspect_labels(tmp_path / "nowhere")
