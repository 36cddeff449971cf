"""What the history keeps of an epoch: losses and figures of train and val."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core.data import Samples
from ...core.errors import TrainingError
from ...core.metrics import decide, macro_f1
from .learner import BatchResult


def one_hot(samples: Samples) -> NDArray[np.bool_]:
    """Which labels an image has, (n, classes)."""
    return samples.labels if samples.multilabel else samples.labels[:, None] == np.arange(len(samples.classes))


def train_figures(
    results: Sequence[BatchResult], rates: Sequence[float], epoch: int, multilabel: bool
) -> dict[str, float]:
    """The last learning rate, the mean loss, and the figures of what the net answered while it learnt.

    results, rates: of the epoch's batches; epoch: counted from 1. Raises TrainingError, naming the step and its rate,
    where a loss is not finite.
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
    """The loss and the figures of val; labels: float (n, classes)."""
    return {"val_loss": loss, **_figures("val", scores, labels, multilabel)}


def _figures(part: str, scores: Tensor, shares: Tensor, multilabel: bool) -> dict[str, float]:
    """Accuracy (of several labels: exact match) and macro-F1.

    shares: (n, classes). A mixed image counts as the class of its largest share; with several labels an image, as all
    classes of which it has more than half.
    """
    truth = shares.cpu().numpy()
    labels = truth > 0.5 if multilabel else truth.argmax(1)
    predicted = decide(scores.float().cpu().numpy(), multilabel)
    right = (labels == predicted).all(1) if multilabel else labels == predicted
    return {f"{part}_accuracy": float(right.mean()), f"{part}_macro_f1": macro_f1(labels, predicted)}
