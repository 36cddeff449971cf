"""Images as numbers from 0 to 1, on the device that they are on; and features brought to one scale."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

ROWS = 256  # copied to float64 at a time


def as_float(images: Tensor) -> Tensor:
    """float32; unsigned integers are divided by their type's greatest value."""
    if images.dtype in (torch.uint8, torch.uint16):
        return images.to(torch.float32) / torch.iinfo(images.dtype).max
    return images.to(torch.float32)


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

    def __call__(self, features: Tensor) -> Tensor:
        """Standardise in place, and return, (n, features) float32."""
        return features.sub_(self.mean).mul_(self.factor)
