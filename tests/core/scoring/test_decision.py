"""Thresholds against scikit-learn, brute force and by hand."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import f1_score

from cellbench.core.errors import DataError, UsageError
from cellbench.core.scoring.decision import GRID, Decision
from cellbench.core.scoring.metrics import evaluate


@pytest.fixture
def truth_and_scores():
    """150 images; the first two classes are on about half of them, four others on a tenth."""
    rng = np.random.default_rng(4)
    truth = rng.random((150, 6)) < [0.5, 0.45, 0.1, 0.1, 0.1, 0.1]
    scores = (truth * [1, 2, 3, 3, 3, 3] + rng.normal(0, 1, truth.shape) - [0, 0, 3, 2, 3, 2]).astype(np.float32)
    return truth, scores


def f1_at(truth, scores, *probabilities):
    """scikit-learn's macro-F1 of what is more probable than one probability, or one a class."""
    return f1_score(truth, expit(scores.astype(float)) > np.array(probabilities), average="macro", zero_division=0)


def test_the_grid_is_that_of_study_004_and_beyond():
    assert GRID[:9] == (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)
    assert (GRID[-1], len(GRID)) == (0.95, 19)


def test_thresholds_a_class_are_those_of_the_largest_f1(truth_and_scores):
    truth, scores = truth_and_scores
    thresholds, sweeps = Decision().fit(truth, scores)
    for k in range(truth.shape[1]):
        best = max(f1_score(truth[:, k], scores[:, k] >= at) for at in scores[:, k])
        assert f1_score(truth[:, k], scores[:, k] > thresholds[k]) == pytest.approx(best)
    assert evaluate(truth, scores, thresholds)["macro_f1"] > evaluate(truth, scores)["macro_f1"]
    assert sweeps == {}


def test_a_class_without_positives_keeps_threshold_0():
    truth = np.array([[True, False], [False, False]])
    thresholds, _ = Decision().fit(truth, np.array([[3, 1], [2, 1]], np.float32))
    assert thresholds[1] == 0


def test_a_global_threshold_is_the_best_of_the_grid_for_all_classes(truth_and_scores):
    truth, scores = truth_and_scores
    thresholds, sweeps = Decision(thresholds="global").fit(truth, scores)
    expected = [f1_at(truth, scores, p) for p in GRID]
    assert sweeps["threshold_sweep"]["threshold"] == list(GRID)
    assert sweeps["threshold_sweep"]["val_macro_f1"] == pytest.approx(expected)
    assert sweeps["threshold_sweep"]["best"] == GRID[int(np.argmax(expected))]
    assert thresholds == pytest.approx([logit(sweeps["threshold_sweep"]["best"])] * 6)
    assert evaluate(truth, scores, thresholds)["macro_f1"] == pytest.approx(max(expected))
    assert min(expected) < max(expected)


def test_probabilities_a_class_are_taken_as_they_are(truth_and_scores):
    truth, scores = truth_and_scores
    given = (0.4, 0.15, 0.2, 0.25, 0.3, 0.35)
    thresholds, sweeps = Decision(thresholds=given).fit(truth, scores)
    assert thresholds == pytest.approx(logit(given), rel=1e-6)
    assert evaluate(truth, scores, thresholds)["macro_f1"] == pytest.approx(f1_at(truth, scores, *given))
    assert sweeps == {}


def test_a_probability_for_each_class_is_asked_for(truth_and_scores):
    with pytest.raises(UsageError, match="thresholds has 2 probabilities and the images have 6 classes; give one for"):
        Decision(thresholds=(0.1, 0.2)).fit(*truth_and_scores)
    with pytest.raises(UsageError, match="thresholds is"):
        Decision(thresholds=(0.1, 1.5))


def test_a_global_threshold_by_hand():
    """Two images, two classes, of probabilities 0.32, 0.62 | 0.52, 0.12: from 0.15 to 0.3 every label is right."""
    truth = np.array([[True, True], [True, False]])
    scores = logit(np.array([[0.32, 0.62], [0.52, 0.12]])).astype(np.float32)
    thresholds, sweeps = Decision(thresholds="global").fit(truth, scores)
    assert thresholds == pytest.approx([logit(0.15)] * 2)
    figures = dict(zip(sweeps["threshold_sweep"]["threshold"], sweeps["threshold_sweep"]["val_macro_f1"], strict=True))
    assert {p: figures[p] for p in (0.1, 0.15, 0.3, 0.35, 0.6, 0.65)} == pytest.approx(
        {0.1: (1 + 2 / 3) / 2, 0.15: 1, 0.3: 1, 0.35: (2 / 3 + 1) / 2, 0.6: 1 / 2, 0.65: 0}
    )


