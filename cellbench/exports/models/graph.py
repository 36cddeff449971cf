"""A whole model as one module, from raw images to scores and labels."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ... import features as our_features
from ...core.errors import UsageError
from ...core.scoring.pair_scores import LEAD
from ...datasets.preprocessing import Preprocessing
from ...deep.classifier import NetClassifier
from ...methods.probes.heads import FittedHead
from ...methods.probes.probe import FittedProbe
from ...methods.svms.classical import FittedSVM
from ...methods.svms.hybrid import penultimate
from ...running.saved_models import models
from ...running.saved_models.models import Model
from .classifiers import Encoded, HeadOf, NetLayers, Scaled, SVMLayers
from .features import Flattened, Gradients
from .images import Prepared

OUTPUTS = ("scores", "labels", "probabilities")  # the last only of models that have probabilities


class Whole(nn.Module):
    """Raw images, (n, channels, height, width) in the type that the model learnt from, become scores and labels.

    scores: (n, classes) float32. labels: (n,) int64, or (n, classes) bool of several labels an image. probabilities:
    (n, classes) float32, where the scores can be made into these.
    """

    thresholds: Tensor
    slope: Tensor
    offset: Tensor

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.prepared = Prepared(model)
        self.classifier = _classifier(model, models.restore(model, "cpu"))
        self._several, self._has_probabilities = model.multilabel, model.has_probabilities
        slope, offset = _rule(model)
        self.register_buffer("slope", slope)
        self.register_buffer("offset", offset)
        self._votes: float | None = model.calibration.get("votes")
        self._sigmoid = model.multilabel if model.calibration else model.scores == "sigmoid"
        self.register_buffer("thresholds", torch.tensor(model.thresholds or [0.0], dtype=torch.float32))
        self.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        scores = self.classifier(self.prepared(images))
        labels = scores > self.thresholds if self._several else scores.argmax(1)
        if not self._has_probabilities:
            return scores, labels
        straight = scores * self.slope + self.offset
        logits = straight if self._votes is None else self._of_pairs(scores, self._votes)
        return scores, labels, logits.sigmoid() if self._sigmoid else logits.softmax(1)

    def _of_pairs(self, scores: Tensor, weight: float) -> Tensor:
        """Return logits for scores of pairs of classes, as `core.scoring.calibration` does in NumPy."""
        votes = scores.round()
        rest = scores - votes
        logits = self.slope * 3 * rest / (1 - 3 * rest.abs()).clamp(min=1e-6) + weight * votes
        answer = torch.arange(scores.shape[1], device=scores.device) == scores.argmax(1, keepdim=True)
        best_other = logits.masked_fill(answer, -torch.inf).amax(1, keepdim=True)
        return torch.where(answer, torch.maximum(logits, best_other + LEAD), logits)


def _rule(model: Model) -> tuple[Tensor, Tensor]:
    """Return what scores are multiplied by, and what is then added, to make them probabilities; 1 and 0 for no rule."""
    rule = model.calibration or {"slope": [1.0], "offset": [0.0]}
    return torch.tensor(rule["slope"], dtype=torch.float32), torch.tensor(rule["offset"], dtype=torch.float32)


def _classifier(model: Model, scorer: object) -> nn.Module:
    """Return the layers of a scorer. Raises UsageError, with the reason, for one that cannot be exported."""
    if isinstance(scorer, NetClassifier):
        return NetLayers(scorer)
    if isinstance(scorer, FittedSVM):
        layers = _features(model, scorer.features)
        return nn.Sequential(layers, Scaled(scorer.scale), SVMLayers(scorer.machine, scorer.classes))
    if isinstance(scorer, FittedProbe):
        head, encoded = scorer.head, Encoded(scorer.embedder, _shape_and_top(model)[1])
        if isinstance(head, FittedHead):
            return nn.Sequential(encoded, HeadOf(head))
        return nn.Sequential(encoded, Scaled(head.scale), SVMLayers(head.machine, head.classes))
    raise UsageError(
        f"{model.method} cannot be exported: nets, probes and SVMs on pixels, oriented gradients or a net's features "
        "can; label by cellbench predict"
    )


def _features(model: Model, function: Any) -> nn.Module:
    """Return the layers that compute an SVM's features. Raises UsageError for features that have none."""
    known = function.func if isinstance(function, partial) else function
    shape, top = _shape_and_top(model)
    if known is our_features.flatten:
        return Flattened(shape, top or 1.0, **function.keywords)
    if known is our_features.hog and not function.keywords:
        return Gradients(shape, top or 1.0)
    if known is penultimate:
        return NetLayers(function.args[0], inner=True)
    raise UsageError(
        f"{model.method} cannot be exported: its features (texture, co-occurrence and others) are no layers that ONNX "
        "has; export svm-flat, svm-hog, svm-deep or probe-svm, or label by cellbench predict"
    )


def _shape_and_top(model: Model) -> tuple[tuple[int, int], float]:
    """Return height and width after preprocessing, and the greatest value of whole numbers, 0 where there are none."""
    steps = Preprocessing.of_steps(model.preprocessing)
    side = steps.size or steps.crop
    shape = (side, side) if side else (model.height, model.width)
    whole = model.dtype != "float32" and steps.intensity is None
    return shape, float(torch.iinfo(getattr(torch, model.dtype)).max) if whole else 0.0
