"""What methods ask of the images and labels that they are given."""

import numpy as np

from ..core.data import Samples
from ..core.errors import DataError


def square_side(samples: Samples) -> int:
    """Return the side of the images in pixels. Raises DataError if they are not square."""
    height, width = samples.images.shape[2:]
    if height != width:
        raise DataError(f"images are {height}×{width}; nets need square ones: set size to a number of pixels")
    return int(height)


def check_two_classes(train: Samples) -> None:
    """Raise DataError if all training images have the same class; never for several labels an image."""
    if train.multilabel or len(found := np.unique(train.labels)) > 1:
        return
    names = ", ".join(repr(train.classes[label]) for label in found) or "no class"
    raise DataError(
        f"all {len(train):,} training images are of class {names}; this method needs two classes at least: add images "
        "of others, or choose another split"
    )
