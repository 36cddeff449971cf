"""What a check says, and words that several use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset

Status = Literal["ok", "found", "skipped"]
Say = Callable[[str], None]
Index = NDArray[np.int64]

SEED = 0  # of every sample and permutation: two looks at the same data say the same


@dataclass(frozen=True)
class Finding:
    """What one check says: `text` is a sentence with its numbers, `figures` the same for programs."""

    section: str
    check: str
    status: Status
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Audit:
    """Facts (plain numbers and text, fit for JSON) and what each check says."""

    name: str
    split: str
    fingerprint: str
    facts: Mapping[str, Any]
    findings: tuple[Finding, ...]

    @property
    def found(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.status == "found")


def part_codes(data: Dataset) -> NDArray[np.int8]:
    """Of each image the place of its part in PARTS; -1 of images that no part uses."""
    codes = np.full(len(data), -1, np.int8)
    for code, part in enumerate(PARTS):
        codes[data.split[part]] = code
    return codes


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"
