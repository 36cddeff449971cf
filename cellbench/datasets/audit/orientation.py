"""The eight orientations of a square picture: quarter turns, and mirrored quarter turns."""

import numpy as np
from numpy.typing import NDArray


def reoriented(planes: NDArray, way: int) -> NDArray:
    """A picture in one of its eight orientations: `way % 4` quarter turns, after mirroring when `way` is 4 or more."""
    return np.rot90(planes[..., ::-1] if way >= 4 else planes, way % 4, axes=(-2, -1))


def way_name(way: int) -> str:
    """An orientation in words, to follow a noun: ' mirrored and turned by 90°'; '' for an upright picture."""
    words = []
    if way >= 4:
        words.append("mirrored")
    if way % 4:
        words.append(f"turned by {90 * (way % 4)}°")
    return f" {' and '.join(words)}" if words else ""
