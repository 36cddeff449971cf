"""Nets × recipes."""

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
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

    from ..training.loop import Trained

Build = Callable[..., "nn.Module"]


class NetMethod:
    """A net built for the data at hand and trained by a recipe."""

    def __init__(self, build: Build, recipe: Recipe, seed: int, device: str) -> None:
        self._build, self._recipe, self._seed, self._device = build, recipe, seed, device
        self.backend = "torch"
        self.chosen: dict[str, Any] = {}
        self.parameters: int | None = None

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        from ..training import loop

        model = loop.train(self._net(train), self._recipe, train, val, self._seed, self._device, log)
        self._settle(model)

    def predict(self, images: NDArray) -> NDArray[np.float32]:
        return self.model.predict(images)

    def save(self, path: Path, seconds: Mapping[str, float]) -> None:
        """Keep the trained net and what its training cost, seconds by phase, in a file that torch reads."""
        import torch

        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
        kept = {"state": self.model.state(), "seconds": dict(seconds)}
        torch.save(kept, unfinished)
        unfinished.replace(path)

    def load(self, path: Path, train: Samples) -> Mapping[str, float]:
        """Take the net that `save` kept, for images like those of `train`; returns what its training cost."""
        import torch

        from ..training import loop

        kept = torch.load(path, map_location=self._device, weights_only=True)
        self._settle(loop.Trained.of_state(self._net(train), kept["state"], self._recipe, self._device))
        return kept["seconds"]

    def _net(self, train: Samples) -> "nn.Module":
        """A fresh net for such images and classes; its weights come from the seed."""
        import torch

        torch.manual_seed(self._seed)  # the weights, and dropout
        _, channels, height, width = train.images.shape
        if height != width:
            raise DataError(
                f"images are {height}×{width}; nets here need square ones: leave size at a number of pixels"
            )
        net = self._build(channels=channels, classes=len(train.classes), size=height)
        self.parameters = sum(p.numel() for p in net.parameters() if p.requires_grad)
        return net

    def _settle(self, model: "Trained") -> None:
        self.model = model
        self.backend = f"torch {model.precision}"
        self.chosen = {"epoch": model.best_epoch}


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
