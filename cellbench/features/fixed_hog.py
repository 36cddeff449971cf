"""HOG of images brought to one size first, so that the number of features does not grow with them."""

from torch import Tensor
from torch.nn import functional as F

from .gradients import hog
from .tensors import as_float, check_finite, in_chunks

SIDE = 64  # pixels
CELL = 8  # pixels
VALUES = (SIDE // CELL - 1) ** 2 * 36  # of a channel: overlapping blocks of 2×2 cells of 9 directions


def gradients(images: Tensor) -> Tensor:
    """Return HOG of images resized to 64×64 pixels (bilinear, antialiased), float32 (n, channels * 1764), see `hog`.

    Raises DataError for values that are not finite.
    """
    check_finite(images)
    return in_chunks(images, lambda chunk: hog(_resized(as_float(chunk)), pixels_per_cell=CELL))


def names(height: int, width: int) -> list[str]:
    return [f"value {k}" for k in range(VALUES)]


def _resized(images: Tensor) -> Tensor:
    return F.interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=True)
