"""What other programs took of the processors while something was timed: a time from a busy machine is too long."""

from dataclasses import dataclass

import psutil

BUSY = 0.1  # of all processors' time; less moves a training time by less than it varies from run to run
SHORTEST = 1.0  # processor seconds that a share can be told of


@dataclass(frozen=True)
class Spent:
    """Processor seconds, summed over the machine's processors, up to one moment.

    there: that there were; used: that any program had; own: that this process had, with children that have ended.
    """

    there: float
    used: float
    own: float

    @classmethod
    def now(cls) -> "Spent":
        times, own = psutil.cpu_times()._asdict(), psutil.Process().cpu_times()
        there = sum(
            seconds for name, seconds in times.items() if not name.startswith("guest")
        )  # those are in user, nice
        idle = times["idle"] + times.get("iowait", 0.0)
        return cls(there, there - idle, own.user + own.system + own.children_user + own.children_system)

    def __sub__(self, earlier: "Spent") -> "Spent":
        return Spent(self.there - earlier.there, self.used - earlier.used, self.own - earlier.own)

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.there + other.there, self.used + other.used, self.own + other.own)

    @property
    def of_others(self) -> float | None:
        """Share of the processors' time that other programs, or other virtual machines, had; None of too short a time.

        Systems count in hundredths of a second, a processor each.
        """
        return min(max((self.used - self.own) / self.there, 0.0), 1.0) if self.there >= SHORTEST else None


NOTHING = Spent(0.0, 0.0, 0.0)
