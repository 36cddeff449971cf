"""What is done to images before any method sees them; part of the run and of its record."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UsageError

CHUNK = 1024


@dataclass(frozen=True)
class Preprocessing:
    """size: side in pixels that images are resized to (bilinear, antialiased), or None for native size."""

    size: int | None = 64

    def __post_init__(self) -> None:
        if self.size is not None and not (isinstance(self.size, int) and 8 <= self.size <= 1024):
            raise UsageError(
                f"size is {self.size!r}; give a whole number of pixels from 8 to 1024, or none for native size"
            )

    def shape(self, images: NDArray) -> list[int]:
        """[channels, height, width] of what `apply` makes of such images."""
        channels, height, width = images.shape[1:]
        return [channels, self.size or height, self.size or width]

    def apply(self, images: NDArray) -> NDArray:
        """Images (n, channels, height, width) at the wanted size, same dtype; the input itself if it has that size."""
        if self.size is None or images.shape[2:] == (self.size, self.size):
            return images
        return resize(images, self.size)


def resize(images: NDArray, size: int) -> NDArray:
    """(n, c, h, w) to (n, c, size, size), bilinear with antialiasing, rounded for integer dtypes."""
    import torch
    from torch.nn.functional import interpolate

    out = np.empty((*images.shape[:2], size, size), images.dtype)
    for start in range(0, len(images), CHUNK):
        chunk = torch.from_numpy(images[start : start + CHUNK].astype(np.float32))
        small = interpolate(chunk, size=(size, size), mode="bilinear", antialias=True)
        if images.dtype.kind == "u":
            small = small.round_().clamp_(0, np.iinfo(images.dtype).max)
        out[start : start + CHUNK] = small.numpy().astype(images.dtype)
    return out
