"""Whether a net was trained enough: by its number of steps, and by hand-made courses of its figures on val."""

import math

import pytest

from cellbench.core.undertraining import undertrained


def course(accuracy, loss=lambda share: 1 - share, epochs=40):
    """A history with these functions of the share of training that is over."""
    shares = [epoch / epochs for epoch in range(1, epochs + 1)]
    return [{"val_loss": 1.0, "val_accuracy": accuracy(share), "train_loss": loss(share)} for share in shares]


def steep(share):
    return share


def saturating(share):
    return 0.9 * (1 - math.exp(-8 * share))


def test_fewer_steps_than_the_default_are_too_few():
    assert undertrained(course(saturating), 12, 1_500, 400) == "12 steps, where the default is 1,500"
    assert undertrained(course(saturating), 1_500, 1_500, 400) == ""


def test_a_figure_that_still_rises_is_told_with_its_rise():
    # 40 epochs: the last four, 0.925 to 1, against 0.825 to 0.9; each epoch adds 2.5 points
    reason = "val accuracy was still rising at the end (+10.0 points in the last tenth)"
    assert undertrained(course(steep), 100, 0, 400) == reason


def test_so_is_the_mean_average_precision_of_several_labels():
    history = [{**row, "val_mean_average_precision": row["val_accuracy"], "val_accuracy": 0.1} for row in course(steep)]
    assert undertrained(history, 100, 0, 400).startswith("val mean average precision was still rising")


@pytest.mark.parametrize(
    "history",
    [
        course(saturating),
        course(lambda share: 0.15 * share),  # 1.5 points a tenth are no notable rise
        course(steep, loss=lambda share: share),  # the loss rises: not for lack of training
        course(lambda share: 0.5 + 0.3 * (round(40 * share) % 2) + 0.3 * share),  # the rise is lost in the noise
        course(steep, epochs=3),  # too few epochs to hold against each other
        [],
        [{"C": 1.0, "val_macro_f1": 0.5}],  # an SVM's
    ],
)
def test_nothing_is_said_where_nothing_speaks_for_it(history):
    assert undertrained(history, 100, 0, 400) == ""


def test_a_rise_by_a_few_images_is_noise():
    # it rises by 10 points, which is 4.2 images or 3.8: the sign test has 2.05 or 1.95 standard errors
    assert undertrained(course(steep), 100, 0, 42) != ""
    assert undertrained(course(steep), 100, 0, 38) == ""


def test_epochs_without_figures_of_val_are_passed_over():
    rows = course(steep, epochs=8)
    spaced = [row for scored in rows for row in ({"train_loss": 0.5}, scored)]
    assert undertrained(spaced, 100, 0, 400) == undertrained(rows, 100, 0, 400) != ""
