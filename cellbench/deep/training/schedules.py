"""The learning rate at every point of training."""

import math
from collections.abc import Sequence

from ...core.errors import UsageError
from ..recipe import Recipe

ONE_CYCLE_RISE = 0.3
LOWEST = 0.04  # of the peak, where a rise starts: a step of zero would teach nothing
IMPROVEMENT = 1e-4  # relative; less is none, as in torch's ReduceLROnPlateau


def peak_rate(recipe: Recipe) -> float:
    """Return the recipe's learning rate. Raises UsageError if it is still at auto."""
    if recipe.lr is None:
        raise UsageError("lr is auto, which needs the number of training images; give a number, or call recipe.suited")
    return recipe.lr


def learning_rate(recipe: Recipe, progress: float, val_losses: Sequence[float] = ()) -> float:
    """Return the learning rate at `progress` (0 to 1) of training; val_losses: those of the epochs before.

    One-cycle: linear rise, then cosine fall (Smith, "A disciplined approach to neural network hyper-parameters", 2018).
    """
    peak, one_cycle = peak_rate(recipe), recipe.schedule.startswith("one-cycle")
    rise = recipe.rise if recipe.rise is not None else ONE_CYCLE_RISE * one_cycle
    if recipe.schedule == "one-cycle-per-stage":
        progress = progress_of_stage(recipe, progress)
    if progress < rise:
        return peak * max(progress / rise, LOWEST)
    if one_cycle or recipe.schedule == "cosine":
        return peak * 0.5 * (1 + math.cos(math.pi * (progress - rise) / (1 - rise)))
    if recipe.schedule == "step":
        return peak * recipe.factor ** sum(progress >= at for at in recipe.milestones)
    if recipe.schedule == "plateau":
        return peak * recipe.factor ** plateaus(val_losses, recipe.patience)
    return peak


def progress_of_stage(recipe: Recipe, progress: float) -> float:
    """Return how much, 0 to 1, of its stage is done at `progress` of a training that begins with the head alone."""
    if recipe.epochs is None:
        raise UsageError("epochs is auto, which needs the number of training images; give a number")
    first = min(1.0, recipe.head_epochs / max(recipe.epochs, 1))
    if progress < first or first == 1:
        return progress / first
    return (progress - first) / (1 - first)


def plateaus(losses: Sequence[float], patience: int) -> int:
    """Return how often more than `patience` losses in a row have not been below the best one before them."""
    best, waited, found = math.inf, 0, 0
    for loss in losses:
        if loss < best * (1 - IMPROVEMENT):
            best, waited = loss, 0
        else:
            waited += 1
        if waited > patience:
            found, waited = found + 1, 0
    return found
