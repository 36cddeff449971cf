"""The one training loop, from pixels on the device to the checkpoint that did best on validation."""

import copy
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..core.data import Samples
from ..core.errors import TrainingError
from ..core.metrics import validation_figure
from ..core.runs import RunLog
from .augment import augment
from .recipe import Recipe

REHEARSAL_STEPS = 3
PREDICT_BATCH = 512


@dataclass(frozen=True)
class Precision:
    """The type that convolutions and products run in; None is float32 throughout."""

    autocast: torch.dtype | None
    device: str

    def __call__(self) -> torch.autocast:
        return torch.autocast(self.device, self.autocast or torch.bfloat16, enabled=self.autocast is not None)

    def __str__(self) -> str:
        return "bf16" if self.autocast is torch.bfloat16 else "fp32"


def choose_precision(wanted: str, device: str) -> Precision:
    """bf16 when asked for, or for 'auto' when the processor or card has instructions for it."""
    if wanted == "auto":
        if device == "cuda":
            wanted = "bf16" if torch.cuda.get_device_capability() >= (8, 0) else "fp32"
        else:
            wanted = "bf16" if _processor_has_bf16() else "fp32"
    return Precision(torch.bfloat16 if wanted == "bf16" else None, device)


def _processor_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


class Trained:
    """A net on its device with what it needs to read images: the train mean and deviation of every channel."""

    def __init__(self, net: nn.Module, mean: Tensor, deviation: Tensor, precision: Precision, device: str) -> None:
        self.net, self.mean, self.deviation = net, mean, deviation
        self.precision, self.device = precision, device
        self.best_epoch = 0

    def state(self) -> dict[str, Any]:
        """All that makes it what it is, as tensors and numbers."""
        return {
            "net": self.net.state_dict(),
            "mean": self.mean,
            "deviation": self.deviation,
            "best_epoch": self.best_epoch,
        }

    @classmethod
    def of_state(cls, net: nn.Module, state: Mapping[str, Any], recipe: Recipe, device: str) -> "Trained":
        """The net that `state` describes; `net` is one of its shape."""
        net = net.to(device).to(memory_format=torch.channels_last)
        net.load_state_dict(state["net"])
        model = cls(net, state["mean"], state["deviation"], choose_precision(recipe.precision, device), device)
        model.best_epoch = state["best_epoch"]
        return model

    def normalise(self, batch: Tensor) -> Tensor:
        return (batch.to(torch.float32) - self.mean) / self.deviation

    @torch.inference_mode()
    def predict(self, images: Tensor | NDArray) -> NDArray[np.float32]:
        """Scores (n, classes) for raw images (n, channels, height, width)."""
        self.net.eval()
        images = _tensor(images)
        scores = []
        for batch in images.split(PREDICT_BATCH):
            with self.precision():
                out = self.net(self.normalise(batch.to(self.device)).contiguous(memory_format=torch.channels_last))
            scores.append(out.float())
        return torch.cat(scores).cpu().numpy()


