"""Local binary patterns: how the light of a pixel compares with that of eight pixels around it.

Source: Ojala, Pietikäinen & Mäenpää, "Multiresolution Gray-Scale and Rotation Invariant Texture Classification with
Local Binary Patterns", IEEE TPAMI 24(7), 2002: LBP riu2 with 8 neighbours. They lie on a square, not on a circle, so
that nothing is interpolated.
"""

from functools import cache

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import UsageError
from ..core.tensors import as_tensor
from .tensors import check_finite, in_chunks

RADII = (1, 2, 3, 5)  # pixels from the centre to the sides of the square
BINS = 10  # 0 to 8 brighter neighbours in one arc; all other patterns
RING = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))  # (row, column), once around
PATTERNS = 2 ** len(RING)


def texture(images: Tensor | NDArray, radii: tuple[int, ...] = RADII) -> Tensor:
    """Return square roots of histograms of local binary patterns, float32 (n, channels * radii that fit * 10).

    images: (n, channels, height, width) uint8, uint16 or float32. A histogram is over the pixels whose neighbours all
    lie in the image. Radii too large for that are left out, see `fitting_radii`.
    Raises UsageError when no radius fits, DataError for values that are not finite.
    """
    images = as_tensor(images)
    check_finite(images)
    height, width = images.shape[2:]
    fitting = fitting_radii(height, width, radii)
    return in_chunks(images, lambda chunk: _texture(_comparable(chunk), fitting))


def fitting_radii(height: int, width: int, radii: tuple[int, ...] = RADII) -> tuple[int, ...]:
    """Return the radii whose square fits into images of this size around at least one pixel.

    Raises UsageError if none does.
    """
    fitting = tuple(radius for radius in radii if 2 * radius < min(height, width))
    if not fitting:
        raise UsageError(
            f"images of {height}×{width} pixels are too small for texture, which needs {2 * min(radii) + 1}×"
            f"{2 * min(radii) + 1} around a pixel; use larger images, or leave texture out of features"
        )
    return fitting


def names(height: int, width: int) -> list[str]:
    return [f"radius {radius}/bin {k}" for radius in fitting_radii(height, width) for k in range(BINS)]


def _comparable(images: Tensor) -> Tensor:
    """Return the images in a type that torch can compare: uint16 becomes int32."""
    return images.to(torch.int32) if images.dtype == torch.uint16 else images


def _texture(images: Tensor, radii: tuple[int, ...]) -> Tensor:
    n, channels = images.shape[:2]
    planes = images.flatten(0, 1)
    histograms = torch.stack([_histogram(_patterns(planes, radius)) for radius in radii], 1)
    return histograms.view(n, channels * len(radii) * BINS)


def _patterns(planes: Tensor, radius: int) -> Tensor:
    """Return the local binary pattern of each pixel, uint8 (planes, height - 2 * radius, width - 2 * radius).

    Bit k is 1 where neighbour k is no darker than the pixel.
    """
    height, width = (side - 2 * radius for side in planes.shape[1:])
    centre = planes[:, radius : radius + height, radius : radius + width]
    patterns = torch.zeros(centre.shape, dtype=torch.uint8, device=planes.device)
    for k, (row, column) in enumerate(RING):
        top, left = radius * (1 + row), radius * (1 + column)
        brighter = planes[:, top : top + height, left : left + width] >= centre
        patterns.add_(brighter.view(torch.uint8), alpha=1 << k)
    return patterns


def _histogram(patterns: Tensor) -> Tensor:
    """Return the square root of the share of pixels in each bin, (planes, 10) float32."""
    n = len(patterns)
    plane = PATTERNS * torch.arange(n, dtype=torch.int32, device=patterns.device)[:, None]
    codes = patterns.flatten(1) + plane
    counts = torch.bincount(codes.flatten(), minlength=n * PATTERNS).view(n, PATTERNS)
    return (counts.float() @ _bin_of_pattern().to(patterns.device) / codes.shape[1]).sqrt_()


@cache
def _bin_of_pattern() -> Tensor:
    """Return a table from patterns to bins, (256, 10) float32: a pattern's row is 1 in the column of its bin."""
    bits = (torch.arange(PATTERNS)[:, None] >> torch.arange(len(RING))) & 1
    one_arc = (bits != bits.roll(1, 1)).sum(1) <= 2
    bins = torch.where(one_arc, bits.sum(1), BINS - 1)
    return torch.nn.functional.one_hot(bins, BINS).float()
