"""The processor time that other programs used while something was timed: a time from a busy machine is too long."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import psutil

# Numbers of those that this process may run on; None: all. Taken now: later torch may bind this thread to one of them.
USABLE = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
BUSY = 0.1  # share of the processors' time; a smaller one changes a training time less than it varies between runs
at_once = 1  # how many runs of this command share the machine with this process
SHORTEST = 0.5  # seconds below which a share is too inaccurate, as systems count processor time in hundredths


@dataclass(frozen=True)
class Spent:
    """Processor seconds up to one moment, summed over the processors that this process may run on.

    there: all seconds, idle or not. used: seconds used by any program. own: seconds used by this process and by its
    children that have ended. The difference of two moments is what was spent between them.
    """

    there: float
    used: float
    own: float

    @classmethod
    def now(cls) -> "Spent":
        own = psutil.Process().cpu_times()
        times = [one._asdict() for one in _processors()]
        # The times of guests are contained in user and nice.
        there = sum(seconds for one in times for name, seconds in one.items() if not name.startswith("guest"))
        idle = sum(one["idle"] + one.get("iowait", 0.0) for one in times)
        return cls(there, there - idle, own.user + own.system + own.children_user + own.children_system)

    def __sub__(self, earlier: "Spent") -> "Spent":
        return Spent(self.there - earlier.there, self.used - earlier.used, self.own - earlier.own)

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.there + other.there, self.used + other.used, self.own + other.own)

    @property
    def of_others(self) -> float | None:
        """Share of the processors' time that other programs or virtual machines used; None for too short a time."""
        enough = self.there >= SHORTEST * len(_processors())
        return min(max((self.used - self.own) / self.there, 0.0), 1.0) if enough else None


def share(runs: int, processors: Collection[int] = ()) -> None:
    """Note that this process is one of so many runs at a time. processors: those that it alone is bound to, if any."""
    global USABLE, at_once
    at_once = runs
    if processors:
        USABLE = frozenset(processors)


def _processors() -> Sequence[NamedTuple]:
    """Return the times of each processor that this process may run on, or of all if these cannot be told apart."""
    every = psutil.cpu_times(percpu=True)
    if USABLE is None or max(USABLE) >= len(every):  # some are switched off, and no number tells which
        return every
    return [times for number, times in enumerate(every) if number in USABLE]


NOTHING = Spent(0.0, 0.0, 0.0)


def is_busy(others: float | None) -> bool:
    """Whether other programs used so large a share of the processors that a time is too long; false for None."""
    return (others or 0.0) > BUSY