def train(net: nn.Module, recipe: Recipe, train: Samples, val: Samples, seed: int, device: str, log: RunLog) -> Trained:
    """Train `net` by `recipe` and return it with the weights of the epoch that did best on val.

    Order of batches and augmentation come from `seed`; the weights are whatever `net` came with.
    Raises TrainingError, naming step and learning rate, when the loss is not finite.
    """
    shuffle = torch.Generator().manual_seed(seed)
    with log.phase("transfer"):
        images = _tensor(train.images).to(device)
        labels = _truth(train.labels).to(device)
        seen_by_val = _tensor(val.images).to(device)
        val_labels = _truth(val.labels)
        mean, deviation = _statistics(images)
        net = net.to(device).to(memory_format=torch.channels_last)
        model = Trained(net, mean, deviation, choose_precision(recipe.precision, device), device)
        synchronise(device)

    steps_an_epoch = max(
        1, len(labels) // recipe.batch
    )  # the last, partial batch is left out: the order is new each time
    batch_size = min(recipe.batch, len(labels))
    total = steps_an_epoch * recipe.epochs

    def step(net: nn.Module, optimiser: torch.optim.Optimizer, batch: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        batch = augment(model.normalise(batch), recipe, shuffle).contiguous(memory_format=torch.channels_last)
        with model.precision():
            scores = net(batch)
        loss = loss_of(scores.float(), truth, recipe.label_smoothing)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        return loss.detach(), scores.detach()

    with log.phase("warmup"):
        _rehearse(step, net, recipe, images[:batch_size], labels[:batch_size])
        shuffle.manual_seed(seed)  # the rehearsal drew from it
        synchronise(device)

    with log.phase("fit"):
        optimiser = _optimiser(net, recipe)
        best, best_state = -1.0, net.state_dict()
        for epoch in range(1, recipe.epochs + 1):
            start = time.perf_counter()
            net.train()
            losses, hits = torch.zeros((), device=device), torch.zeros((), device=device)
            order = torch.randperm(len(labels), generator=shuffle).to(device)
            for i in range(steps_an_epoch):
                at = (epoch - 1) * steps_an_epoch + i
                rate = learning_rate(recipe, (at + 0.5) / total)
                for group in optimiser.param_groups:
                    group["lr"] = rate
                index = order[i * batch_size : (i + 1) * batch_size]
                loss, scores = step(net, optimiser, images[index], labels[index])
                losses += loss
                hits += _right(scores, labels[index])
            # one look an epoch: asking at every step would make a GPU wait
            if not math.isfinite(mean_loss := losses.item() / steps_an_epoch):
                raise TrainingError(
                    f"the loss is {mean_loss} in epoch {epoch} (step {at + 1}, learning rate {rate:.3g}); lower lr"
                )
            val_scores = model.predict(seen_by_val)
            figure, score = validation_figure(val.labels, val_scores)
            if score > best:
                best, model.best_epoch, best_state = score, epoch, copy.deepcopy(net.state_dict())
            log.epoch(
                epoch=epoch,
                epochs=recipe.epochs,
                lr=rate,
                train_loss=mean_loss,
                train_accuracy=hits.item() / (steps_an_epoch * batch_size),
                val_loss=float(loss_of(torch.from_numpy(val_scores), val_labels)),
                val_accuracy=float(_right(torch.from_numpy(val_scores), val_labels)) / len(val),
                seconds=time.perf_counter() - start,
                **{f"val_{figure}": score},
            )
        net.load_state_dict(best_state)
        synchronise(device)
    return model


def loss_of(scores: Tensor, truth: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Cross-entropy for class numbers (n,); binary cross-entropy for several labels an image, float (n, classes)."""
    if truth.ndim == 2:
        smooth = truth * (1 - label_smoothing) + label_smoothing / 2
        return F.binary_cross_entropy_with_logits(scores, smooth)
    return F.cross_entropy(scores, truth, label_smoothing=label_smoothing)


def learning_rate(recipe: Recipe, progress: float) -> float:
    """The rate at `progress` 0..1 through training. One-cycle: 30 % linear rise, then cosine fall (Smith, 2018)."""
    if recipe.schedule == "constant":
        return recipe.lr
    rise = 0.3 if recipe.schedule == "one-cycle" else 0.0
    if progress < rise:
        return recipe.lr * max(progress / rise, 0.04)
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * (progress - rise) / (1 - rise)))


def synchronise(device: str) -> None:
    """Wait until the device has done all that it was asked, so that a clock read afterwards is true."""
    if device == "cuda":
        torch.cuda.synchronize()


def _rehearse(step, net: nn.Module, recipe: Recipe, batch: Tensor, truth: Tensor) -> None:  # type: ignore[no-untyped-def]
    """A few steps of a copy of the net on shuffled labels: kernels are chosen and memory taken, nothing leaks."""
    twin = copy.deepcopy(net).train()
    optimiser = _optimiser(twin, recipe)
    with torch.random.fork_rng(["cuda"] if batch.is_cuda else []):  # dropout's draws are put back as well
        for _ in range(REHEARSAL_STEPS):
            step(twin, optimiser, batch, truth[torch.randperm(len(truth), device=truth.device)])


def _optimiser(net: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Weights decay; biases and batch-norm's parameters, which have one dimension, don't."""
    weights = [p for p in net.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in net.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0)


def _statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel, (1, channels, 1, 1) float32, from chunks so that little memory is used."""
    total = torch.zeros(2, images.shape[1], dtype=torch.float64, device=images.device)
    for chunk in images.split(PREDICT_BATCH):
        values = chunk.to(torch.float64)
        total += torch.stack([values.sum((0, 2, 3)), values.square().sum((0, 2, 3))])
    mean, square = total / (images.numel() / images.shape[1])
    deviation = (square - mean**2).clamp(min=0).sqrt()
    deviation[deviation == 0] = 1  # an empty channel stays zero
    return mean.to(torch.float32).view(1, -1, 1, 1), deviation.to(torch.float32).view(1, -1, 1, 1)


def _truth(labels: NDArray) -> Tensor:
    """Class numbers as they are; several labels an image as float32, as binary cross-entropy wants them."""
    return torch.from_numpy(labels.astype(np.float32) if labels.ndim == 2 else np.array(labels))


def _right(scores: Tensor, truth: Tensor) -> Tensor:
    """How many images have the right label, or exactly the right labels."""
    if truth.ndim == 2:
        return ((scores > 0) == truth.bool()).all(1).sum()
    return (scores.argmax(1) == truth).sum()


def _tensor(images: Tensor | NDArray) -> Tensor:
    return images if isinstance(images, Tensor) else torch.from_numpy(np.ascontiguousarray(images))
