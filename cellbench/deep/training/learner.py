"""What happens to one batch, and how one step changes the weights."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..augmentation.augment import augment
from ..augmentation.mixup import mix
from ..classifier import NetClassifier
from ..recipe import Recipe
from ..small_convolutions import fast_small_convolutions
from .losses import Loss
from .optimisers import axes_in_memory_order, make_optimiser


@dataclass(frozen=True)
class Learner:
    """A net and all that is needed to train it.

    forward: the net of `classifier`, or what torch.compile made of it. scaler: see `make_scaler`. random: order of
    images, augmentation and mixing come from it; dropout draws from torch's own generator.
    """

    recipe: Recipe
    classifier: NetClassifier
    forward: Callable[[Tensor], Tensor]
    loss: Loss
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    random: torch.Generator


@dataclass(frozen=True)
class BatchResult:
    """The result of one batch, on the device: the loss, the scores (n, classes) and the labels (n, classes).

    Labels are float and as the loss got them, so those of mixed images are shares.
    """

    loss: Tensor
    scores: Tensor
    labels: Tensor


def make_learner(classifier: NetClassifier, recipe: Recipe, loss: Loss, seed: int) -> Learner:
    """Return a learner at the start of training; the net is compiled, if at all, at the first batch."""
    return Learner(
        recipe,
        classifier,
        forward=torch.compile(classifier.net) if recipe.compile else classifier.net,
        loss=loss,
        optimiser=make_optimiser(classifier.net, recipe),
        scaler=make_scaler(classifier),
        random=torch.Generator().manual_seed(seed),
    )


def make_scaler(classifier: NetClassifier) -> torch.amp.GradScaler:
    """Return a scaler that keeps small gradients above fp16's smallest number; it does nothing in other precisions."""
    return torch.amp.GradScaler(classifier.device, enabled=str(classifier.precision) == "fp16")


def backward(learner: Learner, images: Tensor, labels: Tensor, share: float = 1.0) -> BatchResult:
    """Run the net on a batch of raw images, and add `share` times the loss's gradient to the weights' gradients."""
    recipe, classifier = learner.recipe, learner.classifier
    pixels = augment(classifier.normalise(images), recipe, learner.random, classifier.black, classifier.white)
    pixels, labels = mix(pixels, labels, recipe, learner.random)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    with classifier.precision(), fast_small_convolutions(classifier.precision):
        scores = learner.forward(pixels)
    loss = learner.loss(scores.float(), labels)
    learner.scaler.scale(loss * share).backward()
    return BatchResult(loss.detach(), scores.detach(), labels)


def step(learner: Learner) -> None:
    """Move the weights by their gradients, bounded as the recipe says, and forget the gradients."""
    recipe, optimiser, scaler = learner.recipe, learner.optimiser, learner.scaler
    weights = list(learner.classifier.net.parameters())
    if recipe.clip_norm or recipe.clip_value:
        scaler.unscale_(optimiser)  # the bounds are of true gradients
    if recipe.clip_norm:
        nn.utils.clip_grad_norm_(weights, recipe.clip_norm)
    if recipe.clip_value:
        nn.utils.clip_grad_value_(weights, recipe.clip_value)
    with axes_in_memory_order(optimiser):
        scaler.step(optimiser)
    scaler.update()
    optimiser.zero_grad(set_to_none=True)
