"""A net on its device, with all that it takes to score raw images."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...core.tensors import as_tensor
from ..nets.third_party import IMAGENET
from ..recipe import Recipe
from .small_convolutions import SmallMaps

PREDICT_BATCH = 256
PREDICT_PIXELS = 256 * 96 * 96  # larger images are scored in smaller batches
CHUNK_PIXELS = 2**22  # that statistics are taken of at a time


@dataclass(frozen=True)
class Precision:
    """The type that convolutions and products run in; None is float32 throughout."""

    autocast: torch.dtype | None
    device: str

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        on_processor = self.device == "cpu" and self.autocast is torch.bfloat16
        with (
            torch.autocast(self.device, self.autocast or torch.bfloat16, enabled=self.autocast is not None),
            SmallMaps() if on_processor else contextlib.nullcontext(),
        ):
            yield

    def __str__(self) -> str:
        return {torch.bfloat16: "bf16", torch.float16: "fp16", None: "fp32"}[self.autocast]


def choose_precision(wanted: str, device: str) -> Precision:
    """bf16 or fp16 when asked for; 'auto' is bf16 when the processor or card has instructions for it."""
    if wanted == "auto":
        if device == "cuda":
            wanted = "bf16" if torch.cuda.get_device_capability() >= (8, 0) else "fp32"
        else:
            wanted = "bf16" if _processor_has_bf16() else "fp32"
    return Precision({"bf16": torch.bfloat16, "fp16": torch.float16}.get(wanted), device)


def _processor_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


class Trained:
    """A net on its device with what it needs to read images.

    mean, deviation: of raw values by channel, (1, channels, 1, 1) float32; full: the raw value of full scale.
    """

    def __init__(
        self, net: nn.Module, mean: Tensor, deviation: Tensor, full: float, precision: Precision, device: str
    ) -> None:
        self.net = net.to(device).to(memory_format=torch.channels_last)
        self.mean, self.deviation, self.full = mean.to(device), deviation.to(device), full
        self.precision, self.device = precision, device
        self.best_epoch = 0

    def state(self) -> dict[str, Any]:
        """All that makes it what it is, as tensors and numbers."""
        return {
            "net": self.net.state_dict(),
            "mean": self.mean,
            "deviation": self.deviation,
            "full": self.full,
            "best_epoch": self.best_epoch,
        }

    @classmethod
    def of_state(cls, net: nn.Module, state: Mapping[str, Any], recipe: Recipe, device: str) -> "Trained":
        """The net that `state` describes; `net` is one of its shape."""
        precision = choose_precision(recipe.precision, device)
        model = cls(net, state["mean"], state["deviation"], state["full"], precision, device)
        model.net.load_state_dict(state["net"])
        model.best_epoch = state["best_epoch"]
        return model

    @property
    def black(self) -> Tensor:
        """What the raw value 0 becomes, (1, channels, 1, 1)."""
        return -self.mean / self.deviation

    @property
    def white(self) -> Tensor:
        """What full scale becomes, (1, channels, 1, 1)."""
        return (self.full - self.mean) / self.deviation

    def normalise(self, batch: Tensor) -> Tensor:
        return (batch.to(torch.float32) - self.mean) / self.deviation

    @torch.inference_mode()
    def predict(self, images: Tensor | NDArray) -> NDArray[np.float32]:
        """Scores (n, classes) for raw images (n, channels, height, width)."""
        self.net.eval()
        images = as_tensor(images)
        at_once = max(1, min(PREDICT_BATCH, PREDICT_PIXELS // (images.shape[2] * images.shape[3])))
        scores = []
        for batch in images.split(at_once):
            with self.precision():
                out = self.net(self.normalise(batch.to(self.device)).contiguous(memory_format=torch.channels_last))
            scores.append(out.float())
        return torch.cat(scores).cpu().numpy()


def reader(net: nn.Module, images: Tensor, recipe: Recipe, device: str) -> Trained:
    """The net with the normalisation that the recipe asks for; images: the training ones, raw."""
    full = _full_scale(images)
    mean, deviation = _normalisation(images, recipe.normalise, full)
    return Trained(net, mean, deviation, full, choose_precision(recipe.precision, device), device)


def _full_scale(images: Tensor) -> float:
    """The largest raw value there can be; of floating-point images, the largest there is."""
    if images.dtype.is_floating_point:
        return max(float(images.amax()), torch.finfo(torch.float32).tiny)
    return float(torch.iinfo(images.dtype).max)


def _normalisation(images: Tensor, kind: str, full: float) -> tuple[Tensor, Tensor]:
    """Mean and deviation to normalise by. ImageNet's, for another number of channels than three: their average."""
    channels = images.shape[1]
    if kind == "train":
        return channel_statistics(images)
    if kind == "half":
        values = torch.full((2, channels), 0.5)
    else:
        values = torch.tensor(IMAGENET)
        values = values if channels == 3 else values.mean(1, keepdim=True).expand(2, channels)
    mean, deviation = (values * full).view(2, 1, channels, 1, 1)
    return mean, deviation


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel, (1, channels, 1, 1) float32, where the images are.

    From chunks, so that little memory is used; an image's sums are taken in float32, those of images in float64.
    """
    total = torch.zeros(2, images.shape[1], dtype=torch.float64, device=images.device)
    for chunk in images.split(max(1, CHUNK_PIXELS // images[0].numel())):
        values = chunk.to(torch.float32)
        sums = torch.stack([values.sum((2, 3)), values.square_().sum((2, 3))])
        total += sums.to(torch.float64).sum(1)
    mean, square = total / (images.numel() / images.shape[1])
    deviation = (square - mean**2).clamp(min=0).sqrt()
    deviation[deviation <= 1e-6 * mean.abs()] = 1  # an empty channel stays zero
    return mean.to(torch.float32).view(1, -1, 1, 1), deviation.to(torch.float32).view(1, -1, 1, 1)
