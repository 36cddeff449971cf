"""Defaults that follow from the number of training images: epochs, batch, learning rate, how often val is scored.

They follow from counts alone, never from a clock, so that results can be reproduced.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EPOCHS = 20  # at least
STEPS = 1_500  # at least
BATCHES = ((500, 16), (2_000, 32))  # (below so many training images, images a batch)
LARGEST_BATCH = 64
SGD_RATE = 0.1  # learning rate in batches of LARGEST_BATCH, of a net without a rate of its own
ADAM_RATE = 0.001  # of Adam and AdamW
LAST_BELOW = 500  # training images: their part of val is too small to choose an epoch by, so the last one is taken
VAL_COST = 1 / 3  # of scoring an image, as a share of training on it: one pass forward in place of two and a half
VAL_SHARE = 1 / 5  # of the cost of training that scoring val may add


@dataclass(frozen=True)
class Budget:
    """Passes over the training images, and images a batch."""

    epochs: int
    batch: int


def budget(n: int, epochs: int | None = None, batch: int | None = None, least_epochs: int = EPOCHS) -> Budget:
    """The budget for `n` training images; what is None follows from n, at least `least_epochs`.

    Few images get small batches and many epochs: a net needs a number of steps, whatever the number of images.
    """
    if batch is None:
        batch = next((size for below, size in BATCHES if n < below), LARGEST_BATCH)
    if epochs is None:
        epochs = max(least_epochs, math.ceil(STEPS / batches(n, batch)))
    return Budget(epochs, batch)


def default_rate(optimiser: str, batch: int, sgd_rate: float = SGD_RATE) -> float:
    """The peak learning rate where none is given.

    Of SGD `sgd_rate` in batches of LARGEST_BATCH and more, in proportion in smaller ones; source: Goyal et al.,
    "Accurate, Large Minibatch SGD", arXiv 1706.02677, 2017. Of Adam and AdamW ADAM_RATE.
    """
    return sgd_rate * min(1.0, batch / LARGEST_BATCH) if optimiser == "sgd" else ADAM_RATE


def batches(n: int, batch: int) -> int:
    """Batches an epoch: the last, partial one is left out, and of fewer images than a batch all are one."""
    return max(1, n // batch)


def steps(n: int, params: Mapping[str, Any]) -> int:
    """Steps of a training on `n` images with the settings of a record: epochs, batch, and batches to a step.

    Epochs and batch that are None, as svm-deep leaves those of a large set, are those of `budget`.
    """
    found = budget(n, params.get("epochs"), params.get("batch"))
    return found.epochs * math.ceil(batches(n, found.batch) / (params.get("accumulate") or 1))


def epochs_between_scores(n_train: int, n_val: int) -> int:
    """Val is scored each time that so many epochs are over: 1 where that adds at most VAL_SHARE to training."""
    return max(1, math.ceil(VAL_COST * n_val / (VAL_SHARE * n_train) - 1e-9))


def is_scored(epoch: int, epochs: int, between: int) -> bool:
    """Whether val is scored after this epoch, counted from 1: evenly from the last one back."""
    return epoch == epochs or (epoch >= between and (epochs - epoch) % between == 0)
