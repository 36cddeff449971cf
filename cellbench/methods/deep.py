"""Nets × recipes."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.data import Samples
from ..core.errors import DataError
from ..core.runs import RunLog
from ..training.recipe import Recipe
from .registry import methods

if TYPE_CHECKING:
    from torch import nn

Build = Callable[..., "nn.Module"]


class NetMethod:
    """A net built for the data at hand and trained by a recipe."""

    def __init__(self, build: Build, recipe: Recipe, seed: int, device: str) -> None:
        self._build, self._recipe, self._seed, self._device = build, recipe, seed, device
        self.backend = "torch"
        self.chosen: dict[str, Any] = {}
        self.parameters: int | None = None

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        import torch

        from ..training import loop

        torch.manual_seed(self._seed)  # the weights, and dropout
        _, channels, height, width = train.images.shape
        if height != width:
            raise DataError(
                f"images are {height}×{width}; nets here need square ones: leave size at a number of pixels"
            )
        net = self._build(channels=channels, classes=len(train.classes), size=height)
        self.parameters = sum(p.numel() for p in net.parameters() if p.requires_grad)
        self._model = loop.train(net, self._recipe, train, val, self._seed, self._device, log)
        self.backend = f"torch {self._model.precision}"
        self.chosen = {"epoch": self._model.best_epoch}

    def predict(self, images: NDArray) -> NDArray[np.float32]:
        return self._model.predict(images)


def _build(family: str, **shape: Any) -> Build:
    """The factory `cellbench.nets.<family>.<family>` with `shape` filled in; torch is imported when it is called."""

    def build(**data: Any) -> "nn.Module":
        return getattr(importlib.import_module(f"cellbench.nets.{family}"), family)(**shape, **data)

    return build


FAST = Recipe()  # plain twins too: they are compared with the residual nets, so they train alike
MEDIUM = Recipe(lr=0.05)
SLOW = Recipe(lr=0.02)  # without batch norm, larger steps diverge


@dataclass(frozen=True)
class Standard:
    """A row of the table of standard nets; cost as in MethodEntry."""

    name: str
    summary: str
    build: Build
    recipe: Recipe
    cost: float
    depth: int | None = None
    shortcuts: bool | None = None
    min_size: int = 8


STANDARD = (
    Standard("mlp", "two hidden layers on flattened pixels", _build("mlp"), MEDIUM, 2, min_size=1),
    Standard("cnn", "three convolutions, one hidden layer", _build("cnn"), MEDIUM, 16),
    Standard("alexnet", "AlexNet with a stem and head for small images", _build("alexnet"), SLOW, 30, min_size=31),
    Standard("vgg11", "VGG-11 with batch norm, head 512–512", _build("vgg", depth=11), MEDIUM, 130, min_size=32),
    Standard("vgg16", "VGG-16 with batch norm, head 512–512", _build("vgg", depth=16), MEDIUM, 230, min_size=32),
    Standard("resnet18", "ResNet-18", _build("resnet", depth=18), FAST, 45, 18, True),
    Standard("resnet34", "ResNet-34", _build("resnet", depth=34), FAST, 80, 34, True),
    Standard(
        "plain18", "ResNet-18 without shortcuts", _build("resnet", depth=18, shortcuts=False), FAST, 45, 18, False
    ),
    Standard(
        "plain34", "ResNet-34 without shortcuts", _build("resnet", depth=34, shortcuts=False), FAST, 75, 34, False
    ),
)

for net in STANDARD:
    methods.register(
        net.name,
        summary=net.summary,
        family="deep",
        defaults=net.recipe,
        standard=True,
        depth=net.depth,
        shortcuts=net.shortcuts,
        min_size=net.min_size,
        cost=net.cost,
    )(lambda recipe, seed, device, build=net.build: NetMethod(build, recipe, seed, device))
