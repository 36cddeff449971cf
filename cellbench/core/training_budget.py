"""Defaults that follow from the number of training images: epochs, batch, learning rate, how often val is scored.

They follow from counts alone, never from a clock, so that results can be reproduced.
"""

import math
from dataclasses import dataclass

from .mixed_values import SettingValues

EPOCHS = 20  # at least
STEPS = 1_500  # at least
BATCHES = ((500, 16), (2_000, 32))  # (below so many training images, images a batch)
LARGEST_BATCH = 64
LEAST_BATCHES = 3  # in an epoch, where a net asks for batches larger than usual
STEP = 16  # images that the size of such a batch is a multiple of
SGD_RATE = 0.1  # learning rate in batches of LARGEST_BATCH, of a net without a rate of its own
ADAM_RATE = 0.001  # of Adam and AdamW
LAST_BELOW = 500  # training images: their part of val is too small to choose an epoch by, so the last one is taken
LINEAR_BELOW = 200  # training images below which the kernel of svm-combined is linear
MANY_IMAGES = 10**6  # training images: settings that follow from their number no longer change with it
VAL_COST = 1 / 3  # of scoring an image, as a share of training on it: one pass forward in place of two and a half
VAL_SHARE = 1 / 5  # of the cost of training that scoring val may add


@dataclass(frozen=True)
class Budget:
    """How long a net trains. epochs: passes over the training images. batch: the number of images in a batch."""

    epochs: int
    batch: int


def budget(
    n: int,
    epochs: int | None = None,
    batch: int | None = None,
    least_epochs: int = EPOCHS,
    least_batch: int = 1,
    least_steps: int = STEPS,
) -> Budget:
    """Return the budget for `n` training images.

    If they are None, epochs (at least `least_epochs`) and batch follow from n. Few images get small batches and many
    epochs: a net needs a number of steps, whatever the number of images. least_batch: a batch has as many images or
    more, unless an epoch then had fewer than LEAST_BATCHES batches; it has a multiple of STEP images then.
    least_steps: of training in batches of least_batch or more; in smaller ones STEPS are enough.
    """
    if batch is None:
        usual = next((size for below, size in BATCHES if n < below), LARGEST_BATCH)
        batch = max(usual, min(least_batch, n // LEAST_BATCHES // STEP * STEP))
    if epochs is None:
        least = least_steps if batch >= least_batch else STEPS
        epochs = max(least_epochs, math.ceil(least / batches(n, batch)))
    return Budget(epochs, batch)


def default_rate(optimiser: str, batch: int, sgd_rate: float = SGD_RATE) -> float:
    """Return the peak learning rate to use if none is given.

    For SGD it is `sgd_rate` with batches of LARGEST_BATCH or more, and less in proportion with smaller batches; source:
    Goyal et al., "Accurate, Large Minibatch SGD", arXiv 1706.02677, 2017. For Adam and AdamW it is ADAM_RATE.
    """
    return sgd_rate * min(1.0, batch / LARGEST_BATCH) if optimiser == "sgd" else ADAM_RATE


def batches(n: int, batch: int) -> int:
    """Return the number of batches in an epoch, without the last, partial one; at least 1."""
    return max(1, n // batch)


def steps(n: int, params: SettingValues) -> int:
    """Return the number of training steps on `n` images with the settings of a record.

    params: `epochs`, `batch`, and `accumulate`, the number of batches for each step. If epochs or batch are None, as
    svm-deep leaves them for a large set, they are those of `budget`.
    """
    found = budget(n, params.get("epochs"), params.get("batch"))
    return found.epochs * math.ceil(batches(n, found.batch) / (params.get("accumulate") or 1))


def epochs_between_scores(n_train: int, n_val: int) -> int:
    """Return after how many epochs val is scored each time: the fewest that add at most VAL_SHARE to training."""
    return max(1, math.ceil(VAL_COST * n_val / (VAL_SHARE * n_train) - 1e-9))


def is_scored(epoch: int, epochs: int, between: int) -> bool:
    """Whether val is scored after this epoch, counted from 1: after the last one and evenly back from there."""
    return epoch == epochs or (epoch >= between and (epochs - epoch) % between == 0)
