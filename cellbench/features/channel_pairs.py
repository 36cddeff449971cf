"""How the light of two channels lies together, which is what localisation is about."""

from itertools import combinations

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.tensors import as_tensor
from .tensors import as_light, check_finite, in_chunks

MEASURES = ("correlation", "overlap", "share of light")


def between(images: Tensor | NDArray) -> Tensor:
    """Return correlation, overlap and share of light of each pair of channels, float32 (n, pairs * 3).

    The correlation is Pearson's, the overlap is Manders'.

    images: (n, channels, height, width) uint8, uint16 or float32; with a single channel there are no features.
    Overlap is sum(a b) / sqrt(sum(a²) sum(b²)); the share of light sum(a) / (sum(a) + sum(b)), 1/2 without any. The
    other two are 0 where a channel is constant, or zero. A channel of an image with negative values, as in standardised
    ones, is taken from its least value up.
    Source: Manders, Verbeek & Aten, "Measurement of co-localization of objects in dual-colour confocal images",
    J. Microscopy 169(3), 1993. Raises DataError for values that are not finite.
    """
    images = as_tensor(images)
    check_finite(images)
    if images.shape[1] < 2:
        return torch.zeros(len(images), 0, device=images.device)
    return in_chunks(images, lambda chunk: _between(as_light(chunk).flatten(2)))


def names(height: int, width: int) -> list[str]:
    return list(MEASURES)


def _between(channels: Tensor) -> Tensor:
    first, second = map(list, zip(*combinations(range(channels.shape[1]), 2), strict=True))
    sums = channels.sum(2)
    light = sums[:, first] + sums[:, second]
    share = torch.where(light > 0, sums[:, first] / light, 0.5)
    centred = channels - channels.mean(2, keepdim=True)
    # what is left of a constant channel after rounding
    centred[centred.abs().amax(2) <= 1e-6 * channels.abs().amax(2)] = 0
    cosines = [_cosine(values[:, first], values[:, second]) for values in (centred, channels)]
    return torch.stack([*cosines, share], 2).flatten(1)


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    length = a.norm(dim=2) * b.norm(dim=2)
    return torch.where(length > 0, (a * b).sum(2) / length, 0)
