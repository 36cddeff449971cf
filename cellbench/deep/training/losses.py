"""The loss of a recipe: one number from scores and labels, both (n, classes)."""

from collections.abc import Callable

import torch
import torchvision
from torch import Tensor
from torch.nn import functional as F

from ...core.errors import UsageError
from ..recipe import Recipe

Loss = Callable[..., Tensor]

ONE_LABEL = ("cross-entropy", "softmax-cross-entropy")


def make_loss(recipe: Recipe, truth: Tensor, multilabel: bool) -> Loss:
    """Return the recipe's loss: a function of scores, labels (float (n, classes), from 0 to 1) and label smoothing.

    truth: the labels of the training images, which class weights follow from. smoothing defaults to the recipe's.
    Focal loss: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, without its alpha.
    Raises UsageError when the loss is for one label an image and these have several.
    """
    kind = recipe.loss if recipe.loss != "auto" else ("bce" if multilabel else "cross-entropy")
    if multilabel and kind in ONE_LABEL:
        raise UsageError(f"loss is {kind!r}, for one label an image, and these have several; use bce, focal, smooth-l1")
    weight = class_weights(truth) if recipe.class_weight == "balanced" else None

    def loss(scores: Tensor, truth: Tensor, smoothing: float = recipe.label_smoothing) -> Tensor:
        if kind in ONE_LABEL:
            scores = scores.softmax(1) if kind == "softmax-cross-entropy" else scores
            return F.cross_entropy(scores, truth, weight, label_smoothing=smoothing)
        # as cross-entropy spreads a share over all classes, here over the two answers yes and no
        truth = truth * (1 - smoothing) + smoothing / 2
        if kind == "smooth-l1" and multilabel:
            scores = scores.sigmoid()  # prediction takes scores of several labels as logits
        by_class = _by_class(kind, scores, truth, recipe.focal_gamma)
        return (by_class if weight is None else by_class * weight).mean()

    return loss


def scores_are(recipe: Recipe, multilabel: bool) -> str:
    """Return what turns the scores of a net trained with this loss into probabilities.

    It is 'softmax' or 'sigmoid', or '' if there is no such function.
    """
    if recipe.loss == "smooth-l1" and not multilabel:
        return ""  # the loss draws the scores themselves to 0 and 1
    return "sigmoid" if multilabel or recipe.loss in ("bce", "focal") else "softmax"


def class_weights(truth: Tensor) -> Tensor:
    """Return weights (classes,) in inverse proportion to the images of a class; their mean over all labels is 1.

    A class without images has the weight of the rarest.
    """
    counts = truth.sum(0)
    present = counts > 0
    if not present.any():
        return torch.ones_like(counts)
    counts = counts.clamp(min=counts[present].min())
    return counts[present].sum() / (present.sum() * counts)


def _by_class(kind: str, scores: Tensor, truth: Tensor, gamma: float) -> Tensor:
    if kind == "focal":
        return torchvision.ops.sigmoid_focal_loss(scores, truth, alpha=-1, gamma=gamma)
    if kind == "smooth-l1":
        return F.smooth_l1_loss(scores, truth, reduction="none")
    return F.binary_cross_entropy_with_logits(scores, truth, reduction="none")
