"""What turns gradients into steps: the optimiser that a recipe asks for."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..nets.layers import head_parameters
from ..recipe import Recipe
from .schedules import peak_rate


def make_optimiser(net: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return SGD, Adam or AdamW over all parameters; frozen ones are included, and stay as they have no gradient.

    Weights decay; biases and batch norm's parameters, which have one dimension, only with decay_all. Every group has
    its 'share' of the learning rate: 1 for the last layer, backbone_lr for the others. Take steps inside
    `axes_in_memory_order`.
    """
    head = set(head_parameters(net))
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for parameter in net.parameters():
        decay = recipe.weight_decay if parameter.ndim > 1 or recipe.decay_all else 0.0
        groups.setdefault((decay, parameter in head), []).append(parameter)
    settings: list[dict[str, list[nn.Parameter] | float]] = [
        {"params": parameters, "weight_decay": decay, "share": 1.0 if in_head else float(recipe.backbone_lr)}
        for (decay, in_head), parameters in groups.items()
    ]
    lr = peak_rate(recipe)
    if recipe.optimiser == "sgd":
        nesterov = recipe.nesterov and recipe.momentum > 0
        fused = recipe.precision != "fp16"  # a first step that the scaler skips would leave its momentum unwritten
        return torch.optim.SGD(settings, lr=lr, momentum=recipe.momentum, nesterov=nesterov, fused=fused)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimiser]
    return kind(settings, lr=lr, fused=True)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of the next step; every group of parameters takes its share of it."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["share"]


@contextlib.contextmanager
def axes_in_memory_order(optimiser: torch.optim.Optimizer) -> Iterator[None]:
    """Permute the axes of convolutions' weights and gradients to their order in memory, while the context lasts.

    Only those on a processor are permuted.

    Weights lie channels last. On a processor torch's fused steps copy what lies in another order than that of its
    axes, which is slow, and go wrong where a gradient lies in another order than its weight.
    """
    weights = [
        weight
        for group in optimiser.param_groups
        for weight in group["params"]
        if weight.ndim == 4 and weight.grad is not None and weight.device.type == "cpu"
    ]
    for weight in weights:
        _permute(weight, weight.grad.contiguous(memory_format=torch.channels_last), (0, 2, 3, 1))
    try:
        yield
    finally:
        for weight in weights:
            _permute(weight, weight.grad, (0, 3, 1, 2))


def _permute(weight: nn.Parameter, gradient: Tensor, order: tuple[int, ...]) -> None:
    weight.grad = None  # it has to have the weight's shape at any time
    weight.data = weight.data.permute(order)
    weight.grad = gradient.permute(order)
