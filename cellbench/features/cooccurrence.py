"""How often two brightnesses lie next to each other.

Source: Haralick, Shanmugam & Dinstein, "Textural Features for Image Classification", IEEE Trans. SMC 3(6), 1973; the
definitions are those of `skimage.feature.graycoprops`.
"""

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import UsageError
from ..core.tensors import as_tensor
from .tensors import as_float, check_finite, in_chunks

LEVELS = 16
OFFSETS = {1: ((0, 1), (1, 1), (1, 0), (1, -1)), 3: ((0, 3), (2, 2), (3, 0), (2, -2))}  # (rows, columns) by distance
PROPERTIES = ("contrast", "homogeneity", "energy", "correlation", "entropy")


def haralick(images: Tensor | NDArray) -> Tensor:
    """Return five properties of co-occurrence matrices, float32 (n, channels * distances * 5).

    They are contrast, homogeneity, energy, correlation and entropy.

    images: (n, channels, height, width) uint8, uint16 or float32. Each channel is cut into 16 equal levels from its
    least to its greatest value; pairs at a distance of 1, and of 3, pixels are counted in four directions and both
    ways. The correlation of a constant channel is 1, as scikit-image has it; entropy is in nats.
    Raises UsageError for images of at most 3 pixels a side, DataError for values that are not finite.
    """
    images = as_tensor(images)
    check_finite(images)
    height, width = images.shape[2:]
    if min(height, width) <= max(OFFSETS):
        raise UsageError(
            f"images of {height}×{width} pixels are too small for haralick, which compares pixels {max(OFFSETS)} apart;"
            " use larger images, or leave haralick out of features"
        )
    return in_chunks(images, lambda chunk: _haralick(as_float(chunk)))


def names(height: int, width: int) -> list[str]:
    return [f"distance {distance}/{name}" for distance in OFFSETS for name in PROPERTIES]


def _haralick(images: Tensor) -> Tensor:
    levels = _levels(images.flatten(0, 1))
    values = [_properties(_pairs(levels, offsets)) for offsets in OFFSETS.values()]
    return torch.cat(values, 1).view(len(images), -1)


def _levels(planes: Tensor) -> Tensor:
    """Return the brightness level of each pixel, 0 to 15, int32 (planes, height, width)."""
    least, most = planes.amin((1, 2), keepdim=True), planes.amax((1, 2), keepdim=True)
    span = torch.where(most > least, most - least, 1)
    return ((planes - least) / span * LEVELS).to(torch.int32).clamp_(max=LEVELS - 1)


def _pairs(levels: Tensor, offsets: tuple[tuple[int, int], ...]) -> Tensor:
    """Return the share of pixel pairs that have levels i and j, float32 (planes, 16, 16), symmetric."""
    n, height, width = levels.shape
    plane = torch.arange(n, dtype=torch.int32, device=levels.device)[:, None, None] * LEVELS**2
    first_of_pair = plane + levels * LEVELS
    counts = torch.zeros(n * LEVELS**2, dtype=torch.int64, device=levels.device)
    for down, across in offsets:
        left, right = max(0, -across), min(width, width - across)
        first = first_of_pair[:, : height - down, left:right]
        second = levels[:, down:, left + across : right + across]
        counts += torch.bincount((first + second).flatten(), minlength=len(counts))
    pairs = counts.view(n, LEVELS, LEVELS).float()
    pairs = pairs + pairs.mT
    return pairs / pairs.sum((1, 2), keepdim=True)


def _properties(pairs: Tensor) -> Tensor:
    """Return the five texture properties of each plane, (planes, 5), in the order of PROPERTIES."""
    level = torch.arange(LEVELS, dtype=torch.float32, device=pairs.device)
    apart = (level[:, None] - level).square()
    mean = (pairs.sum(2) * level).sum(1)[:, None, None]
    off_mean = level[None, :, None] - mean
    variance = (pairs * off_mean.square()).sum((1, 2))
    covariance = (pairs * off_mean * off_mean.mT).sum((1, 2))
    values = (
        (pairs * apart).sum((1, 2)),
        (pairs / (1 + apart)).sum((1, 2)),
        pairs.square().sum((1, 2)).sqrt(),
        torch.where(variance > 1e-12, covariance / variance.clamp(min=1e-12), 1),
        -torch.special.xlogy(pairs, pairs).sum((1, 2)),
    )
    return torch.stack(values, 1)
