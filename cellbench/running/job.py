"""A run to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..core.mixed_values import Facts, SettingValues
from ..core.records.runs import RunSpec
from ..core.text.words import counted


@dataclass(frozen=True)
class Job:
    """A run to do.

    spec: its specification. data: the folder of its prepared data set. n: number of images used by part, after the
    limits. least_steps: the fewest training steps that are enough for a net, see core.undertraining; 0 if any number
    is. follows: names of the settings that follow from the number of training images, see
    `plan.settings_that_follow`. skip: why the run cannot be done, or empty. overrides: settings that were changed from
    the defaults. titles: the entries of suites that the run is for. tuning: `trials` and `seconds` that it took to find
    the settings; empty if nobody did.
    """

    spec: RunSpec
    data: Path
    n: Mapping[str, int]
    least_steps: int = 0
    follows: tuple[str, ...] = ()
    skip: str = ""
    overrides: SettingValues = field(default_factory=dict)
    titles: tuple[str, ...] = ()
    tuning: Facts = field(default_factory=dict)
    weights: Path | None = None  # the file behind the setting, which names it and its content, but not its place

    def __str__(self) -> str:
        if not self.titles:
            return str(self.spec)
        limited = self.spec.limit is not None or self.spec.val_limit is not None
        labels = f", {self.n['train']:,} training and {counted(self.n['val'], 'val image')}" if limited else ""
        return f"{self.titles[0]} on {self.spec.dataset}{labels}, seed {self.spec.seed}"
