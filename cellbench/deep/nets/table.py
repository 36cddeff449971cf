"""The nets by name. Nothing here imports torch before a net is built."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ...core.errors import DataError, UsageError, did_you_mean
from ...core.extras import EXTRAS

if TYPE_CHECKING:
    from torch import nn

STEMS = ("stock", "small")


@dataclass(frozen=True)
class Net:
    """A row of the table.

    make(channels, classes, size, **options) gives the module; options: which of 'batch_norm' and 'stem' it takes.
    source: where it was published. min_size: the smallest side of an image that it accepts, in pixels.
    depth, shortcuts: of a net that takes part in the depth view. pretrained: the name in another package of the net
    whose ImageNet weights fit this one. needs: the extra that it takes, if any.
    smallest(): what min_size is, where that takes trying, which is slow; None where nobody knows.
    """

    name: str
    summary: str
    source: str
    make: "Callable[..., nn.Module]"
    min_size: int = 8
    depth: int | None = None
    shortcuts: bool | None = None
    options: tuple[str, ...] = ()
    pretrained: str | None = None
    needs: str = ""
    smallest: "Callable[[], int | None] | None" = None

    def build(
        self,
        channels: int,
        classes: int,
        size: int,
        *,
        activation: str = "relu",
        dropout: float | None = None,
        batch_norm: bool | None = None,
        stem: str | None = None,
    ) -> "nn.Module":
        """A fresh net for square images of `size` pixels, its weights drawn from torch's generator.

        activation: 'relu' (as published), 'mish' or 'gelu'. dropout, batch_norm: None as published; dropout is the
        probability of every dropout layer. stem: 'small' (5×5, stride 2) or 'stock'; None chooses by size.
        Raises DataError for images that are too small, UsageError for what this net has no choice of.
        """
        if size < self.min_size:
            raise DataError(
                f"{self.name} needs images of at least {self.min_size} pixels and these have {size}; set a larger size"
            )
        if stem is not None and stem not in STEMS:
            raise UsageError(f"stem is {stem!r}; {did_you_mean(stem, STEMS)}")
        given: dict[str, Any] = {"batch_norm": batch_norm, "stem": stem}
        if "stem" not in self.options and stem == "stock":
            del given["stem"]  # it is the only one that such a net has
        given = {option: value for option, value in given.items() if value is not None}
        for option in given.keys() - set(self.options):
            raise UsageError(f"{self.name} has no choice of {option}; leave it out")
        net = self.make(channels=channels, classes=classes, size=size, **given)

        from .layers import set_activation, set_dropout

        set_activation(net, activation)
        set_dropout(net, dropout)
        return net


def _lazy(place: str, **shape: Any) -> "Callable[..., nn.Module]":
    """The function `module:name` of this folder with `shape` filled in, imported when it is called."""
    module, function = place.split(":")

    def make(**data: Any) -> "nn.Module":
        return getattr(importlib.import_module(f".{module}", __package__), function)(**shape, **data)

    return make


HE = "He et al., CVPR 2016"
YEAST = "yeast study, github.com/DearRush/Deep-learning"
ATLAS = "28-label atlas study"
VGG = "Simonyan & Zisserman, ICLR 2015"


def _rows() -> list[Net]:
    rows = [
        Net("mlp", "two hidden layers on flattened pixels", "–", _lazy("mlp:mlp"), min_size=1),
        Net("cnn", "three convolutions, one hidden layer", "–", _lazy("cnn:cnn"), options=("batch_norm",)),
        Net(
            "fastnet",
            "six convolutions, small and quick",
            "after airbench, Jordan, arXiv 2404.00498",
            _lazy("fastnet:fastnet"),
            min_size=1,
        ),
        Net("cnn2-yeast", "the yeast study's two convolutions", YEAST, _lazy("yeast:cnn2_yeast"), min_size=32),
        Net("cnn3-yeast", "the yeast study's three convolutions", YEAST, _lazy("yeast:cnn3_yeast"), min_size=32),
        Net(
            "vgg-yeast",
            "the yeast study's VGG of 11 layers",
            YEAST,
            _lazy("yeast:vgg_yeast"),
            options=("batch_norm",),
        ),
        Net(
            "alexnet",
            "AlexNet with a stem and head for small images",
            "Krizhevsky, 2014",
            _lazy("alexnet:alexnet"),
            min_size=29,
            options=("stem",),
            pretrained="torchvision:alexnet",
        ),
        Net(
            "alexnet-hep2",
            "AlexNet with the HEp-2 study's classifier",
            "HEp-2 study, github.com/george-chou/HEp-2_cell_classification",
            _lazy("alexnet:alexnet_hep2"),
            min_size=63,
            pretrained="torchvision:alexnet",
        ),
        Net(
            "bninception",
            "BN-Inception, averaged over the image",
            "Ioffe & Szegedy, ICML 2015; " + ATLAS,
            _lazy("inception:bninception"),
            options=("stem",),
        ),
        Net("model2-hpa28", "the atlas study's four parallel branches", ATLAS, _lazy("inception:model2_hpa28")),
        Net(
            "inception_resnet_v2",
            "Inception-ResNet-v2, by timm",
            "Szegedy et al., AAAI 2017",
            _lazy("third_party:build", net="timm:inception_resnet_v2"),
            min_size=75,
            pretrained="timm:inception_resnet_v2",
            needs="timm",
        ),
    ]
    for depth in (11, 13, 16, 19):
        rows.append(
            Net(
                f"vgg{depth}",
                f"VGG-{depth} with batch norm, head 512–512",
                VGG,
                _lazy("vgg:vgg", depth=depth),
                min_size=32,
                options=("batch_norm",),
                pretrained=f"torchvision:vgg{depth}_bn",
            )
        )
    for depth in (18, 34, 50, 101):
        make = partial(_lazy, "resnet:resnet", depth=depth)
        pretrained = f"torchvision:resnet{depth}"
        rows.append(Net(f"resnet{depth}", f"ResNet-{depth}", HE, make(), 8, depth, True, ("stem",), pretrained))
        if depth < 50:
            rows.append(
                Net(
                    f"plain{depth}",
                    f"ResNet-{depth} without shortcuts",
                    HE,
                    make(shortcuts=False),
                    8,
                    depth,
                    False,
                    ("stem",),
                )
            )
    for depth in (20, 32, 44, 56, 110):
        make = partial(_lazy, "cifar:cifar_resnet", depth=depth)
        rows.append(Net(f"resnet{depth}", f"thin ResNet-{depth} for small images", HE, make(), 8, depth, True))
        rows.append(
            Net(f"plain{depth}", f"thin ResNet-{depth} without shortcuts", HE, make(shortcuts=False), 8, depth, False)
        )
    return rows


NETS = {net.name: net for net in _rows()}


def find(name: str) -> Net:
    """The net of this name; `torchvision:NAME` and `timm:NAME` are those packages' classification nets.

    Raises UsageError with a suggestion for an unknown name, BackendError where timm is needed and missing.
    """
    if name in NETS:
        net = NETS[name]
        if net.needs:
            EXTRAS[net.needs].require(name)
        return net
    package, colon, theirs = name.partition(":")
    if not colon:
        raise UsageError(f"no net is called {name!r}; {did_you_mean(name, NETS)}")
    if package not in ("torchvision", "timm"):
        raise UsageError(f"no package of nets is called {package!r}; {did_you_mean(package, ['torchvision', 'timm'])}")
    needs = package if package in EXTRAS else ""
    if needs:
        EXTRAS[needs].require(name)

    from . import third_party

    known = third_party.names(package)
    if theirs.split(".")[0] not in known:  # timm's names may end in .TAG, which says whose weights
        raise UsageError(f"{package} has no net called {theirs!r}; {did_you_mean(theirs, known)}")
    make = _lazy("third_party:build", net=name)
    return Net(
        name,
        f"{theirs}, by {package}",
        package,
        make,
        min_size=1,
        pretrained=name,
        needs=needs,
        smallest=partial(third_party.smallest, name),
    )
