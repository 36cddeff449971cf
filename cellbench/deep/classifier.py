"""A net on its device, with all that is needed to score raw images."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core.mixed_values import State
from ..core.tensors import as_tensor
from .normalisation import full_scale, mean_and_deviation
from .precision import Precision, choose_precision
from .recipe import Recipe
from .small_convolutions import fast_small_convolutions

PREDICT_BATCH = 256
PREDICT_PIXELS = 256 * 96 * 96  # larger images are scored in smaller batches


class NetClassifier:
    """A net, trained or not, and how raw images become its input.

    mean, deviation: of raw values by channel, (1, channels, 1, 1) float32; full: the raw value of full scale.
    best_epoch: the epoch that the weights come from, counted from 1; 0 before any.
    """

    def __init__(
        self, net: nn.Module, mean: Tensor, deviation: Tensor, full: float, precision: Precision, device: str
    ) -> None:
        self.net = net.to(device).to(memory_format=torch.channels_last)
        self.mean, self.deviation, self.full = mean.to(device), deviation.to(device), full
        self.precision, self.device = precision, device
        self.best_epoch = 0

    def state(self) -> State:
        """Return all that is needed to make the classifier again, as tensors and numbers; see `of_state`."""
        return {
            "net": self.net.state_dict(),
            "mean": self.mean,
            "deviation": self.deviation,
            "full": self.full,
            "best_epoch": self.best_epoch,
        }

    @classmethod
    def of_state(cls, net: nn.Module, state: State, recipe: Recipe, device: str) -> "NetClassifier":
        """Return the classifier whose state `state` returned; net: a net of the same architecture, to be filled."""
        precision = choose_precision(recipe.precision, device)
        classifier = cls(net, state["mean"], state["deviation"], state["full"], precision, device)
        classifier.net.load_state_dict(state["net"])
        classifier.best_epoch = state["best_epoch"]
        return classifier

    @property
    def black(self) -> Tensor:
        """The normalised value of a raw 0, (1, channels, 1, 1)."""
        return -self.mean / self.deviation

    @property
    def white(self) -> Tensor:
        """The normalised value of the raw full scale, (1, channels, 1, 1)."""
        return (self.full - self.mean) / self.deviation

    def normalise(self, batch: Tensor) -> Tensor:
        """Return raw images, which must be on the net's device, as the net's input, float32."""
        return (batch.to(torch.float32) - self.mean) / self.deviation

    @torch.inference_mode()
    def predict(self, images: Tensor | NDArray) -> NDArray[np.float32]:
        """Return scores (n, classes) for raw images (n, channels, height, width)."""
        self.net.eval()
        images = as_tensor(images)
        at_once = max(1, min(PREDICT_BATCH, PREDICT_PIXELS // (images.shape[2] * images.shape[3])))
        scores = []
        for batch in images.split(at_once):
            pixels = self.normalise(batch.to(self.device)).contiguous(memory_format=torch.channels_last)
            with self.precision(), fast_small_convolutions(self.precision):
                scores.append(self.net(pixels).float())
        return torch.cat(scores).cpu().numpy()


def make_classifier(net: nn.Module, images: Tensor, recipe: Recipe, device: str) -> NetClassifier:
    """Return the net with the precision and normalisation of the recipe; images: the raw training images."""
    full = full_scale(images)
    mean, deviation = mean_and_deviation(images, recipe.normalise, full)
    return NetClassifier(net, mean, deviation, full, choose_precision(recipe.precision, device), device)
