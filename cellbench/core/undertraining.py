"""Whether a net was trained enough, as far as its own record can say."""

import math
from collections.abc import Mapping, Sequence

from .text.words import signed

SHARE = 0.1  # of the scored epochs: the last ones are held against as many before them
FEWEST_EPOCHS = 2  # epochs on either side, so that their noise can be estimated
# Nets that 60 epochs of a falling rate had trained to the end still rose by up to 1.6 points in the last tenth.
NOTABLE = 0.02  # a smaller rise of a share is none
ERRORS = 2  # standard errors; a smaller rise may be chance
FIGURES = {"val_mean_average_precision": "mean average precision", "val_accuracy": "accuracy"}


def undertrained(history: Sequence[Mapping[str, float]], steps: int, least_steps: int, n_val: int) -> str:
    """Return in a few words why a net was trained too little, or an empty text if nothing suggests that it was.

    history: one mapping for each epoch, as in a record; epochs without figures of val are skipped. steps: number of
    steps of the run. least_steps: number of steps with its default settings, 0 if no number of steps is too small.
    n_val: number of images of val.
    """
    if steps < least_steps:
        return f"{steps:,} steps, where the default is {least_steps:,}"
    return _still_rising(history, n_val)


def _still_rising(history: Sequence[Mapping[str, float]], n_val: int) -> str:
    """Return a text if the figure of val was still rising at the end of training, else an empty text.

    It was if its mean over the last tenth of the scored epochs is above that of the tenth before by more than NOTABLE
    and by more than ERRORS standard errors of the difference, while the training loss is lower. There are two such
    errors: the noise of the epochs, and that of the images: a rise by k images, all of them changed for the better, is
    √k standard errors of a sign test.
    """
    scored = [row for row in history if "val_loss" in row]
    name = next((name for name in FIGURES if scored and name in scored[-1]), None)
    count = max(FEWEST_EPOCHS, math.floor(SHARE * len(scored)))
    if name is None or len(scored) < 2 * count:
        return ""
    before, last = scored[-2 * count : -count], scored[-count:]
    rise, error = _difference(before, last, name)
    falls = _difference(before, last, "train_loss")[0] < 0
    if not falls or rise <= max(NOTABLE, ERRORS * error, ERRORS**2 / n_val):
        return ""
    part = "last tenth" if count > FEWEST_EPOCHS else f"last {count} epochs"
    return f"val {FIGURES[name]} was still rising at the end ({signed(100 * rise)} points in the {part})"


def _difference(
    before: Sequence[Mapping[str, float]], last: Sequence[Mapping[str, float]], name: str
) -> tuple[float, float]:
    """Return the mean of a figure over `last` minus that over `before`, and the standard error of this difference."""
    sides = [[row[name] for row in rows] for rows in (before, last)]
    means = [sum(side) / len(side) for side in sides]
    squares = [
        sum((value - mean) ** 2 for value in side) / (len(side) - 1) / len(side)
        for side, mean in zip(sides, means, strict=True)
    ]
    return means[1] - means[0], math.sqrt(sum(squares))
