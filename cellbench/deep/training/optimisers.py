"""Steps and their sizes: the optimiser of a recipe, and the learning rate at every point of training."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...core.errors import UsageError
from ..nets.layers import head_parameters
from ..recipe import Recipe

ONE_CYCLE_RISE = 0.3
LOWEST = 0.04  # of the peak, where a rise starts: a step of zero would teach nothing
IMPROVEMENT = 1e-4  # relative; less is none, as in torch's ReduceLROnPlateau


def make_optimiser(net: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """SGD, Adam or AdamW over all parameters, frozen ones included: without a gradient they stay.

    Weights decay; biases and batch norm's parameters, which have one dimension, only with decay_all. Every group has
    its 'share' of the learning rate: 1 for the last layer, backbone_lr for the others.
    """
    head = set(head_parameters(net))
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for parameter in net.parameters():
        decay = recipe.weight_decay if parameter.ndim > 1 or recipe.decay_all else 0.0
        groups.setdefault((decay, parameter in head), []).append(parameter)
    settings = [
        {"params": parameters, "weight_decay": decay, "share": 1.0 if in_head else float(recipe.backbone_lr)}
        for (decay, in_head), parameters in groups.items()
    ]
    optimiser = _over(settings, recipe)
    if all(parameter.device.type == "cpu" for parameter in net.parameters()):
        optimiser.register_step_pre_hook(_show_as_stored)
        optimiser.register_step_post_hook(_turn_back)
    return optimiser


def _over(settings: list[dict[str, Any]], recipe: Recipe) -> torch.optim.Optimizer:
    lr = _peak(recipe)
    if recipe.optimiser == "sgd":
        nesterov = recipe.nesterov and recipe.momentum > 0
        fused = recipe.precision != "fp16"  # a first step that the scaler skips would leave its momentum unwritten
        return torch.optim.SGD(settings, lr=lr, momentum=recipe.momentum, nesterov=nesterov, fused=fused)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimiser]
    return kind(settings, lr=lr, fused=True)


def _peak(recipe: Recipe) -> float:
    if recipe.lr is None:
        raise UsageError("lr is auto, which needs the number of training images; give a number, or call recipe.suited")
    return recipe.lr


def _show_as_stored(optimiser: torch.optim.Optimizer, *_: Any) -> None:
    """Before a step on a processor, let the axes of convolutions' weights be in the order that they lie in memory.

    That is channels last. torch's fused steps copy what lies in another order than that of its axes, and go wrong where
    a gradient lies in another order than its weight.
    """
    for weight, slope in _convolutions(optimiser):
        _permute(weight, slope.contiguous(memory_format=torch.channels_last), (0, 2, 3, 1))


def _turn_back(optimiser: torch.optim.Optimizer, *_: Any) -> None:
    for weight, slope in _convolutions(optimiser):
        _permute(weight, slope, (0, 3, 1, 2))


def _convolutions(optimiser: torch.optim.Optimizer) -> Iterator[tuple[nn.Parameter, Tensor]]:
    """Weights of convolutions with their gradients, if they have any."""
    for weight in (weight for group in optimiser.param_groups for weight in group["params"]):
        if weight.ndim == 4 and weight.grad is not None:
            yield weight, weight.grad


def _permute(weight: nn.Parameter, slope: Tensor, order: tuple[int, ...]) -> None:
    weight.grad = None  # it has to have the weight's shape at any time
    weight.data = weight.data.permute(order)
    weight.grad = slope.permute(order)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate * group["share"]


def learning_rate(recipe: Recipe, progress: float, val_losses: Sequence[float] = ()) -> float:
    """The rate at `progress` 0..1 through training, after epochs with these val losses.

    One-cycle: linear rise, then cosine fall (Smith, "A disciplined approach to neural network hyper-parameters", 2018).
    """
    peak = _peak(recipe)
    rise = recipe.rise if recipe.rise is not None else ONE_CYCLE_RISE * (recipe.schedule == "one-cycle")
    if progress < rise:
        return peak * max(progress / rise, LOWEST)
    if recipe.schedule in ("one-cycle", "cosine"):
        return peak * 0.5 * (1 + math.cos(math.pi * (progress - rise) / (1 - rise)))
    if recipe.schedule == "step":
        return peak * recipe.factor ** sum(progress >= at for at in recipe.milestones)
    if recipe.schedule == "plateau":
        return peak * recipe.factor ** plateaus(val_losses, recipe.patience)
    return peak


def plateaus(losses: Sequence[float], patience: int) -> int:
    """How often more than `patience` epochs in a row have passed without a loss below the best one before them."""
    best, waited, found = math.inf, 0, 0
    for loss in losses:
        if loss < best * (1 - IMPROVEMENT):
            best, waited = loss, 0
        else:
            waited += 1
        if waited > patience:
            found, waited = found + 1, 0
    return found
