"""How long each method is tuned: the same number of trials, or of seconds, for all."""

import re
from dataclasses import dataclass

from ...core.errors import UsageError
from ...core.text.words import counted, duration

UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class TuningBudget:
    """What tuning a method may take. Either is None; seconds are those of trials, whichever process made them."""

    trials: int | None = None
    seconds: float | None = None

    def seconds_left(self, trials: int, seconds: float) -> float | None:
        """Return the seconds that are left after so many trials and seconds: 0 for none, None without a limit."""
        if self.trials is not None:
            return None if trials < self.trials else 0.0
        assert self.seconds is not None
        return max(0.0, self.seconds - seconds)

    @property
    def halved(self) -> "TuningBudget":
        return TuningBudget(seconds=self.seconds / 2) if self.seconds is not None else self

    def __str__(self) -> str:
        return counted(self.trials, "trial") if self.trials is not None else duration(self.seconds or 0)


def parse_budget(trials: int | None, time: str | float | None) -> TuningBudget:
    """Return the budget that --trials, or --budget with a time such as '30m', stands for; 30 trials without either.

    time: seconds, or a text of number and unit. Raises UsageError for both, and for what is no time.
    """
    if trials is not None and time is not None:
        raise UsageError("--trials and --budget were both given; leave one of them out")
    if time is None:
        if trials is not None and trials < 1:
            raise UsageError(f"--trials got {trials}; give a number from 1")
        return TuningBudget(trials=30 if trials is None else trials)
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(time), re.ASCII)
    seconds = float(found[1]) * UNITS[found[2] or "s"] if found else 0.0
    if seconds <= 0:
        raise UsageError(f"--budget got {str(time)!r}; write 90s, 30m or 2h")
    return TuningBudget(seconds=seconds)


def parse_part(part: float) -> float:
    """Return the share of the training images that is tuned on first. Raises UsageError if it is none."""
    if not 0 < part <= 1:
        raise UsageError(f"--part got {part:g}; give a share above 0, up to 1 for all images")
    return part
