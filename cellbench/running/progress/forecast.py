"""The forecast of how long the remaining runs may take, which improves with each run that is done."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from ...core.mixed_values import Facts
from ...core.records.store import Store
from ..job import Job
from .estimates import estimates, seconds_left

FIRST_FINISHED = 16  # finished jobs of a method and data set, after each of which the others are estimated again


class Forecast:
    """The seconds that each unfinished job may still take.

    jobs: the jobs to do, sorted by estimated time, so that the first result comes soon. at_once: how many are under way
    at a time.
    """

    def __init__(self, jobs: Sequence[Job], store: Store, at_once: int = 1) -> None:
        self._at_once = at_once
        self._finished: Counter[Path] = Counter()  # jobs by the folder of their records
        self._store = store
        seconds = estimates(jobs, store)
        order = sorted(range(len(jobs)), key=lambda i: (seconds[i], i))
        self.jobs = [jobs[i] for i in order]
        self._unfinished = {job.spec.key: job for job in self.jobs}
        self._seconds = {jobs[i].spec.key: seconds[i] for i in order}
        # Seconds of each reported epoch; a resumed run has done others before.
        self._epochs: dict[str, list[float]] = defaultdict(list)

    @property
    def seconds(self) -> float:
        """The seconds that all unfinished jobs together may still take."""
        return max(sum(self._seconds.values()) / self._at_once, *self._seconds.values(), 0.0)

    def hear(self, job: Job, facts: Facts) -> bool:
        """Update the forecast from the facts of an epoch. Return whether they were the facts of an epoch."""
        if not {"epoch", "epochs", "seconds"} <= facts.keys():
            return False
        seen = self._epochs[job.spec.key]
        seen.append(facts["seconds"])
        self._seconds[job.spec.key] = seconds_left(seen, facts["epochs"] - facts["epoch"])
        return True

    def finished(self, job: Job) -> None:
        """Remove a job that is done; jobs of the same method and data set are estimated again, after many seldom."""
        del self._unfinished[job.spec.key], self._seconds[job.spec.key]
        folder = self._store.path(job.spec).parent
        self._finished[folder] += 1
        if (n := self._finished[folder]) > FIRST_FINISHED and n & (
            n - 1
        ):  # later, at powers of two: it reads all records
            return
        others = [other for other in self._unfinished.values() if self._store.path(other.spec).parent == folder]
        for other, seconds in zip(others, estimates(others, self._store), strict=True):
            self._seconds[other.spec.key] = seconds
