"""Nets with parallel branches: BN-Inception, and nets of the atlas studies."""

from collections import OrderedDict
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import third_party
from .layers import named_last_linear, wants_small

HIDDEN = 256  # units of the first layer of inception_resnet_v2-hpa10's head


class Widths(NamedTuple):
    """The widths of a block's branches, a row of the layer table.

    The branches are a 1×1 convolution; a 3×3 one after a reduction; two 3×3 ones after a reduction; and a pool with
    its projection. Without a 1×1 branch the block halves the image and its pool is passed through as it is.
    """

    one: int
    three_reduce: int
    three: int
    double_reduce: int
    double: int
    pool: Literal["avg", "max"]
    projection: int


BLOCKS = {
    "3a": Widths(64, 64, 64, 64, 96, "avg", 32),
    "3b": Widths(64, 64, 96, 64, 96, "avg", 64),
    "3c": Widths(0, 128, 160, 64, 96, "max", 0),
    "4a": Widths(224, 64, 96, 96, 128, "avg", 128),
    "4b": Widths(192, 96, 128, 96, 128, "avg", 128),
    "4c": Widths(160, 128, 160, 128, 160, "avg", 128),
    "4d": Widths(96, 128, 192, 160, 192, "avg", 128),
    "4e": Widths(0, 128, 192, 192, 256, "max", 0),
    "5a": Widths(352, 192, 320, 160, 224, "avg", 128),
    "5b": Widths(352, 192, 320, 192, 224, "max", 128),
}


class PassThrough(nn.Module):
    """A 3×3 max-pool of stride 2 whose result has the size that the strided convolutions of the block have."""

    def forward(self, x: Tensor) -> Tensor:
        odd = x.shape[-1] % 2
        if odd:  # rounding up leaves out the last pixel of an odd side; nothing is larger than the padding is small
            x = F.pad(x, (0, 1, 0, 1), value=float("-inf"))
        return F.max_pool2d(x, 3, 2, ceil_mode=True)


class Inception(nn.Module):
    """Parallel branches whose outputs are concatenated; layers are named as in the published weights."""

    def __init__(self, channels: int, widths: Widths) -> None:
        super().__init__()
        stride = 1 if widths.one else 2
        if widths.one:
            self.add_module("1x1", _convolutions(channels, ("1x1", widths.one, 1, 1)))
        self.add_module(
            "3x3",
            _convolutions(channels, ("3x3_reduce", widths.three_reduce, 1, 1), ("3x3", widths.three, 3, stride)),
        )
        double = _convolutions(
            channels,
            ("double_3x3_reduce", widths.double_reduce, 1, 1),
            ("double_3x3_1", widths.double, 3, 1),
            ("double_3x3_2", widths.double, 3, stride),
        )
        self.add_module("double_3x3", double)
        if not widths.one:
            self.add_module("pool", PassThrough())
        else:
            pool = {"avg": nn.AvgPool2d, "max": nn.MaxPool2d}[widths.pool](3, stride=1, padding=1)
            projection = _convolutions(channels, ("pool_proj", widths.projection, 1, 1))
            self.add_module("pool", nn.Sequential(OrderedDict(pool=pool, **dict(projection.named_children()))))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.children()], dim=1)


def _convolutions(channels: int, *rows: tuple[str, int, int, int]) -> nn.Sequential:
    """Return a convolution, batch norm and ReLU for each row (name, width, kernel, stride), one after the other."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, width, kernel, stride in rows:
        # a bias before batch norm does nothing; the published weights have it
        layers[name] = nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2)
        layers[f"{name}_bn"] = nn.BatchNorm2d(width)
        layers[f"{name}_relu"] = nn.ReLU(inplace=True)
        channels = width
    return nn.Sequential(layers)


def bninception(channels: int, classes: int, size: int, stem: str | None = None) -> nn.Module:
    """Return the BN-Inception of the 28-label atlas study, averaged over the image before its last layer.

    Needs images of at least 8 pixels.

    Source: Ioffe & Szegedy, "Batch Normalization", ICML 2015, figure 5, whose branch widths are right where its
    printed sizes are not: blocks 4c and 4d give 608 channels, 4e gives 1,056.
    """
    kernel = 5 if wants_small(stem, size) else 7
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers.update(_convolutions(channels, ("conv1_7x7_s2", 64, kernel, 2)).named_children())
    layers["pool1_3x3_s2"] = nn.MaxPool2d(3, 2, ceil_mode=True)
    layers.update(_convolutions(64, ("conv2_3x3_reduce", 64, 1, 1), ("conv2_3x3", 192, 3, 1)).named_children())
    layers["pool2_3x3_s2"] = nn.MaxPool2d(3, 2, ceil_mode=True)
    width = 192
    for name, widths in BLOCKS.items():
        layers[f"inception_{name}"] = Inception(width, widths)
        width = widths.one + widths.three + widths.double + (widths.projection or width)
    layers |= {
        "global_pool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "last_linear": nn.Linear(width, classes),
    }
    return _initialised(nn.Sequential(layers))


class Parallel(nn.ModuleList):
    """Branches that all take the same input, and whose outputs are concatenated."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self], dim=1)


def model2_hpa28(channels: int, classes: int, size: int) -> nn.Module:
    """Return a net of three convolutions, four parallel branches, then two convolutions.

    Source: "Model2" of the 28-label atlas study, whose text gives this order and no widths: widths, kernels (1, 3, 5
    and 7, a branch each) and strides are ours.
    """
    branches = [_convolutions(128, ("first", 64, kernel, 1), ("second", 64, kernel, 1)) for kernel in (1, 3, 5, 7)]
    net = nn.Sequential(
        OrderedDict(
            before=_convolutions(channels, ("first", 32, 3, 2), ("second", 64, 3, 1), ("third", 128, 3, 2)),
            branches=Parallel(branches),
            after=_convolutions(256, ("first", 256, 3, 2), ("second", 256, 3, 2)),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            last_linear=nn.Linear(256, classes),
        )
    )
    return _initialised(net)


def _initialised(net: nn.Sequential) -> nn.Sequential:
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return net


def inception_resnet_v2_hpa10(channels: int, classes: int, size: int) -> nn.Module:
    """Return timm's Inception-ResNet-v2 with a head of two layers, as the ten-label atlas study put on top of it.

    The study says that there are two; a width of HIDDEN and the ReLU between them are ours. Raises DataError for images
    of less than 75 pixels.
    """
    net = third_party.build("timm:inception_resnet_v2", channels, classes, size)
    name, last = named_last_linear(net)
    net.set_submodule(name, nn.Sequential(nn.Linear(last.in_features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, classes)))
    return net
