"""What is known of a net before it is built; nothing here imports torch until then."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.errors import DataError, UsageError, did_you_mean
from ...core.training_budget import EPOCHS, SGD_RATE, STEPS
from ..recipe import Recipe, suited

if TYPE_CHECKING:
    from torch import nn

STEMS = ("stock", "small")
# Peak learning rates of SGD in batches of 64.
FAST = SGD_RATE  # residual nets, and their plain twins, which are compared with them and so train alike
MEDIUM = 0.05
SLOW = 0.02  # without batch norm, larger steps diverge


@dataclass(frozen=True)
class Net:
    """A net by name: what it is, how to build it, how to train it.

    make(channels, classes, size, **options) gives the module; options: which of 'batch_norm' and 'stem' it takes.
    source: where it was published, or '–'. min_size: the smallest side of an image that it accepts, in pixels.
    smallest(): the same for a net that has to be tried to know it, which is slow; None if it is unknown.
    depth, shortcuts: of a net that takes part in the depth view. pretrained: the name in another package of the net
    whose ImageNet weights fit this one. needs: the extra of cellbench that it requires, if any.

    Its usual training: sgd_rate, the peak learning rate of SGD in batches of 64; least_epochs, least_batch and
    least_steps of the budget that follows the number of images; cost, seconds for 1,000 images on two processor cores;
    standard: whether `--all` means it too.
    """

    name: str
    summary: str
    make: "Callable[..., nn.Module]"
    source: str = "–"
    min_size: int = 8
    smallest: "Callable[[], int | None] | None" = None
    depth: int | None = None
    shortcuts: bool | None = None
    options: tuple[str, ...] = ()
    pretrained: str | None = None
    needs: str = ""

    sgd_rate: float = MEDIUM
    least_epochs: int = EPOCHS
    least_batch: int = 1
    least_steps: int = STEPS
    cost: float = 100
    standard: bool = False

    def suited(self, recipe: Recipe, n: int) -> Recipe:
        """Return the recipe with what it leaves at auto filled in, as suits this net and n training images."""
        usual = {name: getattr(self, name) for name in ("sgd_rate", "least_epochs", "least_batch", "least_steps")}
        return suited(recipe, n, **usual)

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
        """Return a new net for square images of `size` pixels, with random weights from torch's generator.

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
        given: dict[str, bool | str | None] = {"batch_norm": batch_norm, "stem": stem}
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


def lazy(place: str, **shape: object) -> "Callable[..., nn.Module]":
    """Return a function that calls `module:name` of this folder with `shape` as further arguments.

    The module is imported when the function is called.
    """
    module, function = place.split(":")

    def make(**data: object) -> "nn.Module":
        return getattr(importlib.import_module(f".{module}", __package__), function)(**shape, **data)

    return make
