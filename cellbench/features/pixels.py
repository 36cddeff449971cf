"""Pixels as features."""

import numpy as np
from numpy.typing import NDArray


def flatten(images: NDArray) -> NDArray[np.float32]:
    """(n, channels, height, width) to (n, channels * height * width) float32; unsigned integers are scaled to 0..1."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    if images.dtype.kind == "u":
        flat /= np.iinfo(images.dtype).max
    return flat
