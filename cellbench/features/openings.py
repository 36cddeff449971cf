"""How much of the light is in spots of each size.

Source: Ravkin & Temov, "Bit representation techniques and image processing", Applied Informatics in Biology and
Medicine 14, 1988; the spectrum is that of CellProfiler's MeasureGranularity, with squares in place of its
reconstruction, and at fixed sizes in pixels.
"""

from collections.abc import Callable

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.tensors import as_tensor
from .tensors import as_float, check_finite, in_chunks

RADII = (1, 2, 3, 4, 6, 8)  # of squares of 3, 5, 7, 9, 13 and 17 pixels a side


def granularity(images: Tensor | NDArray) -> Tensor:
    """Return the share of light that disappears from one opening to the next larger, float32 (n, channels * 6).

    images: (n, channels, height, width) uint8, uint16 or float32. An opening, erosion and then dilation by a square,
    takes away what is bright and smaller than the square; at the border only pixels of the image count. Light is what
    is above the channel's least value; a constant channel has zeros. Raises DataError for values that are not finite.
    """
    images = as_tensor(images)
    check_finite(images)
    return in_chunks(images, _granularity)


def names(height: int, width: int) -> list[str]:
    return [f"radius {radius}" for radius in RADII]


def _granularity(images: Tensor) -> Tensor:
    planes = images.flatten(0, 1)
    if planes.dtype != torch.uint8:  # which is a quarter of the memory to go through
        planes = as_float(planes)
    planes = planes.permute(1, 2, 0).contiguous()  # neighbours in either direction are then long runs of memory
    dark = planes.amin((0, 1)).double() * planes[..., 0].numel()
    light = [_sum(planes) - dark]
    eroded, radius = planes, 0
    for larger in RADII:
        eroded = _of_squares(eroded, larger - radius, torch.minimum)  # an erosion of an erosion is a larger one
        radius = larger
        light.append(_sum(_of_squares(eroded, radius, torch.maximum)) - dark)
    lost = -torch.stack(light, 1).diff(dim=1)
    spectrum = torch.where(light[0][:, None] > 0, lost / light[0][:, None], 0)
    return spectrum.float().view(len(images), -1)


def _sum(planes: Tensor) -> Tensor:
    """Return the sum of the pixels of each plane, (planes,) float64.

    Small uint8 planes are summed in float32, which is quicker, and exact as long as the sum is below 2 ** 24.
    """
    exact = planes.dtype == torch.uint8 and planes[..., 0].numel() <= 2**24 // 255
    return planes.float().sum((0, 1)).double() if exact else planes.sum((0, 1), dtype=torch.float64)


def _of_squares(planes: Tensor, radius: int, take: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return the least or greatest value in the square of side 2 * radius + 1 around each pixel.

    planes: (height, width, planes), as the result. take: torch.minimum for the least, torch.maximum for the greatest.
    """
    limits = torch.finfo(planes.dtype) if planes.is_floating_point() else torch.iinfo(planes.dtype)
    outside = limits.max if take is torch.minimum else limits.min  # never taken
    side = 2 * radius + 1
    for axis in (0, 1):
        border = list(planes.shape)
        border[axis] = radius
        edge = planes.new_full(border, outside)
        planes, covered = torch.cat([edge, planes, edge], axis), 1
        while covered < side:  # two windows that overlap or touch make one
            step = min(covered, side - covered)
            length = planes.shape[axis] - step
            planes = take(planes.narrow(axis, 0, length), planes.narrow(axis, step, length))
            covered += step
    return planes
