"""How bright the pixels of a channel are, wherever they lie: quantiles, moments, a histogram."""

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.tensors import as_tensor
from .tensors import as_float, check_finite, in_chunks

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
BINS = 16
LEVELS = 256  # of uint8
STEPS = 255  # of the logarithm: log(1 + 255 v) / log 256 is 0 at 0 and 1 at full scale


def intensity(images: Tensor | NDArray) -> Tensor:
    """Return quantiles, log quantiles, mean, deviation, skew and a histogram of each channel: (n, channels * 37).

    The result is float32: nine quantiles, their logarithms, three moments and 16 bins of each channel.

    images: (n, channels, height, width) uint8, uint16 or float32. All is relative to full scale, the greatest value of
    an integer type, and 1 for float32. The histogram has 16 equal bins from 0 to full scale, as square roots of shares;
    values beyond, which float32 may have, are in the first or the last. Skew is the third standardised moment, 0 in a
    constant channel. Raises DataError for values that are not finite.
    """
    images = as_tensor(images)
    check_finite(images)
    if images.dtype == torch.uint8:
        return in_chunks(images, _of_levels)
    return in_chunks(images, lambda chunk: _of_values(as_float(chunk)))


def names(height: int, width: int) -> list[str]:
    quantiles = [f"{100 * q:g} % quantile" for q in QUANTILES]
    moments = ["mean", "deviation", "skew"]
    return [*quantiles, *(f"log {q}" for q in quantiles), *moments, *(f"bin {k}" for k in range(BINS))]


def _of_values(images: Tensor) -> Tensor:
    planes = images.flatten(2).flatten(0, 1)
    return _joined(len(images), _quantiles(planes), _moments(planes), _histogram(planes))


def _of_levels(images: Tensor) -> Tensor:
    """Return the features of uint8 images, computed from how often each of the 256 values occurs.

    Sorting the pixels, as for other types, takes several times as long.
    """
    planes = images.flatten(2).flatten(0, 1).long()
    n, pixels = planes.shape
    row = torch.arange(n, device=planes.device)[:, None]
    counts = torch.bincount((planes + LEVELS * row).flatten(), minlength=n * LEVELS).view(n, LEVELS)
    level = as_float(torch.arange(LEVELS, dtype=torch.uint8, device=planes.device))
    ranks = counts.cumsum(1)
    below, above, share = _places(pixels, planes.device)
    lower, upper = (level[torch.searchsorted(ranks, at.repeat(n, 1), right=True)] for at in (below, above))
    quantiles = torch.lerp(lower, upper, share)
    shares, value = counts.double() / pixels, level.double()
    mean = shares @ value[:, None]
    off = value - mean
    moments = _standardised(mean, (shares * off**2).sum(1, True).sqrt(), (shares * off**3).sum(1, True)).float()
    binned = torch.zeros(n, BINS, device=planes.device).index_add_(1, _bin(level), shares.float())
    return _joined(len(images), quantiles, moments, binned.sqrt_())


def _joined(n: int, quantiles: Tensor, moments: Tensor, histogram: Tensor) -> Tensor:
    logarithms = torch.log1p(STEPS * quantiles.clamp(min=0)) / torch.log1p(quantiles.new_tensor(STEPS))
    return torch.cat([quantiles, logarithms, moments, histogram], 1).view(n, -1)


def _places(pixels: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return the ranks of the two pixels that each quantile lies between, and its distance from the first.

    The ranks are int64, the distance is float32, from 0 to below 1.
    """
    at = torch.tensor(QUANTILES, dtype=torch.float64, device=device) * (pixels - 1)
    below = at.long()
    return below, (below + 1).clamp(max=pixels - 1), (at - below).float()


def _quantiles(planes: Tensor) -> Tensor:
    """Return the quantiles of each plane, (planes, 9), interpolated linearly between two values as numpy does."""
    ordered = planes.sort(1).values
    below, above, share = _places(planes.shape[1], planes.device)
    return torch.lerp(ordered[:, below], ordered[:, above], share)


def _moments(planes: Tensor) -> Tensor:
    """Return mean, standard deviation and skew of each plane, (planes, 3)."""
    mean = planes.mean(1, keepdim=True)
    centred = planes - mean
    square = centred.square()
    deviation = square.mean(1, keepdim=True).sqrt_()
    return _standardised(mean, deviation, square.mul_(centred).mean(1, keepdim=True))


def _standardised(mean: Tensor, deviation: Tensor, third: Tensor) -> Tensor:
    """Return mean, deviation and skew, (planes, 3), from mean, deviation and third central moment, each (planes, 1).

    The skew of a plane that does not vary is 0.
    """
    varies = deviation > 10 * torch.finfo(torch.float32).eps * mean.abs()
    skew = torch.where(varies, third / deviation**3, 0)
    return torch.cat([mean, deviation, skew], 1)


def _histogram(planes: Tensor) -> Tensor:
    """Return the square root of the share of pixels in each bin, (planes, 16)."""
    n = len(planes)
    bins = _bin(planes) + BINS * torch.arange(n, device=planes.device)[:, None]
    counts = torch.bincount(bins.flatten(), minlength=n * BINS).view(n, BINS)
    return (counts / planes.shape[1]).sqrt_()


def _bin(values: Tensor) -> Tensor:
    return (values * BINS).clamp(0, BINS - 1).long()
