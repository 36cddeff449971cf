"""The result of a check, and what several checks need."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset
from ...core.mixed_values import Facts

CheckStatus = Literal["ok", "found", "skipped"]
ProgressText = Callable[[str], None]  # is called with a text that says what is being done
Index = NDArray[np.int64]  # positions of images

SEED = 0  # the seed of every sample and permutation, so that two audits of the same data agree


@dataclass(frozen=True)
class CheckResult:
    """What one check found. text: a sentence with its numbers; figures: the same numbers, for programs."""

    section: str
    check: str
    status: CheckStatus
    text: str
    figures: Facts = field(default_factory=dict)


@dataclass(frozen=True)
class Audit:
    """Facts about a data set (numbers and text that JSON can hold), and the result of each check."""

    name: str
    split: str
    fingerprint: str
    facts: Facts
    checks: tuple[CheckResult, ...]

    @property
    def problems(self) -> tuple[CheckResult, ...]:
        """The checks that found something."""
        return tuple(result for result in self.checks if result.status == "found")


def part_codes(data: Dataset) -> NDArray[np.int8]:
    """For each image the position of its part in PARTS; -1 for an image that no part uses."""
    codes = np.full(len(data), -1, np.int8)
    for code, part in enumerate(PARTS):
        codes[data.split[part]] = code
    return codes