def test_the_majority_classes_get_a_threshold_of_their_own_given_the_others(truth_and_scores):
    truth, scores = truth_and_scores
    thresholds, sweeps = Decision(thresholds="majority-apart").fit(truth, scores)
    first, second = sweeps["threshold_sweep"], sweeps["majority_sweep"]
    assert first == Decision(thresholds="global").fit(truth, scores)[1]["threshold_sweep"]
    assert second["classes"] == [0, 1]
    expected = [f1_at(truth, scores, p, p, *[first["best"]] * 4) for p in GRID]
    assert second["val_macro_f1"] == pytest.approx(expected)
    assert second["best"] == GRID[int(np.argmax(expected))] != first["best"]
    assert thresholds == pytest.approx(logit([second["best"]] * 2 + [first["best"]] * 4))
    assert max(expected) > max(first["val_macro_f1"])


def test_no_class_stands_apart_where_none_is_on_a_fifth_of_the_images(truth_and_scores):
    truth, scores = truth_and_scores
    thresholds, sweeps = Decision(thresholds="majority-apart").fit(truth[:, 2:], scores[:, 2:])
    assert sweeps["majority_sweep"] == {"classes": []}
    assert thresholds.tolist() == Decision(thresholds="global").fit(truth[:, 2:], scores[:, 2:])[0].tolist()


def test_the_majority_classes_of_the_atlas_are_those_that_study_004_took():
    from cellbench.simulation.human.atlas import COUNTS, LABELS_AN_IMAGE

    every_tenth = np.arange(0, sum(LABELS_AN_IMAGE), 10)
    truth = every_tenth[:, None] < np.array(COUNTS)
    _, sweeps = Decision(thresholds="majority-apart").fit(truth, np.where(truth, 1, -1).astype(np.float32))
    assert sweeps["majority_sweep"]["classes"] == [0, 25]


def test_a_given_probability_is_the_threshold_of_all_classes_and_looks_at_no_image(truth_and_scores):
    truth, scores = truth_and_scores
    thresholds, sweeps = Decision(thresholds=0.15).fit(~truth, scores)
    assert (thresholds == pytest.approx([np.log(0.15 / 0.85)] * 6), sweeps) == (True, {})


def test_an_svms_decision_values_are_read_as_logits():
    """-1 and 1 are probabilities of 0.27 and 0.73: of the grid, 0.3 is the least that tells them apart."""
    truth = np.array([[True], [False], [True]])
    thresholds, _ = Decision(thresholds="global").fit(truth, np.array([[1], [-1], [1]], np.float32))
    assert thresholds == pytest.approx([logit(0.3)])


@pytest.mark.parametrize("rule", ["per-class", "global", "majority-apart"])
def test_fitted_thresholds_are_no_worse_than_a_half_on_the_images_they_are_fitted_on(truth_and_scores, rule):
    truth, scores = truth_and_scores
    assert evaluate(truth, scores, Decision(thresholds=rule).fit(truth, scores)[0])["macro_f1"] >= f1_at(
        truth, scores, 0.5
    )


def test_thresholds_cannot_be_chosen_on_images_without_labels():
    nobody = np.zeros((4, 2), bool)
    with pytest.raises(DataError, match="no validation image has a label, so none can tell which threshold is best"):
        Decision(thresholds="global").fit(nobody, np.ones((4, 2), np.float32))


@pytest.mark.parametrize("value", ["median", 0, 1, 1.5, -0.1, True, None, (0.1, 2), ()])
def test_a_bad_rule_is_refused_in_one_line(value):
    with pytest.raises(
        UsageError, match=r"^thresholds is .*; give one of per-class, global, majority-apart, or a prob"
    ):
        Decision(thresholds=value)


def test_only_what_differs_from_the_default_is_part_of_a_spec():
    assert [Decision(thresholds=value).changes for value in ("per-class", "global", 0.5)] == [
        {},
        {"thresholds": "global"},
        {"thresholds": 0.5},
    ]
