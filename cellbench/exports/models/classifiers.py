"""Fitted nets, encoders, SVMs and other heads, as layers that other programs can run. All computes in float32, but for
the sums of support vector machines, and their kernels where training had them in float64."""

import copy
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...core.errors import UsageError
from ...deep.classifier import NetClassifier
from ...deep.nets.layers import inputs_of, last_linear, outputs_of
from ...deep.pretrained.encoders import pool
from ...methods.probes.embedding import Embedder, views_of
from ...methods.probes.heads import TEMPERATURE, FittedHead, Linear, Neighbours
from ...svm.classifier import SVC
from ...svm.kernels import product_dtype, squares
from ...svm.votes import pairs_of
from .images import three_channels

if TYPE_CHECKING:
    from ...features.tensors import Standardiser


class NetLayers(nn.Module):
    """A net with the normalisation of its input; gives scores, or with `inner` the inputs of its last linear layer."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, classifier: NetClassifier, inner: bool = False) -> None:
        super().__init__()
        self.net = copy.deepcopy(classifier.net).cpu().to(memory_format=torch.contiguous_format).eval()
        self._inner = inner
        self.register_buffer("mean", classifier.mean.cpu())
        self.register_buffer("deviation", classifier.deviation.cpu())

    def forward(self, images: Tensor) -> Tensor:
        values = (images - self.mean) / self.deviation
        if not self._inner:
            return self.net(values)
        with inputs_of(last_linear(self.net)) as reached:
            self.net(values)
        return reached[-1]


class Encoded(nn.Module):
    """Computes embeddings of images (n, channels, size, size) as methods.probes.embedding.Embedder does.

    top: the greatest value of the images' type, 0 where they are no whole numbers.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, embedder: Embedder, top: float) -> None:
        super().__init__()
        self._top = top
        encoder = embedder.encoder
        self.net = copy.deepcopy(encoder.net).cpu().to(memory_format=torch.contiguous_format).eval()
        self._layer, self._pooling = encoder.layer, encoder.pooling
        self._each, self._full, self._views = embedder.channel_mode == "each", embedder.full, embedder.views
        self.register_buffer("mean", encoder.mean.cpu())
        self.register_buffer("deviation", encoder.deviation.cpu())

    def forward(self, images: Tensor) -> Tensor:
        if self._each:
            pictures = images.shape[1]
            values = (images / self._full).flatten(0, 1)[:, None].expand(-1, 3, -1, -1)
        else:
            pictures = 1
            values = three_channels(images, self._top) / self._full
        encoded = self._encode(torch.cat(list(views_of(values, self._views))))
        mean = encoded.reshape(self._views, -1, encoded.shape[1]).mean(0)
        return mean.reshape(-1, pictures * encoded.shape[1])

    def _encode(self, pictures: Tensor) -> Tensor:
        values = (pictures - self.mean) / self.deviation
        if self._layer is None:
            with inputs_of(last_linear(self.net)) as inputs:
                self.net(values)
            return inputs[-1].flatten(1)
        with outputs_of(self.net.get_submodule(self._layer)) as outputs:
            self.net(values)
        return pool(outputs[-1], self._pooling)


class Scaled(nn.Module):
    """Standardised features; without a standardiser as they are."""

    mean: Tensor
    factor: Tensor

    def __init__(self, scale: "Standardiser | None") -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1) if scale is None else scale.mean.cpu())
        self.register_buffer("factor", torch.ones(1) if scale is None else scale.factor.cpu())

    def forward(self, features: Tensor) -> Tensor:
        return (features - self.mean) * self.factor


class SVMLayers(nn.Module):
    """A fitted SVC: one score for each class from features, as methods.svms.classical has them.

    A class that no training image had scores below all others.
    """

    vectors: Tensor
    norms: Tensor
    weights: Tensor
    bias: Tensor
    centre: Tensor
    won: Tensor

    def __init__(self, machine: SVC, classes: int) -> None:
        super().__init__()
        self._kernel, self._multilabel, self._classes = machine._kernel, machine._multilabel, classes
        self._known = [int(k) for k in machine.classes_]
        vectors, norms = machine._vectors.cpu(), squares(machine._vectors.cpu())
        self._type = product_dtype(self._kernel, norms, machine._values)
        self.register_buffer("vectors", vectors)
        self.register_buffer("norms", norms.to(self._type))
        self.register_buffer("weights", machine._weights.cpu().double())
        self.register_buffer("bias", torch.from_numpy(machine._bias).double())
        centre = torch.zeros(1) if machine._centre is None else machine._centre.cpu()
        self.register_buffer("centre", centre.to(torch.float32))
        if not self._multilabel:
            self.register_buffer("won", torch.from_numpy(np.stack(pairs_of(len(self._known)))))

    def forward(self, features: Tensor) -> Tensor:
        x = (features - self.centre).to(self._type)
        dots = x @ self.vectors.to(self._type).T
        decisions = self._values(dots, x.square().sum(1)).double() @ self.weights + self.bias
        return self._scores(decisions).to(torch.float32)

    def _values(self, dots: Tensor, norms: Tensor) -> Tensor:
        kernel = self._kernel
        if kernel.name == "rbf":
            return ((2 * dots - norms[:, None] - self.norms) * kernel.gamma).clamp(max=0.0).exp()
        if kernel.name == "linear":
            return dots
        values = dots * kernel.gamma + kernel.coef0
        return values**kernel.degree if kernel.name == "poly" else values.tanh()

    def _scores(self, decisions: Tensor) -> Tensor:
        if self._multilabel:
            return decisions
        if len(self._known) == 2:
            scores = torch.cat([decisions, -decisions], 1)
        else:
            first, second = self.won[0], self.won[1]
            confidence = decisions @ (first - second)
            ahead = (decisions >= 0).double()
            scores = ahead @ first + (1 - ahead) @ second + confidence / (3 * (confidence.abs() + 1))
        if len(self._known) == self._classes:
            return scores
        lowest = scores.amin(1, keepdim=True) - 1
        columns = dict(zip(self._known, scores.split(1, 1), strict=True))
        places = [columns.get(k, lowest) for k in range(self._classes)]
        return torch.cat(places, 1)


class HeadOf(nn.Module):
    """Logistic regression or nearest neighbours on standardised embeddings. Raises UsageError for another head."""

    weight: Tensor
    bias: Tensor
    rows: Tensor
    truth: Tensor

    def __init__(self, head: FittedHead) -> None:
        super().__init__()
        self.scale, fitted = Scaled(head.scale), head.fitted
        self._linear = isinstance(fitted, Linear)
        if isinstance(fitted, Linear):
            self.register_buffer("weight", fitted.weight)
            self.register_buffer("bias", fitted.bias)
        elif isinstance(fitted, Neighbours):
            self._k = min(fitted.k, len(fitted.rows))
            self.register_buffer("rows", fitted.rows)
            self.register_buffer("truth", fitted.truth)
        else:
            raise UsageError(f"a {type(fitted).__name__} cannot be exported; label by cellbench predict")

    def forward(self, embeddings: Tensor) -> Tensor:
        values = self.scale(embeddings)
        if self._linear:
            return values @ self.weight.T + self.bias
        similarity, nearest = (F.normalize(values) @ self.rows.T).topk(self._k)
        votes = (similarity / TEMPERATURE).exp()
        weights = votes / votes.sum(1, keepdim=True)
        return (weights[..., None] * self.truth[nearest]).sum(1) - 0.5
