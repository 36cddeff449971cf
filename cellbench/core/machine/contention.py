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

    total_seconds: all seconds, idle or not. busy_seconds: those used by any program. own_seconds: those used by this
    process and by its children that have ended. The difference of two moments is what was spent between them.
    """

    total_seconds: float
    busy_seconds: float
    own_seconds: float

    @classmethod
    def now(cls) -> "Spent":
        own = psutil.Process().cpu_times()
        times = [one._asdict() for one in _processors()]
        # The times of guests are contained in user and nice.
        total = sum(seconds for one in times for name, seconds in one.items() if not name.startswith("guest"))
        idle = sum(one["idle"] + one.get("iowait", 0.0) for one in times)
        return cls(total, total - idle, own.user + own.system + own.children_user + own.children_system)

    def __sub__(self, earlier: "Spent") -> "Spent":
        return Spent(
            self.total_seconds - earlier.total_seconds,
            self.busy_seconds - earlier.busy_seconds,
            self.own_seconds - earlier.own_seconds,
        )

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.total_seconds + other.total_seconds,
            self.busy_seconds + other.busy_seconds,
            self.own_seconds + other.own_seconds,
        )

    @property
    def of_others(self) -> float | None:
        """Share of the processors' time that other programs or virtual machines used; None for too short a time."""
        enough = self.total_seconds >= SHORTEST * len(_processors())
        return min(max((self.busy_seconds - self.own_seconds) / self.total_seconds, 0.0), 1.0) if enough else None


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
