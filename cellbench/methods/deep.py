"""Methods that train a net by a recipe: one for every net, each with the same settings."""

from collections.abc import Callable, Mapping
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.data import Images, Samples
from ..core.machine.contention import Spent
from ..core.mixed_values import Facts, SettingValues, State
from ..core.records.runs import RunLog
from ..core.records.store import write_whole
from ..deep.nets.net import Net
from ..deep.nets.table import NETS, find
from ..deep.recipe import Recipe
from .inputs import square_side
from .registry import MethodEntry, methods

if TYPE_CHECKING:
    from torch import nn

    from ..deep.classifier import NetClassifier

B = TypeVar("B", bound=Callable[..., "nn.Module"])


class NetMethod:
    """A net built for the data at hand and trained by a recipe."""

    def __init__(self, net: Net, recipe: Recipe, seed: int, device: str) -> None:
        self._net, self._recipe, self._seed, self._device = net, recipe, seed, device
        self.backend = "torch"
        self.chosen: SettingValues = {}
        self.facts: Facts = {}
        self.parameters: int | None = None

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        from ..deep.training import loop, losses

        net = self._build(train)
        if self._recipe.weights is not None:
            from ..deep.pretrained.weights import load_weights

            self.facts = load_weights(net, self._net.name, self._recipe.weights)
        self._scores = losses.scores_are(self._recipe, train.multilabel)
        self._settle(loop.train(net, self._recipe, train, val, self._seed, self._device, log))

    def predict(self, images: Images) -> NDArray[np.float32]:
        return self.model.predict(images)

    def state(self) -> State:
        return {**self.model.state(), "built": self._built, "scores": self._scores}

    def save(self, path: Path, seconds: Mapping[str, float], spent: Spent) -> None:
        """Write the trained net and the cost of its training, seconds by phase and `spent`, to a file for `load`."""
        import torch

        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {"state": self.state(), "seconds": dict(seconds), "spent": astuple(spent), "facts": self.facts}
        write_whole(path, lambda file: torch.save(kept, file))

    def load(self, path: Path) -> tuple[Mapping[str, float], Spent]:
        """Load the net that `save` wrote, and return the cost of its training: seconds by phase, and `spent`.

        Raises OSError for a file that cannot be opened, NoTensorsError for a damaged one, and RuntimeError, TypeError
        or LookupError for one that holds something else.
        """
        from ..core.tensors import load_tensors

        kept = load_tensors(path)
        self._settle(restore(self._net, self._recipe, kept["state"], self._device))
        self._built, self._scores, self.facts = kept["state"]["built"], kept["state"]["scores"], kept["facts"]
        return kept["seconds"], Spent(*kept["spent"])

    def _build(self, train: Samples) -> "nn.Module":
        """Return a new net for the training images' channels, size and classes; its weights come from the seed."""
        import torch

        torch.manual_seed(self._seed)  # the weights, and dropout
        side = square_side(train)
        recipe = self._recipe
        stem = None if recipe.stem == "auto" else recipe.stem
        if recipe.weights is not None and stem is None and "stem" in self._net.options:
            from ..deep.pretrained.weights import stem_of

            stem = stem_of(recipe.weights)
        self._built = {
            "channels": train.images.shape[1],
            "classes": len(train.classes),
            "size": side,
            "activation": recipe.activation,
            "dropout": recipe.dropout,
            "batch_norm": recipe.batch_norm,
            "stem": stem,
        }
        return self._net.build(**self._built)

    def _settle(self, model: "NetClassifier") -> None:
        self.model = model
        self.backend = f"torch {model.precision}"
        self.chosen = {"epoch": model.best_epoch}
        self.parameters = sum(p.numel() for p in model.net.parameters())


def restore(net: Net, recipe: Recipe, state: State, device: str) -> "NetClassifier":
    """Return the trained net whose state `NetMethod.state` returned."""
    from ..deep.classifier import NetClassifier

    return NetClassifier.of_state(net.build(**state["built"]), state, recipe, device)


def entry_of(net: Net) -> MethodEntry:
    """Return the registry entry of the method that trains `net`."""
    return MethodEntry(
        name=net.name,
        factory=partial(NetMethod, net),
        summary=net.summary,
        family="deep",
        defaults=Recipe(),
        standard=net.standard,
        depth=net.depth,
        shortcuts=net.shortcuts,
        min_size=net.min_size,
        smallest=net.smallest,
        suited=net.suited,
        cost=net.cost,
        revision=2,
        restore=partial(restore, net),
        needs=net.needs,
    )


def register_net(name: str, summary: str, **facts: Any) -> Callable[[B], B]:
    """Return a decorator that registers a function as a net, together with a method that trains the net.

    The function takes (channels, classes, size) and returns a module.

    facts: further fields of `Net`, such as source, min_size and sgd_rate.
    """

    def add(make: B) -> B:
        net = Net(name, summary, make, **facts)
        methods.add(entry_of(net))
        NETS[name] = net
        return make

    return add


for net in NETS.values():
    methods.add(entry_of(net))
for package in ("torchvision", "timm"):
    methods.add_open(f"{package}:", lambda name: entry_of(find(name)))
