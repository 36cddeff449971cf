"""Pixels as features."""

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..core.tensors import as_tensor
from .tensors import as_float

CHUNK = 4096  # images at a time


def flatten(images: Tensor | NDArray, side: int | None = None, by_mean: bool = False) -> Tensor:
    """Return each image's pixels as one row, (n, channels * height * width) float32 on the images' device.

    Unsigned integers are divided by their type's greatest value. side: first resize to side x side pixels, bicubic
    without antialiasing (the kernel of OpenCV's INTER_CUBIC, a = -0.75), cut and rounded to the images' own type.
    by_mean: divide each image by its own mean over all channels (an image of zeros stays so), in place of the type's
    greatest value. Both are what the yeast study did.
    """
    images = as_tensor(images)
    if not len(images):
        return images.new_zeros(
            0, images.shape[1] * (side or images.shape[2]) * (side or images.shape[3]), dtype=torch.float32
        )
    return torch.cat([_flat(chunk, side, by_mean) for chunk in images.split(CHUNK)])


def _flat(images: Tensor, side: int | None, by_mean: bool) -> Tensor:
    values = as_float(images)
    if side is not None:
        values = F.interpolate(values, (side, side), mode="bicubic", align_corners=False)
        if not images.is_floating_point():
            steps = torch.iinfo(images.dtype).max
            values = values.clamp_(0, 1).mul_(steps).round_().div_(steps)
    values = values.flatten(1)
    if by_mean:
        mean = values.mean(1, keepdim=True)
        values = values / torch.where(mean == 0, 1, mean)
    return values
