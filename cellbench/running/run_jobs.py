"""Running the jobs of a plan that are not done yet; each record is on disk before it is reported."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from ..core.errors import UsageError
from ..core.mixed_values import Facts
from ..core.records.runs import RunRecord, RunSpec
from ..core.records.store import Store
from ..core.text.words import counted
from .executors.protocol import Executor, Outcome, Task
from .job import Job
from .policy import DONE, FAILED_BEFORE, Policy, has_no_model, state
from .progress.estimates import SECONDS_TO_START
from .progress.forecast import Forecast
from .run_locks import RunLocks

ELSEWHERE = "under way elsewhere"


class Watcher(Protocol):
    """Shows the user how the runs go on.

    expect is called after each epoch, with the estimated seconds for all runs that are left.
    """

    def started(self, job: Job, number: int, seconds_left: float) -> None: ...
    def event(self, kind: str, facts: Facts) -> None: ...
    def expect(self, seconds_left: float) -> None: ...
    def finished(self, job: Job, record: RunRecord) -> None: ...


def run_jobs(
    jobs: Sequence[Job],
    store: Store,
    policy: Policy,
    executor: Executor,
    watcher: Watcher,
    plugins: Sequence[Path] = (),
    say: Callable[[str], None] = lambda line: None,
) -> Counter[str]:
    """Run the jobs that are not done yet, the quickest first by estimate, and save every record.

    Each run is locked before it starts: those that another process has locked are passed over, and looked at again
    when that process is done with them. say: called with a line about such runs, and about records that stay.

    Returns the number of jobs by status, or, for those that are not run, by state (see `policy.state`). Jobs that were
    not started are not counted. KeyboardInterrupt and SystemExit (SIGTERM) pass through: the current runs are ended,
    and what was finished by then is on disk.
    """
    states = [state(job, store, policy) for job in jobs]
    tally = Counter(reason for reason in states if reason)
    left = [job for job, reason in zip(jobs, states, strict=True) if not reason]
    forecast = Forecast(left, store, getattr(executor, "at_once", 1))
    numbers = {job.spec.key: number for number, job in enumerate(forecast.jobs)}

    def listen(job: Job, kind: str, facts: Facts) -> None:
        if kind == "started":
            number = numbers[job.spec.key]
            watcher.started(job, number, forecast.seconds if number else SECONDS_TO_START + forecast.seconds)
            return
        watcher.event(kind, facts)
        if forecast.hear(job, facts):
            watcher.expect(forecast.seconds)

    with RunLocks(store) as locks:
        queue = Queue(forecast.jobs, store, policy, locks, plugins)
        while queue.jobs:
            with contextlib.closing(executor.run(queue.tasks(), listen)) as outcomes:
                for outcome in outcomes:
                    if not _keep(outcome, store, policy):
                        say(f"{outcome.job}: the record that was there before stays")
                    locks.release(outcome.job.spec)
                    tally[outcome.record.status] += 1
                    watcher.finished(outcome.job, outcome.record)
                    forecast.finished(outcome.job)
                    if policy.fail_fast and outcome.record.status in ("failed", "timeout"):
                        return tally
            for job, reason in queue.settled:
                tally[reason] += 1
                forecast.finished(job)
            queue.pass_on()
            if queue.jobs:
                say(_under_way(queue.jobs, locks, policy.wait))
                if not policy.wait:
                    tally[ELSEWHERE] += len(queue.jobs)
                    break
                locks.wait_for_one([job.spec for job in queue.jobs])
    return tally


@dataclass
class Queue:
    """The jobs that are left, as tasks: those that nobody has locked, and that nobody did meanwhile.

    settled: jobs that another process did since this one began, with their state. elsewhere: those that another process
    has locked.
    """

    jobs: Sequence[Job]
    store: Store
    policy: Policy
    locks: RunLocks
    plugins: Sequence[Path] = ()
    settled: list[tuple[Job, str]] = field(default_factory=list)
    elsewhere: list[Job] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stamps = {job.spec.key: self.store.stamp(job.spec) for job in self.jobs}

    def tasks(self) -> Iterator[Task]:
        """Yield a task for each job when it is about to start; only then does --force delete its earlier progress."""
        for job in self.jobs:
            if not self.locks.take(job.spec):
                self.elsewhere.append(job)
            elif reason := self._state(job):
                self.settled.append((job, reason))
                self.locks.release(job.spec)
            else:
                yield self._task(job)

    def pass_on(self) -> None:
        """Take up the jobs that other processes were running, in place of those that were gone through."""
        self.jobs, self.elsewhere, self.settled = self.elsewhere, [], []

    def _state(self, job: Job) -> str:
        """Return the state of a job now. What another process did since this one began is not done once more."""
        if self.store.stamp(job.spec) == self._stamps[job.spec.key]:
            return state(job, self.store, self.policy)
        return state(job, self.store, replace(self.policy, force=False, retry_failed=False))

    def _task(self, job: Job) -> Task:
        if self.policy.force:
            self.store.forget_progress(job.spec)
        checkpoint = self.store.checkpoint(job.spec)
        model = self.store.new_model(job.spec) if self.policy.save_models else None
        return Task(job, self.policy.timeout, self.plugins, checkpoint, model, self.policy.max_memory)


def _under_way(jobs: Sequence[Job], locks: RunLocks, waiting: bool) -> str:
    """Return a line that says which runs other processes have, and which processes these are."""
    owners = ", ".join(dict.fromkeys(str(locks.owner(job.spec)) for job in jobs))
    runs = counted(len(jobs), "run")
    which = f" ({jobs[0]})" if len(jobs) == 1 else ""
    if waiting:
        return f"waiting for {runs}{which} of {owners}; --no-wait would not wait"
    return f"{runs}{which} left to {owners}"


def _keep(outcome: Outcome, store: Store, policy: Policy) -> bool:
    """Save the record, then the model, and remove progress that no longer applies. False if an earlier record stays.

    An 'ok' record is replaced by an 'ok' one alone, and only if the policy asks for that: --force, or --save-models
    where no model was kept.
    """
    spec, ok = outcome.job.spec, outcome.record.status == "ok"
    new_model, before = store.new_model(spec), store.find(spec)
    wanted = policy.force or has_no_model(outcome.job, store, policy)
    if before and before.status == "ok" and not (ok and wanted):
        new_model.unlink(missing_ok=True)
        return False
    _save(outcome, store)
    if ok:  # the progress of a run that was killed stays: it goes on from there when it is tried again
        store.forget_progress(spec)
    if ok and new_model.is_file():
        new_model.replace(store.model(spec))
    elif ok and before:  # that of an earlier attempt is not the model of this record
        store.model(spec).unlink(missing_ok=True)
    return True


def _save(outcome: Outcome, store: Store) -> None:
    """Save the record and predictions; on a full disk they have the room that the run's model and progress take."""
    spec: RunSpec = outcome.job.spec
    try:
        store.save(outcome.record, outcome.predictions)
    except UsageError:
        less_worth = [path for path in (store.new_model(spec), *store.progress(spec)) if path.exists()]
        if outcome.record.status != "ok" or not less_worth:
            raise
        for path in less_worth:
            path.unlink(missing_ok=True)
        store.save(outcome.record, outcome.predictions)


def summary(tally: Mapping[str, int], planned: int) -> str:
    """Return the last line of output: the number of jobs by status, and of those that were not started."""
    order = ("ok", "failed", "timeout", "skipped", DONE, FAILED_BEFORE, ELSEWHERE)
    counts = [f"{tally[status]} {status}" for status in order if tally.get(status)]
    if left := planned - sum(tally.values()):
        counts.append(f"{left} not started")
    return ", ".join(counts) or "nothing to do"
