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
    """float32; unsigned integers are divided by their type's greatest value."""
    if images.dtype in (torch.uint8, torch.uint16):
        return images.to(torch.float32) / torch.iinfo(images.dtype).max
    return images.to(torch.float32)


def as_light(images: Tensor) -> Tensor:
    """As `as_float`, but no value is below 0: a channel of an image that has one is raised by its least value."""
    values = as_float(images)
    return values - values.amin((2, 3), keepdim=True).clamp(max=0)


def in_chunks(images: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """The function's result for all images, which it is given some at a time; it must work image by image."""
    if not len(images):
        return function(images.new_zeros(1, *images.shape[1:]))[:0]
    step = max(1, CHUNK_VALUES.get(images.device.type, CHUNK_VALUES["cpu"]) // images[0].numel())
    return torch.cat([function(chunk) for chunk in images.split(step)])


def check_finite(images: Tensor) -> None:
    """Raises DataError naming the first image with a NaN or an infinite value; unsigned integers have none."""
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
    """Mean 0 and deviation 1 of every feature of the training part; mean, factor: (features,) float32.

    A feature that does not vary, such as a dark border pixel, becomes 0.
    """

    mean: Tensor
    factor: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Self:
        """features: (n, features) float32, on any device; statistics are float64."""
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
        """Also divides each group of columns by the root of how many of them vary; columns of no group become 0.

        All groups then have the same variance, and an equal part in a kernel of distances or products.
        """
        alike = cls.of(features)
        factor = torch.zeros_like(alike.factor)
        for group in groups:
            varying = torch.count_nonzero(alike.factor[group])
            factor[group] = alike.factor[group] / varying.clamp(min=1).sqrt()
        return cls(alike.mean, factor)

    def __call__(self, features: Tensor) -> Tensor:
        """Standardise in place, and return, (n, features) float32."""
        return features.sub_(self.mean).mul_(self.factor)
