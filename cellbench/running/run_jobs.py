"""Running the jobs of a plan that are not done yet; each record is on disk before it is reported."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ..core.runs import RunRecord
from ..core.store import Store
from .estimates import ONCE
from .executors.protocol import Executor, Outcome, Task
from .forecast import Forecast
from .job import Job
from .policy import DONE, FAILED_BEFORE, Policy, state


class Watcher(Protocol):
    """Shows the user how the runs go on.

    expect is called after each epoch, with the estimated seconds for all runs that are left.
    """

    def started(self, job: Job, number: int, seconds_left: float) -> None: ...
    def event(self, kind: str, facts: Mapping[str, Any]) -> None: ...
    def expect(self, seconds_left: float) -> None: ...
    def finished(self, job: Job, record: RunRecord) -> None: ...


def run_jobs(
    jobs: Sequence[Job],
    store: Store,
    policy: Policy,
    executor: Executor,
    watcher: Watcher,
    plugins: Sequence[Path] = (),
) -> Counter[str]:
    """Run the jobs that are not done yet, the quickest first by estimate, and save every record.

    Returns the number of jobs by status, or, for those that are not run, by state (see `policy.state`). Jobs that were
    not started are not counted. KeyboardInterrupt and SystemExit (SIGTERM) pass through: the current runs are ended,
    and what was finished by then is on disk.
    """
    states = [state(job, store, policy) for job in jobs]
    tally = Counter(reason for reason in states if reason)
    forecast = Forecast([job for job, reason in zip(jobs, states, strict=True) if not reason], store)
    numbers = {job.spec.key: number for number, job in enumerate(forecast.jobs)}

    def listen(job: Job, kind: str, facts: Mapping[str, Any]) -> None:
        if kind == "started":
            number = numbers[job.spec.key]
            watcher.started(job, number, forecast.seconds if number else ONCE + forecast.seconds)
            return
        watcher.event(kind, facts)
        if forecast.hear(job, facts):
            watcher.expect(forecast.seconds)

    tasks = _tasks(forecast.jobs, store, policy, plugins)
    with contextlib.closing(executor.run(tasks, listen)) as outcomes:
        for outcome in outcomes:
            _keep(outcome, store, policy)
            tally[outcome.record.status] += 1
            watcher.finished(outcome.job, outcome.record)
            forecast.finished(outcome.job)
            if policy.fail_fast and outcome.record.status in ("failed", "timeout"):
                break
    return tally


def _tasks(jobs: Sequence[Job], store: Store, policy: Policy, plugins: Sequence[Path]) -> Iterator[Task]:
    """Yield a task for each job when it is about to start; only then does --force delete its earlier progress."""
    for job in jobs:
        checkpoint = store.checkpoint(job.spec)
        if policy.force:
            checkpoint.unlink(missing_ok=True)
        model = store.model(job.spec) if policy.save_models else None
        yield Task(job, policy.timeout, plugins, checkpoint, model)


def _keep(outcome: Outcome, store: Store, policy: Policy) -> None:
    """Save the record, and remove the model and progress of earlier attempts that no longer apply."""
    spec, ok = outcome.job.spec, outcome.record.status == "ok"
    store.save(outcome.record, outcome.predictions)
    if not (policy.save_models and ok):
        store.model(spec).unlink(missing_ok=True)
    if ok:  # the progress of a run that was killed stays: it goes on from there when it is tried again
        store.checkpoint(spec).unlink(missing_ok=True)


def summary(tally: Mapping[str, int], planned: int) -> str:
    """Return the last line of output: the number of jobs by status, and of those that were not started."""
    order = ("ok", "failed", "timeout", "skipped", DONE, FAILED_BEFORE)
    counted = [f"{tally[status]} {status}" for status in order if tally.get(status)]
    if left := planned - sum(tally.values()):
        counted.append(f"{left} not started")
    return ", ".join(counted) or "nothing to do"
