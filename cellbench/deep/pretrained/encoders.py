"""Frozen nets as encoders: a layer's output for a picture, pooled to one row of numbers."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...core.errors import DataError, UsageError, did_you_mean
from ..nets import third_party
from ..nets.layers import inputs_of, last_linear, outputs_of
from ..nets.table import find
from .weights import licence_of_weights, load_encoder_weights

CLASSES = 2  # of the head that every net is built with and no encoder uses


@dataclass(frozen=True, eq=False)
class Encoder:
    """A net in evaluation mode that turns pictures into features.

    name: the net's. layer: whose output is pooled as `pooling` says; None with pooling 'head', where the features are
    the input of the net's last linear layer. mean, deviation: (1, 3, 1, 1) float32, of values from 0 to 1.
    """

    name: str
    net: nn.Module
    layer: str | None
    pooling: str
    mean: Tensor
    deviation: Tensor

    @torch.inference_mode()
    def __call__(self, pictures: Tensor) -> Tensor:
        """Return the features (n, features) float32 of pictures (n, 3, size, size).

        Pictures are float32 from 0 to 1, on the net's device.
        """
        values = ((pictures - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
        if self.layer is None:
            with inputs_of(last_linear(self.net)) as inputs:
                self.net(values)
            return inputs[-1].flatten(1).float()
        with outputs_of(self.net.get_submodule(self.layer)) as outputs:
            self.net(values)
        return pool(outputs[-1], self.pooling).float()

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.net.parameters())


def untrained(name: str, size: int, layer: str | None, pooling: str, device: str) -> Encoder:
    """Return an encoder for pictures of `size` pixels, with random weights from torch's generator.

    Raises DataError where the net does not take such pictures, UsageError where it has no such layer.
    """
    net = find(name).build(3, CLASSES, size, stem="stock").eval()
    if layer is None and pooling != "head":
        layer = last_map(net, size)
    elif layer is not None and layer not in (known := [key for key, _ in net.named_modules() if key]):
        raise UsageError(f"layer is {layer!r} and {name} has none of that name; {did_you_mean(layer, known)}")
    mean, deviation = (torch.tensor(rgb, device=device).view(1, 3, 1, 1) for rgb in third_party.normalisation(name))
    return Encoder(name, net.to(device).to(memory_format=torch.channels_last), layer, pooling, mean, deviation)


def pretrained(
    name: str, weights: str, size: int, layer: str | None, pooling: str, device: str
) -> tuple[Encoder, dict[str, str | list[str]]]:
    """Return an encoder with weights from `load_encoder_weights`, and facts about them for the record.

    Raises what `untrained` and `load_encoder_weights` raise.
    """
    encoder = untrained(name, size, layer, pooling, device)
    facts = load_encoder_weights(encoder.net, name, weights)
    facts.pop("weights_new", None)  # the head, which is not used
    return encoder, {**facts, "licence_of_encoder": licence_of_weights(name, weights)}


def pool(values: Tensor, pooling: str) -> Tensor:
    """Pool a layer's output to rows (n, features); rows stay as they are.

    values: a map (n, channels, height, width) or (n, height, width, channels) with height = width, tokens
    (n, tokens, channels), or rows. pooling: 'avg', 'max' or 'avg+max'; 'head' is 'avg' here. Raises DataError for an
    output of other dimensions.
    """
    if values.ndim == 4:
        _, first, second, third = values.shape
        last = first == second != third  # channels last, as Swin has them
        values = values.flatten(1, 2) if last else values.flatten(2).transpose(1, 2)
    if values.ndim == 2:
        return values
    if values.ndim != 3:
        raise DataError(f"this layer gives {values.ndim - 1} dimensions an image, which cannot be pooled; name another")
    parts = {"avg": values.mean(1), "max": values.amax(1)}
    return torch.cat([parts[name] for name in pooling.replace("head", "avg").split("+")], 1)


def last_map(net: nn.Module, size: int) -> str:
    """Return the name of the last layer that gives tokens, or a map of more than one pixel a side.

    It is found by running the net on a picture of `size` pixels. Raises UsageError if there is no such layer.
    """
    maps: list[str] = []

    def note(name: str, output: object) -> None:
        if _is_map(output):
            maps.append(name)

    hooks = [
        module.register_forward_hook(lambda _, inputs, output, name=name: note(name, output))
        for name, module in net.named_modules()
        if name and not any(module.children())
    ]
    try:
        with torch.inference_mode():
            net(torch.zeros(1, 3, size, size))
    finally:
        for hook in hooks:
            hook.remove()
    if not maps:
        raise UsageError("this net makes no map of the image that could be pooled; use pooling=head")
    return maps[-1]


def _is_map(output: object) -> bool:
    if not isinstance(output, Tensor):
        return False
    return (output.ndim == 4 and min(output.shape[2:]) > 1) or output.ndim == 3
