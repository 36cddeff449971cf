"""What a method returned as scores, checked before anything rests on it."""

import numpy as np
from numpy.typing import NDArray

from ..core.errors import CellbenchError


def checked_scores(scores: object, part: str, n: int, classes: int) -> NDArray[np.float32]:
    """Return a copy of a method's scores as float32, (n, classes); it may use its own array for something else.

    part: train, val or test, for messages. Raises CellbenchError, which says what came and what is wanted, for anything
    but finite real numbers in that shape.
    """
    wanted = (
        f"a method returns an array of real numbers ({n}, {classes}): a row for each image, a column for each class"
    )
    try:
        array = np.asarray(scores)
    except (TypeError, ValueError, RuntimeError):  # rows of unequal length; a tensor on another device
        raise CellbenchError(f"the {part} scores are {_named(scores)}, and no array; {wanted}") from None
    if array.dtype.kind not in "fiub":
        came = _named(scores) if array.ndim == 0 else f"an array of {array.dtype.name}"
        raise CellbenchError(f"the {part} scores are {came}; {wanted}")
    if array.shape != (n, classes):
        raise CellbenchError(f"the {part} scores have shape {array.shape}; {wanted}")
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    if bad := np.count_nonzero(~np.isfinite(single)):
        raise CellbenchError(f"{bad} of {single.size} {part} scores are not finite numbers; lower the learning rate")
    return single


def _named(value: object) -> str:
    """Return the type of a value as a sentence has it."""
    return "None" if value is None else f"of type {type(value).__name__}"
