"""How much more evidence would settle a difference of the size that was seen."""

import math

from scipy import special

from ...core.words import counted
from ..stats import CELLS_ONLY, FEWEST_SEEDS, GROUPS, GROUPS_OF_CLASSES, IMAGES, LEVEL

POWER = 0.8
MOST = 20  # times what there is: beyond that the two are level, for all practical purposes
_NEEDED = float(special.ndtri((1 + LEVEL) / 2) + special.ndtri(POWER))  # standard errors, 2.80
_HALF = float(special.ndtri((1 + LEVEL) / 2))  # standard errors in half of an interval, 1.96
NOUNS = {IMAGES: "test image", GROUPS: "group", GROUPS_OF_CLASSES: "group", CELLS_ONLY: "test image"}
LEVEL_ONES = "no number in reach would settle it: the two are level"


def more_units(difference: float, half: float, n: int) -> int | None:
    """Images or groups beyond n that show a difference of this size with 80 % power; half: of its 95 % interval.

    The error falls with the root of n: n · (2.80 · half / 1.96 / difference)² are needed. None where that is beyond
    20 n.
    """
    if not difference or (needed := n * (_NEEDED * half / _HALF / difference) ** 2) > MOST * n:
        return None
    return max(1, math.ceil(needed) - n)


def more_seeds(difference: float, sd_a: float, sd_b: float, n: int) -> int | None:
    """Seeds of each beyond n: (2.80 / difference)² · (sd_a² + sd_b²) are needed, three at least; None beyond 20 n."""
    if not difference or (needed := (_NEEDED / difference) ** 2 * (sd_a**2 + sd_b**2)) > MOST * max(n, 1):
        return None
    return max(1, max(math.ceil(needed), FEWEST_SEEDS) - n)


def told_units(difference: float, half: float, n: int, over: str) -> str:
    more = more_units(difference, half, n)
    return LEVEL_ONES if more is None else f"about {counted(_rounded(more), f'more {NOUNS[over]}')} would settle it"


def told_seeds(more: int | None) -> str:
    return LEVEL_ONES if more is None else f"about {counted(more, 'more seed')} of each would settle it"


def _rounded(n: int) -> int:
    """Up to two digits that count: more would claim a precision that there isn't."""
    step = 10 ** max(0, len(str(n)) - 2)
    return -(-n // step) * step
