"""The losses and figures of train and val that the history keeps for each epoch."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core.data import Samples
from ...core.errors import TrainingError
from ...core.scoring.metrics import decide, macro_f1
from .learner import BatchResult


def one_hot(samples: Samples) -> NDArray[np.bool_]:
    """Return which labels each image has, (n, classes) bool."""
    return samples.labels if samples.multilabel else samples.labels[:, None] == np.arange(len(samples.classes))


def train_figures(
    results: Sequence[BatchResult], rates: Sequence[float], epoch: int, multilabel: bool
) -> dict[str, float]:
    """Return an epoch's last learning rate, mean loss, and figures of the scores that the net gave while it learnt.

    results, rates: those of the epoch's batches; epoch: its number, from 1. Raises TrainingError, naming the step and
    its rate, if a loss is not finite.
    """
    losses = torch.stack([result.loss for result in results]).cpu()
    if not losses.isfinite().all():
        bad = int((~losses.isfinite()).nonzero()[0])
        step = (epoch - 1) * len(losses) + bad + 1
        where = f"step {step} (epoch {epoch}, learning rate {rates[bad]:.3g})"
        raise TrainingError(f"the loss is {losses[bad]:g} at {where}; lower lr")
    scores = torch.cat([result.scores for result in results])
    labels = torch.cat([result.labels for result in results])
    return {"lr": rates[-1], "train_loss": float(losses.mean()), **_figures("train", scores, labels, multilabel)}


def val_figures(loss: float, scores: Tensor, labels: Tensor, multilabel: bool) -> dict[str, float]:
    """Return the loss and the figures of val, by name; labels: float (n, classes)."""
    return {"val_loss": loss, **_figures("val", scores, labels, multilabel)}


def _figures(part: str, scores: Tensor, shares: Tensor, multilabel: bool) -> dict[str, float]:
    """Return accuracy (with several labels an image, exact match) and macro-F1, by name.

    shares: (n, classes). A mixed image counts as the class of its largest share; with several labels an image, as all
    classes of which it has more than half.
    """
    truth = shares.cpu().numpy()
    labels = truth > 0.5 if multilabel else truth.argmax(1)
    predicted = decide(scores.float().cpu().numpy(), multilabel)
    right = (labels == predicted).all(1) if multilabel else labels == predicted
    return {f"{part}_accuracy": float(right.mean()), f"{part}_macro_f1": macro_f1(labels, predicted)}
