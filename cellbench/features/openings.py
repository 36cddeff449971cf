"""In grains of which size the light of a channel lies."""

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..core.tensors import as_tensor
from .tensors import as_float, check_finite, in_chunks, shares_of_light

GRAINS = (1, 2, 3, 4, 6, 8)  # radius in pixels of the square that opens the image


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


def names(height: int, width: int) -> list[str]:
    return [f"opening {radius}" for radius in GRAINS]


def _granularity(images: Tensor) -> Tensor:
    left = [images.sum((2, 3)), *(_opened(images, radius).sum((2, 3)) for radius in GRAINS)]
    sums = torch.stack(left, 2)
    return shares_of_light(sums[..., :-1] - sums[..., 1:], images).flatten(1)


def _opened(images: Tensor, radius: int) -> Tensor:
    """Least value in the square around each pixel, then the greatest of these."""
    return _greatest(-_greatest(-images, radius), radius)


def _greatest(images: Tensor, radius: int) -> Tensor:
    """Rows, then columns: the same as the square, and quicker."""
    side = 2 * radius + 1
    rows = F.max_pool2d(images, (1, side), 1, (0, radius))
    return F.max_pool2d(rows, (side, 1), 1, (radius, 0))
