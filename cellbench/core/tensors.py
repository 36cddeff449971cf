"""Conversion of arrays to tensors of torch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def as_tensor(images: Tensor | NDArray) -> Tensor:
    """Return images as a tensor; arrays that torch cannot share (read-only, not contiguous, big-endian) are copied."""
    if isinstance(images, np.ndarray):
        images = np.ascontiguousarray(images, images.dtype.newbyteorder("="))
        return torch.from_numpy(images if images.flags.writeable else images.copy())
    return images
