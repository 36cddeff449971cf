"""Images as numbers from 0 to 1, on the device that they are on; and features brought to one scale."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ..core.errors import DataError

# Pixels worked on at a time: on a processor what keeps a chunk's intermediates in its cache (2**22: 6 × slower), on a
# card enough that starting its kernels costs nothing beside running them.
CHUNK_VALUES = {"cpu": 2**18, "cuda": 2**26}
ROWS = 256  # copied to float64 at a time


def as_float(images: Tensor) -> Tensor:
    """Return the images as float32; unsigned integers are divided by the greatest value of their type."""
    if images.dtype in (torch.uint8, torch.uint16):
        return images.to(torch.float32) / torch.iinfo(images.dtype).max
    return images.to(torch.float32)


def as_light(images: Tensor) -> Tensor:
    """Return what `as_float` returns, without negative values.

    If a channel of an image has negative values, its least value is subtracted from all of its values.
    """
    values = as_float(images)
    return values - values.amin((2, 3), keepdim=True).clamp(max=0)


def in_chunks(images: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the function's result for all images, calling it on one chunk of images after the other.

    The function must treat each image independently of the others.
    """
    if not len(images):
        return function(images.new_zeros(1, *images.shape[1:]))[:0]
    step = max(1, CHUNK_VALUES.get(images.device.type, CHUNK_VALUES["cpu"]) // images[0].numel())
    return torch.cat([function(chunk) for chunk in images.split(step)])


def check_finite(images: Tensor) -> None:
    """Raise DataError, naming the first image, if an image has a NaN or an infinite value."""
    if not images.is_floating_point():
        return
    bad = ~in_chunks(images, lambda chunk: chunk.isfinite().flatten(1).all(1))
    if bad.any():
        first = int(bad.nonzero()[0])
        raise DataError(
            f"image {first} (counted from 0) has a value that is not a finite number, as {int(bad.sum()):,} of "
            f"{len(images):,} images have; features need finite ones: replace them, or leave these images out"
        )


@dataclass(frozen=True, eq=False)
class Standardiser:
    """Scales features so that each has mean 0 and deviation 1 over the training images.

    mean: (features,) float32, subtracted from the features; factor: (features,) float32, which they are then
    multiplied by. A feature that does not vary, such as a dark border pixel, becomes 0.
    """

    mean: Tensor
    factor: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Self:
        """Return the standardiser of these features, (n, features) float32 on any device; sums are in float64."""
        total = features.new_zeros(2, features.shape[1], dtype=torch.float64)
        for rows in features.split(ROWS):
            total[0] += rows.sum(0, dtype=torch.float64)
        mean = total[0] / len(features)
        for rows in features.split(ROWS):
            total[1] += rows.to(torch.float64, copy=True).sub_(mean).square_().sum(0)
        deviation = (total[1] / len(features)).sqrt()
        varies = deviation > 10 * torch.finfo(torch.float32).eps * mean.abs()
        return cls(mean.float(), torch.where(varies, 1 / deviation, 0).float())

    @classmethod
    def of_groups(cls, features: Tensor, groups: Iterable[slice]) -> Self:
        """Return a standardiser that gives every group of columns the same total variance.

        A column is also divided by the square root of the number of columns of its group that vary, so that all groups
        have an equal part in a kernel of distances or products. Columns of no group become 0.
        """
        alike = cls.of(features)
        factor = torch.zeros_like(alike.factor)
        for group in groups:
            varying = torch.count_nonzero(alike.factor[group])
            factor[group] = alike.factor[group] / varying.clamp(min=1).sqrt()
        return cls(alike.mean, factor)

    def __call__(self, features: Tensor) -> Tensor:
        """Standardise features, (n, features) float32, in place and return them."""
        return features.sub_(self.mean).mul_(self.factor)
