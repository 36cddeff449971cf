"""Which training images an epoch shows, and how often: repeated, left out or drawn by weight against imbalance."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core.errors import UsageError
from ..recipe import Recipe

ROUNDS = 50  # in which copies are found; a dozen are enough for the 28 labels of the Atlas


def chosen_images(truth: NDArray[np.bool_], recipe: Recipe, seed: int) -> NDArray[np.int64]:
    """Return the positions of the images that an epoch shows, (m,); a repeated image is listed several times.

    truth: (n, classes), whether an image carries a label. Raises UsageError for a class that does not exist, and when
    no image is left.
    """
    times = np.ones(len(truth), np.int64)
    if recipe.single_label != "keep":
        if beyond := [k for k in recipe.single_classes if k >= truth.shape[1]]:
            raise UsageError(f"single_classes names class {beyond[0]}; classes are 0 to {truth.shape[1] - 1}")
        alone = np.flatnonzero((truth.sum(1) == 1) & truth[:, list(recipe.single_classes)].any(1))
        drawn = np.random.default_rng(seed).permutation(alone)[: round(len(alone) * recipe.single_share)]
        times[drawn] = 2 if recipe.single_label == "copy" else 0
    if recipe.oversample:
        times *= _copies(truth, times, recipe)
    if not times.any():
        raise UsageError("single_label delete leaves no training image; lower single_share or name fewer classes")
    return np.repeat(np.arange(len(truth)), times)


def _copies(truth: NDArray[np.bool_], times: NDArray[np.int64], recipe: Recipe) -> NDArray[np.int64]:
    """Return how often oversampling repeats each image, (n,): as often as the label that needs it most does."""
    if isinstance(recipe.oversample, tuple):
        wanted = _to_shares(truth, times, np.array(recipe.oversample), recipe.oversample_most)
    else:  # shares are those before any copying
        needed = [math.ceil(recipe.oversample / share - 1e-9) if share else 1 for share in _shares(truth, times)]
        wanted = np.clip(needed, 1, recipe.oversample_most)
    return np.where(truth, wanted, 1).max(1)


def _to_shares(truth: NDArray[np.bool_], times: NDArray[np.int64], shares: NDArray, most: int) -> NDArray[np.int64]:
    """Return how often to show the images of each class, (classes,), so that it comes near its share of all labels.

    A share of 0 leaves a class as it is. Images of one class carry labels of others too, so the numbers are found in
    rounds. Raises UsageError when the number of shares is not that of classes, and when they sum to more than 1.
    """
    if len(shares) != truth.shape[1]:
        raise UsageError(
            f"oversample has {len(shares)} shares and the images have {truth.shape[1]} classes; give each class one, 0 "
            "where none is to be copied, or one number for all"
        )
    if shares.sum() > 1 + 1e-6:
        raise UsageError(f"oversample has shares of {shares.sum():.3g} in all; give such that come to 1 at most")
    copies = np.ones(len(shares), np.int64)
    for _ in range(ROUNDS):
        found = _shares(truth, times * np.where(truth, copies, 1).max(1))
        ratio = np.divide(shares, found, out=np.zeros(len(shares)), where=found > 0)
        better = np.clip(np.rint(copies * ratio), 1, most).astype(np.int64)
        if (better == copies).all():
            break
        copies = better
    return copies


def _shares(truth: NDArray[np.bool_], times: NDArray[np.int64]) -> NDArray:
    """Return the share of each class among all labels, (classes,), if each image is shown `times` times."""
    return truth.T.astype(float) @ times / max(1, (truth.sum(1) * times).sum())


def epoch_order(truth: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Return the positions of images in the order of an epoch, (n,).

    They are shuffled or, with sampler=balanced, drawn with replacement so that all classes are equally likely. An
    image with several labels counts as its rarest; one without labels counts as one of the most common class.
    """
    n = len(truth)
    if recipe.sampler == "shuffle":
        return torch.randperm(n, generator=generator)
    counts = truth.sum(0).clamp(min=1)
    weights = (truth / counts).amax(1).clamp(min=1 / counts.max())
    return torch.multinomial(weights, n, replacement=True, generator=generator)
