"""Metrics against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn import metrics as reference

from cellbench.core.errors import DataError
from cellbench.core.scoring import metrics
from cellbench.core.scoring.metrics import (
    accuracy,
    balanced_accuracy,
    decide,
    evaluate,
    exact_match,
    macro_f1,
    mean_average_precision,
    micro_f1,
    per_class,
    sample_averaged_f1,
    validation_figure,
)
from cellbench.core.scoring.sums import sums_of


@pytest.fixture
def labels():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 5, 200)
    return truth, np.where(rng.random(200) < 0.6, truth, rng.integers(0, 5, 200))


def test_figures_are_scikit_learns(labels):
    truth, predicted = labels
    assert accuracy(truth, predicted) == pytest.approx(reference.accuracy_score(truth, predicted), abs=1e-12)
    assert balanced_accuracy(truth, predicted) == pytest.approx(reference.balanced_accuracy_score(truth, predicted))
    assert macro_f1(truth, predicted) == pytest.approx(reference.f1_score(truth, predicted, average="macro"))


def test_macro_f1_is_over_the_classes_that_images_have(labels):
    truth, predicted = labels
    kept, others = truth != 2, [0, 1, 3, 4]
    truth, predicted = truth[kept], predicted[kept]
    assert (predicted == 2).any()
    assert macro_f1(truth, predicted) == pytest.approx(
        reference.f1_score(truth, predicted, labels=others, average="macro")
    )
    assert macro_f1(truth, predicted) == pytest.approx(
        reference.f1_score(truth, predicted, average="macro") * 5 / 4
    )  # where the class that no image has counts as a 0


def check_per_class(figures, truth, predicted, absent, never_predicted):
    """Against scikit-learn, class by class."""
    expected = reference.precision_recall_fscore_support(
        truth, predicted, labels=range(len(figures["n"])), zero_division=0
    )
    for name, values in zip(("precision", "recall", "f1", "n"), expected, strict=True):
        for k, value in enumerate(values):
            unknown = name != "n" and (k in absent or (name == "precision" and k in never_predicted))
            assert figures[name][k] is None if unknown else figures[name][k] == pytest.approx(value), (name, k)


def test_figures_by_class_are_scikit_learns_and_missing_where_a_class_has_no_image(labels):
    truth, predicted = labels
    truth, predicted = np.where(truth == 2, 0, truth), np.where(predicted == 1, 2, predicted)
    scores = np.eye(6, dtype=np.float32)[predicted]  # class 5 is neither there nor predicted
    figures = per_class(truth, scores)
    check_per_class(figures, truth, predicted, absent={2, 5}, never_predicted={1})
    assert (figures["n"][2], figures["f1"][1]) == (0, 0)
    assert np.mean([x for x in figures["f1"] if x is not None]) == pytest.approx(macro_f1(truth, predicted))


def test_figures_by_class_of_several_labels_are_scikit_learns(truth_and_scores):
    truth, scores = truth_and_scores
    truth[:, 4] = False
    thresholds = np.array([0.2, -0.1, 0.0, 0.3, -0.5, 0.1], np.float32)
    figures = per_class(truth, scores, thresholds)
    check_per_class(figures, truth, decide(scores, True, thresholds), absent={4}, never_predicted=set())
    present = [x for x in figures["f1"] if x is not None]
    assert len(present) == 5
    assert np.mean(present) == pytest.approx(evaluate(truth, scores, thresholds)["macro_f1"])


def test_figures_by_hand():
    truth, predicted = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    assert accuracy(truth, predicted) == 0.75
    assert balanced_accuracy(truth, predicted) == pytest.approx((2 / 3 + 1) / 2)
    assert macro_f1(truth, predicted) == pytest.approx((0.8 + 2 / 3) / 2)


def test_a_label_is_the_class_with_the_largest_score():
    assert decide(np.array([[0.1, 2.0, 1.0], [3.0, 0.0, -1.0]], np.float32)).tolist() == [1, 0]


def test_several_labels_are_the_classes_above_their_thresholds():
    scores = np.array([[0.4, 0.6], [0.9, 0.1]], np.float32)
    assert decide(scores, True, np.array([0.5, 0.05])).tolist() == [[False, True], [True, True]]


@pytest.fixture
def truth_and_scores():
    rng = np.random.default_rng(4)
    truth = rng.random((150, 6)) < 0.3
    scores = (truth + rng.normal(0, 0.8, truth.shape) - 0.5).astype(np.float32)
    return truth, scores


def test_multi_label_figures_are_scikit_learns(truth_and_scores):
    truth, scores = truth_and_scores
    predicted = decide(scores, True)
    assert micro_f1(truth, predicted) == pytest.approx(reference.f1_score(truth, predicted, average="micro"))
    assert macro_f1(truth, predicted) == pytest.approx(reference.f1_score(truth, predicted, average="macro"))
    assert exact_match(truth, predicted) == pytest.approx(reference.accuracy_score(truth, predicted))
    expected = np.mean([reference.average_precision_score(t, s) for t, s in zip(truth.T, scores.T, strict=True)])
    assert mean_average_precision(truth, scores) == pytest.approx(expected)


def test_the_sample_averaged_f1_by_hand():
    truth = np.array([[1, 1, 0], [0, 0, 1]], bool)
    predicted = np.array([[1, 0, 0], [0, 1, 1]], bool)
    precision, recall = (1 + 1 / 2) / 2, (1 / 2 + 1) / 2
    assert sample_averaged_f1(truth, predicted) == pytest.approx(2 * precision * recall / (precision + recall))
    assert sample_averaged_f1(truth, ~truth & False) == 0


def test_a_class_without_positives_is_left_out_of_the_means():
    truth = np.array([[1, 0, 0], [0, 1, 0]], bool)
    scores = np.array([[1, -1, 2], [1, 1, -1]], np.float32)
    figures = evaluate(truth, scores)
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert figures["mean_average_precision"] == pytest.approx(np.mean([0.5, 1]))


def test_what_cannot_be_computed_without_a_positive_is_absent(truth_and_scores):
    _, scores = truth_and_scores
    nobody = np.zeros(scores.shape, bool)
    assert set(evaluate(nobody, scores)) == {"n", "micro_f1", "exact_match", "sample_averaged_f1"}
    with pytest.raises(DataError, match="no validation image has a label"):
        validation_figure(nobody, scores)


def test_only_figures_that_suit_the_labels_are_computed(truth_and_scores):
    assert set(evaluate(np.array([0, 1]), np.eye(2, dtype=np.float32))) == {
        "n",
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
    }
    assert set(evaluate(*truth_and_scores)) == {
        "n",
        "macro_f1",
        "micro_f1",
        "exact_match",
        "sample_averaged_f1",
        "mean_average_precision",
    }


def test_a_metric_has_one_definition_for_one_sum_and_for_many(labels):
    truth, predicted = labels
    half = np.arange(len(truth)) % 2
    of_halves = metrics.NAMED["macro_f1"].of_sums(sums_of(truth, predicted, half, 2))
    assert of_halves.tolist() == [macro_f1(truth[half == k], predicted[half == k]) for k in (0, 1)]
    assert [metric.title for metric in metrics.METRICS][:3] == ["accuracy", "balanced accuracy", "macro-F1"]
