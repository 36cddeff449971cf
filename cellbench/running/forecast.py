"""How long the runs that are left may take, the better known the more of them are done."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.store import Store
from .estimates import estimate, seconds_left
from .job import Job


class Forecast:
    """Seconds that each unfinished job may still take.

    jobs: those to do, the quickest first, so that a first result is there soon.
    """

    def __init__(self, jobs: Sequence[Job], store: Store) -> None:
        self._store = store
        seconds = [estimate(job, store) for job in jobs]
        order = sorted(range(len(jobs)), key=lambda i: (seconds[i], i))
        self.jobs = [jobs[i] for i in order]
        self._unfinished = {job.spec.key: job for job in self.jobs}
        self._seconds = {jobs[i].spec.key: seconds[i] for i in order}
        # Of each epoch that was heard of; a run that is resumed has done others before.
        self._epochs: dict[str, list[float]] = defaultdict(list)

    @property
    def seconds(self) -> float:
        """For all jobs that are left."""
        return sum(self._seconds.values())

    def hear(self, job: Job, facts: Mapping[str, Any]) -> bool:
        """Learn from an epoch, if that is what the facts are of."""
        if not {"epoch", "epochs", "seconds"} <= facts.keys():
            return False
        seen = self._epochs[job.spec.key]
        seen.append(facts["seconds"])
        self._seconds[job.spec.key] = seconds_left(seen, facts["epochs"] - facts["epoch"])
        return True

    def finished(self, job: Job) -> None:
        """Forget a job that is done; its record says more of its like than was known before."""
        del self._unfinished[job.spec.key], self._seconds[job.spec.key]
        folder = self._store.path(job.spec).parent
        for key, other in self._unfinished.items():
            if self._store.path(other.spec).parent == folder:
                self._seconds[key] = estimate(other, self._store)
