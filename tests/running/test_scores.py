"""What a method returns as scores: finite real numbers (n, classes), or a run that failed for a reason it names."""

import numpy as np
import pytest
import torch

from cellbench.core.errors import CellbenchError
from cellbench.methods import method, methods
from cellbench.running.planning.plan import make_plan
from cellbench.running.scores import checked_scores
from cellbench.running.single_run import execute

WANTED = "a method returns an array of real numbers (2, 3): a row for each image, a column for each class"


@pytest.mark.parametrize(
    "scores",
    [
        [[0, 1, 2], [3, 4, 5]],
        np.arange(6).reshape(2, 3),
        np.arange(6, dtype=np.float64).reshape(2, 3),
        np.arange(6, dtype=">f4").reshape(2, 3),
        torch.arange(6).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
    ],
    ids=["list", "whole", "double", "big-endian", "torch", "fortran"],
)
def test_real_numbers_of_any_kind_become_float32(scores):
    checked = checked_scores(scores, "test", 2, 3)
    assert checked.dtype == np.float32
    assert checked.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("scores", "came"),
    [
        (np.zeros((2, 2)), "the val scores have shape (2, 2); "),
        (np.zeros((3, 2)), "the val scores have shape (3, 2); "),
        (np.zeros(2), "the val scores have shape (2,); "),
        (np.zeros((2, 3, 1)), "the val scores have shape (2, 3, 1); "),
        (0.5, "the val scores have shape (); "),
        (None, "the val scores are None; "),
        ({"a": 1}, "the val scores are of type dict; "),
        (lambda: 0, "the val scores are of type function; "),
        (np.zeros((2, 3), complex), "the val scores are an array of complex128; "),
        ([["0", "1", "2"], ["0", "1", "2"]], "the val scores are an array of str32; "),
        (np.full((2, 3), object()), "the val scores are an array of object; "),
        ([[0, 1], [0, 1, 2]], "the val scores are of type list, and no array; "),
        (torch.zeros(2, 3, requires_grad=True), "the val scores are of type Tensor, and no array; "),
    ],
)
def test_anything_else_is_refused_with_what_came_and_what_was_wanted(scores, came):
    with pytest.raises(CellbenchError) as refused:
        checked_scores(scores, "val", 2, 3)
    assert str(refused.value) == came + WANTED


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_numbers_must_be_finite_as_float32(value):
    with pytest.raises(CellbenchError, match=r"^1 of 6 test scores are not finite numbers; lower the learning rate$"):
        checked_scores([[0, 1, value], [3, 4, 5]], "test", 2, 3)


@pytest.fixture
def run(toy_folder):
    """Runs a method, a function of train and images, on the toy data; returns its record and predictions."""

    def go(score, fit=lambda train: None):
        methods._entries.pop("tried", None)

        @method("tried", "", family="classic")
        def tried(train, val, log):
            fit(train)
            return lambda images: score(train, images)

        return execute(*make_plan(["tried"], [toy_folder]))

    yield go
    methods._entries.pop("tried", None)


def brightest(train, images):
    return images.reshape(len(images), -1)[:, :3]


def test_a_method_gets_images_and_labels_that_it_cannot_change(run):
    def change(name):
        def fit(train):
            getattr(train, name)[:] = 0

        return fit

    for name in ("images", "labels"):
        with pytest.raises(ValueError, match="read-only"):
            run(brightest, change(name))
    with pytest.raises(ValueError, match="read-only"):
        run(lambda train, images: np.multiply(images, 0, out=images))


def test_labels_that_a_method_changes_all_the_same_are_not_those_that_it_is_scored_by(run):
    def fit(train):
        train.labels.base[:] = 0

    honest, predictions = run(brightest)
    cheat, _ = run(brightest, fit)
    assert cheat.metrics == honest.metrics
    assert np.bincount(predictions["test_labels"]).tolist() == honest.facts["counts"]["test"]


def test_a_method_that_returns_one_array_for_all_parts_is_scored_by_what_it_held_each_time(run):
    kept = np.empty((100, 3))

    def reused(train, images):
        kept[: len(images)] = brightest(train, images)
        return kept[: len(images)]

    assert run(reused)[0].metrics == run(brightest)[0].metrics


def test_complex_scores_are_no_scores_rather_than_their_real_part(run):
    with pytest.raises(CellbenchError, match="are an array of complex128"):
        run(lambda train, images: brightest(train, images) * 1j)


def test_a_history_of_numpys_numbers_is_kept_as_plain_ones(toy_folder):
    @method("epochs", "", family="classic")
    def epochs(train, val, log):
        log.epoch(epoch=np.int64(1), epochs=2, val_accuracy=np.float32(0.5), loss=np.float64("nan"))
        log.chose(k=np.int64(5), shares=[np.float32(0.25)])
        return lambda images: brightest(train, images)

    try:
        record, _ = execute(*make_plan(["epochs"], [toy_folder]))
    finally:
        methods._entries.pop("epochs")
    read = type(record).from_json(record.to_json())
    assert read.history == ({"epoch": 1, "epochs": 2, "val_accuracy": 0.5},)
    assert read.chosen == {"k": 5, "shares": [0.25]}
