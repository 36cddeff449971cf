"""Arrays as torch's tensors."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def as_tensor(images: Tensor | NDArray) -> Tensor:
    """The same values; an array that torch has no notion of (read-only, strided backwards, big-endian) is copied."""
    if isinstance(images, np.ndarray):
        images = np.ascontiguousarray(images, images.dtype.newbyteorder("="))
        return torch.from_numpy(images if images.flags.writeable else images.copy())
    return images
