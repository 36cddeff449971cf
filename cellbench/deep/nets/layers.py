"""Tools for any net: find its first convolution and its head, replace activations and dropout, watch a layer."""

import contextlib
import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...core.errors import DataError, UsageError, did_you_mean

SMALL = 96  # up to this many pixels the stem is 5×5; measured as accurate as larger ones, at less cost
ACTIVATIONS = {"relu": nn.ReLU, "mish": nn.Mish, "gelu": nn.GELU}
# Layers without weights, which may stand between the linear layers of a head.
BETWEEN = ("Dropout", "Flatten", "Identity", "AdaptiveAvgPool2d", "ReLU", "ReLU6", "Mish", "GELU", "Tanh", "Hardswish")


class DropoutLinear(nn.Linear):
    """A linear layer whose inputs are dropped in training; its weights keep the name of the layer that it replaces."""

    p: float = 0.0

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(F.dropout(input, self.p, self.training))


def wants_small(stem: str | None, size: int) -> bool:
    """Return whether to use the 5×5 stem: if it is asked for, or if no stem is and the images are small."""
    return stem == "small" or (stem is None and size <= SMALL)


def values_after(features: nn.Module, channels: int, size: int) -> int:
    """Return how many values `features` gives for one image, found without computing them.

    Raises DataError if the image is too small.
    """
    twin = copy.deepcopy(features).to("meta").eval()
    try:
        return twin(torch.empty(1, channels, size, size, device="meta")).numel()
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"images of {size}×{size} pixels are too small for this net ({reason}); enlarge them") from None


def set_activation(net: nn.Module, activation: str) -> None:
    """Replace the net's ReLU and ReLU6 modules by Mish or GELU; 'relu' changes nothing.

    Raises UsageError for an unknown activation, and if the net has nothing to replace.
    """
    if activation not in ACTIVATIONS:
        raise UsageError(f"activation is {activation!r}; {did_you_mean(activation, ACTIVATIONS)}")
    if activation == "relu":
        return
    found = [name for name, module in net.named_modules() if isinstance(module, nn.ReLU | nn.ReLU6)]
    if not found:
        raise UsageError(f"activation {activation} was asked for, but this net has no ReLU to replace; leave it out")
    for name in found:
        net.set_submodule(name, ACTIVATIONS[activation]())


def set_dropout(net: nn.Module, dropout: float | None) -> None:
    """Give all dropout layers this probability; a net that has none drops the inputs of its last linear layer."""
    if dropout is None:
        return
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; give a probability from 0 to below 1")
    layers = [module for module in net.modules() if isinstance(module, nn.Dropout | nn.Dropout1d | nn.Dropout2d)]
    for layer in layers:
        layer.p = dropout
    if layers or dropout == 0:
        return
    name, old = named_last_linear(net)
    new = DropoutLinear(old.in_features, old.out_features, old.bias is not None, device="meta")
    new.weight, new.bias, new.p = old.weight, old.bias, dropout
    net.set_submodule(name, new)


def first_convolution(net: nn.Module) -> tuple[str, nn.Conv2d] | None:
    """Return name and module of the net's first convolution, which reads the image; None if it has none."""
    return next(((name, m) for name, m in net.named_modules() if isinstance(m, nn.Conv2d)), None)


def convolution_modules(net: nn.Module) -> list[nn.Conv2d]:
    return [module for module in net.modules() if isinstance(module, nn.Conv2d)]


def last_linear(net: nn.Module) -> nn.Linear:
    """Return the net's last linear layer, which gives the scores, and whose input is the net's features.

    Raises UsageError if the net has no linear layer.
    """
    return named_last_linear(net)[1]


def named_last_linear(net: nn.Module) -> tuple[str, nn.Linear]:
    """Return name and module of the net's last linear layer. Raises UsageError if it has none."""
    found = [(name, module) for name, module in net.named_modules() if isinstance(module, nn.Linear)]
    if not found:
        raise UsageError("this net has no linear layer: it classifies by convolution; choose another net")
    return found[-1]


@contextlib.contextmanager
def inputs_of(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Yield a list; while the context lasts, every forward pass adds the layer's input to it."""
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        yield seen
    finally:
        hook.remove()


@contextlib.contextmanager
def outputs_of(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Yield a list; while the context lasts, every forward pass adds the layer's output to it."""
    results: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _, inputs, output: results.append(output))
    try:
        yield results
    finally:
        hook.remove()


def head_layers(net: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return names and modules of the linear layers at the end of the net, or of its last convolution if none.

    Between the linear layers there may only be layers without weights, those of BETWEEN.
    """
    head: list[tuple[str, nn.Module]] = []
    for name, module in reversed(list(_leaves(net))):
        if isinstance(module, nn.Linear):
            head.insert(0, (name, module))
        elif head and type(module).__name__ not in BETWEEN:
            break
    if head:
        return head
    convolutions: list[tuple[str, nn.Module]]
    convolutions = [(name, module) for name, module in net.named_modules() if isinstance(module, nn.Conv2d)]
    return convolutions[-1:]


def head_parameters(net: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of the layer that gives the scores: the last linear one, or the last convolution."""
    return list(head_layers(net)[-1][1].parameters())


def _leaves(net: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    return ((name, module) for name, module in net.named_modules() if not any(module.children()))
