"""How far from the middle the light of a channel lies."""

import math

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..core.tensors import as_tensor
from .tensors import as_light, check_finite, in_chunks

RINGS = 6  # of equal width, from the middle to the corners


def radial(images: Tensor | NDArray) -> Tensor:
    """Return the share of each channel's light in six rings around the image's middle, float32 (n, channels * 6).

    images: (n, channels, height, width) uint8, uint16 or float32. Rings have equal width, the last reaches the
    corners; a pixel belongs to the ring of its centre. The shares of a channel without light are 0. Light is what lies
    above 0, or above the channel's least value where that is negative, as in standardised images. As FracAtD of
    CellProfiler's MeasureObjectRadialDistribution, with the image in place of an object.
    Raises DataError for values that are not finite.
    """
    images = as_tensor(images)
    check_finite(images)
    ring = _ring_of_pixel(*images.shape[2:]).to(images.device)
    masks = F.one_hot(ring.flatten(), RINGS).float()
    return in_chunks(images, lambda chunk: _radial(as_light(chunk), masks))


def names(height: int, width: int) -> list[str]:
    return [f"ring {k}" for k in range(RINGS)]


def _radial(images: Tensor, masks: Tensor) -> Tensor:
    light = images.flatten(2) @ masks
    total = images.sum((2, 3))[..., None]
    return torch.where(total > 0, light / total, 0).flatten(1)


def _ring_of_pixel(height: int, width: int) -> Tensor:
    """Return the number of the ring of each pixel, (height, width) int64: 0 in the middle, the last in the corners."""
    rows, columns = torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2
    distance = torch.hypot(rows[:, None], columns[None])
    farthest = math.hypot((height - 1) / 2, (width - 1) / 2) or 1.0
    return (distance * (RINGS / farthest)).long().clamp_(max=RINGS - 1)
