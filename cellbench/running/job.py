"""A run to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.runs import RunSpec
from ..core.words import counted


@dataclass(frozen=True)
class Job:
    """A run to do: what (spec), on which prepared data, and which settings were not the defaults.

    n: images by part that are used, after the limits. least_steps: of a net, fewer are too few, see
    core.undertraining; 0 where no number is. follows: names of the settings that follow from the number of training
    images, see `following`. skip: why it cannot be done at all, or empty. titles: the entries of suites that it is for.
    """

    spec: RunSpec
    data: Path
    n: Mapping[str, int]
    least_steps: int = 0
    follows: tuple[str, ...] = ()
    skip: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    titles: tuple[str, ...] = ()
    weights: Path | None = None  # the file behind the setting, which names it and its content, but not its place

    def __str__(self) -> str:
        if not self.titles:
            return str(self.spec)
        limited = self.spec.limit is not None or self.spec.val_limit is not None
        labels = f", {self.n['train']:,} training and {counted(self.n['val'], 'val image')}" if limited else ""
        return f"{self.titles[0]} on {self.spec.dataset}{labels}, seed {self.spec.seed}"
