"""How much more evidence would settle a difference of the size that was seen."""

import math
from dataclasses import dataclass

from scipy import special

from ...core.split_names import GROUP
from ...core.text.words import counted, plural
from ...results.statistics.bootstrap import CELLS_ONLY, DRAWS, IMAGES, LEVEL, SEEDS
from ...results.statistics.intervals import FEWEST_SEEDS

POWER = 0.8
MOST = 20  # times the units that there are: more are asked of nobody
IN_HALF = float(special.ndtri((1 + LEVEL) / 2))  # standard errors in half of an interval, 1.96
VAL_IMAGES = "val images"
NOUNS = {IMAGES: "test image", VAL_IMAGES: "val image", SEEDS: "seed", DRAWS: "draw"}
SUCH_AS = ", such as wells"  # where nobody says what the groups are


@dataclass(frozen=True)
class Lack:
    """A difference that was not shown, and its standard error with n units.

    over: what the units are, one of the names in `bootstrap` (IMAGES, GROUPS, SEEDS and others). group: what one of the
    groups is called, see `core.split_names.unit_of`.
    """

    difference: float
    error: float
    n: int
    over: str
    group: str = GROUP

    @property
    def nouns(self) -> tuple[str, str]:
        """One unit and several in words, such as 'test well' and 'test wells'."""
        if self.over in NOUNS:
            return NOUNS[self.over], f"{NOUNS[self.over]}s"
        return f"test {self.group}", f"test {plural(self.group)}"


def units_lacking(lack: Lack, family: int = 1) -> int | None:
    """Return how many more units would show a difference of this size with 80 % power.

    family: the number of comparisons that it is one of. The error falls with the root of n, so that
    n · (z · error / difference)² units are needed in all, with z = 2.80 standard errors for a family of one; of seeds
    at least three. None where that is more than 20 n, or where the difference is 0.
    """
    z = float(special.ndtri(1 - (1 - LEVEL) / 2 / family) + special.ndtri(POWER))
    if not lack.difference or (needed := lack.n * (z * lack.error / lack.difference) ** 2) > MOST * lack.n:
        return None
    least = FEWEST_SEEDS if lack.over == SEEDS else 0
    return max(1, max(math.ceil(needed), least) - lack.n)


def settling_text(lack: Lack, family: int = 1) -> str:
    """Return what would settle the difference, in words; of too few groups these are lacking, whatever the images."""
    one, several = lack.nouns
    if lack.over == CELLS_ONLY:
        such = SUCH_AS if lack.group == GROUP else ""
        return f"what is lacking is {several}{such}: more images of those that there are settle nothing"
    beyond = units_lacking(lack, family)
    if beyond is None:
        return f"to show a difference as small as this would take more than {MOST} times as many {several}"
    of_each = " of each" if lack.over == SEEDS else ""
    return f"about {counted(_rounded(beyond), f'more {one}', f'more {several}')}{of_each} would settle it"


def _rounded(n: int) -> int:
    """Return n rounded up to two significant digits: more digits would claim a precision that there isn't."""
    step: int = 10 ** max(0, len(str(n)) - 2)
    return -(-n // step) * step
