"""The one training loop, from raw images to the weights of the epoch that did best on validation.

`train` prepares, `_run_epochs` is the loop: epoch, batch, step. What a batch and a step do stands in `learner.py`.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ...core.data import Samples
from ...core.errors import TrainingError
from ...core.records.runs import RunLog
from ...core.scoring.metrics import validation_figure
from ...core.tensors import as_tensor
from ...core.training_budget import budget, epochs_between_scores, is_scored
from ..classifier import NetClassifier, make_classifier
from ..device import place, synchronise
from ..recipe import Recipe, suited
from . import checkpoints
from .batches import TrainingImages
from .checkpoints import Best
from .freezing import freeze, plan_of_epoch, set_training_mode
from .history import one_hot, train_figures, val_figures
from .learner import Learner, backward, make_learner, step
from .losses import make_loss
from .optimisers import set_rate
from .sampling import chosen_images, epoch_order
from .schedules import learning_rate
from .warmup import warm_up


@dataclass(frozen=True)
class Validation:
    """The validation data, on which the best epoch is chosen.

    images: the raw images of `samples`, on the device if they fit. epochs_between: the number of epochs from one
    scoring to the next.
    """

    samples: Samples
    images: Tensor
    epochs_between: int


def train(
    net: nn.Module, recipe: Recipe, train: Samples, val: Samples, seed: int, device: str, log: RunLog
) -> NetClassifier:
    """Train `net` by `recipe` and return a NetClassifier around it.

    It has the weights of the epoch that did best on val, or of the last.

    Settings left at auto are filled in by `suited`.
    Order of batches and augmentation come from `seed`; the weights are whatever `net` came with. With `log.checkpoint`
    every epoch is kept there, and training goes on from the one that is found there.
    Raises TrainingError, naming step and learning rate, when the loss is not finite, UsageError when the recipe does
    not suit the labels, and DataError for val labels that can choose nothing.
    """
    recipe = suited(recipe, len(train))
    planned = budget(len(train), recipe.epochs, recipe.batch)
    with log.phase("transfer"):
        validation_figure(val.labels, np.zeros((len(val), len(val.classes))))  # refuses labels that can choose nothing
        labels = one_hot(train)
        chosen = torch.from_numpy(chosen_images(labels, recipe, seed))
        shown = torch.tensor(labels)[chosen].float()
        images = place(as_tensor(train.images), device)
        data = TrainingImages(images, chosen, shown, min(planned.batch, len(chosen)), device)
        validation = Validation(val, place(as_tensor(val.images), device), _epochs_between(recipe, data, val))
        classifier = make_classifier(net, images, recipe, device)
        loss = make_loss(recipe, shown.to(device), train.multilabel)
        synchronise(device)
    with log.phase("warmup"):
        learner = make_learner(classifier, recipe, loss, seed)
        warm_up(learner, data)
        synchronise(device)

    best = checkpoints.resume(learner, log)
    try:
        best = _run_epochs(learner, data, validation, planned.epochs, best, log)
    except TrainingError:
        if log.checkpoint:  # going on from there would end in the same way
            checkpoints.remove(log.checkpoint)
        raise
    if best.weights:
        net.load_state_dict(best.weights)
    classifier.best_epoch = best.epoch if best.weights else len(log.history)
    freeze(net, "none")
    synchronise(device)
    return classifier


def _run_epochs(learner: Learner, data: TrainingImages, val: Validation, epochs: int, best: Best, log: RunLog) -> Best:
    """Train for all epochs that are not in the history yet, and return the best epoch."""
    recipe, net = learner.recipe, learner.classifier.net
    while (epoch := len(log.history) + 1) <= epochs and not _is_stale(best, epoch, recipe):
        start = time.perf_counter()
        with log.phase("fit"):
            set_training_mode(net, plan_of_epoch(recipe, epoch))
            val_losses = [row["val_loss"] for row in log.history if "val_loss" in row]
            order = epoch_order(data.labels, recipe, learner.random)
            rates, results = [], []
            for number, (images, labels) in enumerate(data.in_batches(order)):
                # The rate of the middle of a batch: the first is not zero in a rise, nor the last in a fall.
                progress = (epoch - 1 + (number + 0.5) / data.batches) / epochs
                rates.append(learning_rate(recipe, progress, val_losses))
                set_rate(learner.optimiser, rates[-1])
                # Gradients of `accumulate` batches make one step; what is left at the end of an epoch makes one too.
                first = number - number % recipe.accumulate
                after = min(first + recipe.accumulate, data.batches)
                results.append(backward(learner, images, labels, share=1 / (after - first)))
                if number + 1 == after:
                    step(learner)
            # Losses and scores are looked at once an epoch: asking at every step would make a GPU wait.
            row = train_figures(results, rates, epoch, val.samples.multilabel)
        if is_scored(epoch, epochs, val.epochs_between):
            with log.phase("validate"):
                figures, best = _validate(learner, val, epoch, best)
                row |= figures
        log.epoch(**row, epoch=epoch, epochs=epochs, seconds=time.perf_counter() - start)
        checkpoints.keep(learner, best, log)  # in no phase: a run that is never stopped would do without it
    return best


def _validate(learner: Learner, val: Validation, epoch: int, best: Best) -> tuple[dict[str, float], Best]:
    """Score val; return its figures for the history, and the best epoch so far, which may be this one."""
    scores = learner.classifier.predict(val.images)
    if not np.isfinite(scores).all():
        raise TrainingError(f"scores of val are no finite numbers after epoch {epoch}; lower lr")
    figure, score = validation_figure(val.samples.labels, scores)
    if score > best.score:
        kept = checkpoints.weights_of(learner.classifier.net) if learner.recipe.choose != "last" else {}
        best = Best(score, epoch, kept)
    on_val, labels = torch.from_numpy(scores), torch.tensor(one_hot(val.samples)).float()
    device = learner.classifier.device
    loss = float(learner.loss(on_val.to(device), labels.to(device), smoothing=0.0))
    return {**val_figures(loss, on_val, labels, val.samples.multilabel), f"val_{figure}": score}, best


def _is_stale(best: Best, epoch: int, recipe: Recipe) -> bool:
    """Return whether training is to stop before this epoch, as the last `early_stopping` ones scored no better."""
    return bool(recipe.early_stopping) and epoch - 1 - best.epoch >= recipe.early_stopping


def _epochs_between(recipe: Recipe, data: TrainingImages, val: Samples) -> int:
    """Return how many epochs there are from one scoring of val to the next.

    It is 1 if the recipe makes decisions by val: with schedule 'plateau' or early stopping.
    """
    if recipe.schedule == "plateau" or recipe.early_stopping:
        return 1
    return epochs_between_scores(len(data.chosen), len(val))
