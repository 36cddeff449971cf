"""What other programs took of the processors while something was timed: a time from a busy machine is too long."""

import os
from dataclasses import dataclass
from typing import Any

import psutil

# Numbers of those that this process may run on; None: all. Taken now: later torch may bind this thread to one of them.
USABLE = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
BUSY = 0.1  # of the processors' time; less moves a training time by less than it varies from run to run
SHORTEST = 0.5  # seconds that a share can be told of: systems count in hundredths, and all processors at once


@dataclass(frozen=True)
class Spent:
    """Processor seconds, summed over the processors that this process may run on, up to one moment.

    there: that there were; used: that any program had; own: that this process had, with children that have ended.
    """

    there: float
    used: float
    own: float

    @classmethod
    def now(cls) -> "Spent":
        own = psutil.Process().cpu_times()
        times = [one._asdict() for one in _processors()]
        # Those of guests are in user and nice.
        there = sum(seconds for one in times for name, seconds in one.items() if not name.startswith("guest"))
        idle = sum(one["idle"] + one.get("iowait", 0.0) for one in times)
        return cls(there, there - idle, own.user + own.system + own.children_user + own.children_system)

    def __sub__(self, earlier: "Spent") -> "Spent":
        return Spent(self.there - earlier.there, self.used - earlier.used, self.own - earlier.own)

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.there + other.there, self.used + other.used, self.own + other.own)

    @property
    def of_others(self) -> float | None:
        """Share of the processors' time that other programs, or virtual machines, had; None of too short a time."""
        enough = self.there >= SHORTEST * len(_processors())
        return min(max((self.used - self.own) / self.there, 0.0), 1.0) if enough else None


def _processors() -> list[Any]:
    """Times of each processor that this process may run on; on a shared machine others run on the rest."""
    every = psutil.cpu_times(percpu=True)
    if USABLE is None or max(USABLE) >= len(every):  # some are switched off, and no number tells which
        return every
    return [times for number, times in enumerate(every) if number in USABLE]


NOTHING = Spent(0.0, 0.0, 0.0)


def is_busy(others: float | None) -> bool:
    """Whether such a share of other programs makes a time too long; one that was not measured doesn't."""
    return (others or 0.0) > BUSY
