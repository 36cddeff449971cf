"""What shape a cell has that stands alone on black, as where masks had cut it out."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.tensors import as_tensor
from .tensors import check_finite

MEASURES = {  # scikit-image's names of what is measured, in pixels, and what it is called here
    "area": "area",
    "perimeter": "perimeter",
    "axis_major_length": "major axis",
    "axis_minor_length": "minor axis",
    "eccentricity": "eccentricity",
    "solidity": "solidity",
    "extent": "extent",
    "euler_number": "Euler number",
}
FORM_FACTOR = "form factor"


def shape(images: Tensor | NDArray) -> Tensor:
    """Return area, perimeter, axes, eccentricity and other measures of each image's cell, float32 (n, 9).

    images: (n, channels, height, width) uint8, uint16 or float32. The cell is what is not black, that is 0 in all
    channels; of float32 images none of whose pixels is 0, as in standardised ones, what is not at the least value of
    each channel. An image without a cell has zeros. Lengths are in pixels; the form factor is 4π area / perimeter².
    The measures are scikit-image's regionprops, as CellProfiler's MeasureObjectSizeShape has them.
    Raises DataError for values that are not finite.
    """
    images = as_tensor(images)
    check_finite(images)
    rows = [_measures(cell) for cell in _cells(images).cpu().numpy()]
    return torch.tensor(rows, dtype=torch.float32).reshape(len(images), len(MEASURES) + 1).to(images.device)


def names(height: int, width: int) -> list[str]:
    return [*MEASURES.values(), FORM_FACTOR]


def _cells(images: Tensor) -> Tensor:
    """Return where the cell of each image is, (n, height, width) bool."""
    black = (images == 0).all(1)
    if images.is_floating_point():
        least = (images == images.amin((2, 3), keepdim=True)).all(1)
        black |= least & ~black.flatten(1).any(1)[:, None, None]
    return ~black


def _measures(cell: NDArray[np.bool_]) -> list[float]:
    from skimage.measure import regionprops

    found = regionprops(cell.astype(np.uint8))  # one region, of one part or several
    if not found:
        return [0.0] * (len(MEASURES) + 1)
    values = [float(getattr(found[0], name)) for name in MEASURES]
    area, perimeter = values[:2]
    return [*values, 4 * math.pi * area / perimeter**2 if perimeter else 0.0]
