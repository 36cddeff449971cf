"""How bright the pixels of a channel are, wherever they lie: quantiles, moments, a histogram."""

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.tensors import as_tensor
from .tensors import as_float, check_finite, in_chunks

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
BINS = 16
STEPS = 255  # of the logarithm: log(1 + 255 v) / log 256 is 0 at 0 and 1 at full scale


def intensity(images: Tensor | NDArray) -> Tensor:
    """Nine quantiles, those of the logarithm, mean, deviation, skew and a histogram: float32 (n, channels * 37).

    images: (n, channels, height, width) uint8, uint16 or float32. All is relative to full scale, the greatest value of
    an integer type, and 1 for float32. The histogram has 16 equal bins from 0 to full scale, as square roots of shares;
    values beyond, which float32 may have, are in the first or the last. Skew is the third standardised moment, 0 in a
    constant channel. Raises DataError for values that are not finite.
    """
    images = as_tensor(images)
    check_finite(images)
    return in_chunks(images, lambda chunk: _intensity(as_float(chunk)))


def names(height: int, width: int) -> list[str]:
    quantiles = [f"{100 * q:g} % quantile" for q in QUANTILES]
    moments = ["mean", "deviation", "skew"]
    return [*quantiles, *(f"log {q}" for q in quantiles), *moments, *(f"bin {k}" for k in range(BINS))]


def _intensity(images: Tensor) -> Tensor:
    planes = images.flatten(2).flatten(0, 1)
    quantiles = _quantiles(planes)
    logarithms = torch.log1p(STEPS * quantiles.clamp(min=0)) / torch.log1p(quantiles.new_tensor(STEPS))
    values = torch.cat([quantiles, logarithms, _moments(planes), _histogram(planes)], 1)
    return values.view(len(images), -1)


def _quantiles(planes: Tensor) -> Tensor:
    """(planes, 9): as numpy's, linear between the two nearest values."""
    ordered = planes.sort(1).values
    at = planes.new_tensor(QUANTILES, dtype=torch.float64) * (planes.shape[1] - 1)
    below = at.long()
    above = (below + 1).clamp(max=planes.shape[1] - 1)
    return torch.lerp(ordered[:, below], ordered[:, above], (at - below).float())


def _moments(planes: Tensor) -> Tensor:
    """(planes, 3): mean, deviation, skew."""
    mean = planes.mean(1, keepdim=True)
    centred = planes - mean
    square = centred.square()
    deviation = square.mean(1, keepdim=True).sqrt_()
    third = square.mul_(centred).mean(1, keepdim=True)
    varies = deviation > 10 * torch.finfo(torch.float32).eps * mean.abs()
    skew = torch.where(varies, third / deviation**3, 0)
    return torch.cat([mean, deviation, skew], 1)


def _histogram(planes: Tensor) -> Tensor:
    """(planes, 16): square root of the share of pixels in each bin."""
    n = len(planes)
    bins = (planes * BINS).clamp(0, BINS - 1).long() + BINS * torch.arange(n, device=planes.device)[:, None]
    counts = torch.bincount(bins.flatten(), minlength=n * BINS).view(n, BINS)
    return (counts / planes.shape[1]).sqrt_()
