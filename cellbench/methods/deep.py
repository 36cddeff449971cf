"""Nets × recipes."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.data import Samples
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
        net = self._build(channels=channels, classes=len(train.classes), size=min(height, width))
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


RESIDUAL = Recipe()
PLAIN = Recipe(lr=0.05)  # nets that no shortcut steadies diverge at a peak of 0.1
UNNORMALISED = Recipe(lr=0.02)  # no batch norm


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


STANDARD = (
    Standard("mlp", "two hidden layers on flattened pixels", _build("mlp"), PLAIN, 3),
    Standard("cnn", "three convolutions, one hidden layer", _build("cnn"), PLAIN, 15),
    Standard("alexnet", "AlexNet with a stem and head for small images", _build("alexnet"), UNNORMALISED, 20),
    Standard("vgg11", "VGG-11 with batch norm, head 512–512", _build("vgg", depth=11), PLAIN, 190),
    Standard("vgg16", "VGG-16 with batch norm, head 512–512", _build("vgg", depth=16), PLAIN, 340),
    Standard("resnet18", "ResNet-18", _build("resnet", depth=18), RESIDUAL, 65, 18, True),
    Standard("resnet34", "ResNet-34", _build("resnet", depth=34), RESIDUAL, 110, 34, True),
    Standard(
        "plain18", "ResNet-18 without shortcuts", _build("resnet", depth=18, shortcuts=False), RESIDUAL, 65, 18, False
    ),
    Standard(
        "plain34", "ResNet-34 without shortcuts", _build("resnet", depth=34, shortcuts=False), RESIDUAL, 110, 34, False
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
        cost=net.cost,
    )(lambda recipe, seed, device, build=net.build: NetMethod(build, recipe, seed, device))
