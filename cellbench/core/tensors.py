"""Conversion of arrays to tensors of torch."""

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def as_tensor(images: Tensor | NDArray) -> Tensor:
    """Return images as a tensor, which must not be written to.

    Arrays that torch cannot share (not contiguous, big-endian, in memory that is read-only as that of a memory map) are
    copied. A read-only view of memory that can be written is shared.
    """
    if isinstance(images, np.ndarray):
        images = np.ascontiguousarray(images, images.dtype.newbyteorder("="))
        with warnings.catch_warnings(action="ignore"):  # that the tensor could be written to, and the array could not
            return torch.from_numpy(images if _owner(images).flags.writeable else images.copy())
    return images


def _owner(array: NDArray) -> NDArray:
    """Return the array that the memory of an array belongs to."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
