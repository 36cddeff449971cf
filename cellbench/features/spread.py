"""Where the light of a channel lies: in grains of which size, and how far from the middle."""

import math

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..core.tensors import as_tensor
from .tensors import as_float, check_finite, in_chunks

GRAINS = (1, 2, 3, 4, 6, 8)  # radius in pixels of the square that opens the image
RINGS = 6  # of equal width, from the middle to the corners


def granularity(images: Tensor | NDArray) -> Tensor:
    """Share of the light that each larger opening takes away, float32 (n, channels * 6).

    images: (n, channels, height, width) uint8, uint16 or float32. An opening by a square of side 2 r + 1 takes away
    bright grains that are smaller than it; shares are of the channel's sum, 0 where that is not above 0. Squares end
    at the border. A spectrum of openings, as in Soille, "Morphological Image Analysis", 2003, and in CellProfiler's
    MeasureGranularity, which opens by reconstruction. Raises DataError for values that are not finite.
    """
    images = as_tensor(images)
    check_finite(images)
    return in_chunks(images, lambda chunk: _granularity(as_float(chunk)))


def radial(images: Tensor | NDArray) -> Tensor:
    """Share of each channel's light in six rings around the middle of the image, float32 (n, channels * 6).

    images: as in `granularity`. Rings have equal width, the last reaches the corners; a pixel belongs to the ring of
    its centre. 0 where the channel's sum is not above 0. As CellProfiler's MeasureObjectRadialDistribution, FracAtD,
    with the image in place of an object. Raises DataError for values that are not finite.
    """
    images = as_tensor(images)
    check_finite(images)
    ring = _ring_of_pixel(*images.shape[2:]).to(images.device)
    masks = F.one_hot(ring.flatten(), RINGS).float()
    return in_chunks(images, lambda chunk: _shares(as_float(chunk).flatten(2) @ masks, as_float(chunk)).flatten(1))


def granularity_names(height: int, width: int) -> list[str]:
    return [f"opening {radius}" for radius in GRAINS]


def radial_names(height: int, width: int) -> list[str]:
    return [f"ring {k}" for k in range(RINGS)]


def _granularity(images: Tensor) -> Tensor:
    left = [images.sum((2, 3)), *(_opened(images, radius).sum((2, 3)) for radius in GRAINS)]
    sums = torch.stack(left, 2)
    return _shares(sums[..., :-1] - sums[..., 1:], images).flatten(1)


def _opened(images: Tensor, radius: int) -> Tensor:
    """Least value in the square around each pixel, then the greatest of these."""
    return _greatest(-_greatest(-images, radius), radius)


def _greatest(images: Tensor, radius: int) -> Tensor:
    """Rows, then columns: the same as the square, and quicker."""
    side = 2 * radius + 1
    rows = F.max_pool2d(images, (1, side), 1, (0, radius))
    return F.max_pool2d(rows, (side, 1), 1, (radius, 0))


def _shares(parts: Tensor, images: Tensor) -> Tensor:
    """parts (n, channels, k) divided by the sum of their channel."""
    total = images.sum((2, 3))[..., None]
    return torch.where(total > 0, parts / total, 0)


def _ring_of_pixel(height: int, width: int) -> Tensor:
    """(height, width) int64, 0 in the middle; the corners' pixels are in the last ring."""
    rows, columns = torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2
    distance = torch.hypot(rows[:, None], columns[None])
    farthest = math.hypot((height - 1) / 2, (width - 1) / 2) or 1.0
    return (distance * (RINGS / farthest)).long().clamp_(max=RINGS - 1)
