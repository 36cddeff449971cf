"""All jobs of a plan, one after the other: each record is on disk before the next run starts."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..core.runs import RunRecord
from ..core.store import Store
from ..methods.registry import methods
from .estimates import estimate, seconds_left, total
from .plan import Job
from .worker import run_job

DONE = "already done"
FAILED_BEFORE = "failed before"


class Watcher(Protocol):
    """Whoever shows the user how it goes. expect: how many seconds all runs that are left are now thought to take."""

    def started(self, job: Job, number: int, seconds_left: float) -> None: ...
    def event(self, kind: str, facts: Mapping[str, Any]) -> None: ...
    def expect(self, seconds_left: float) -> None: ...
    def finished(self, job: Job, record: RunRecord, seconds: float) -> None: ...


@dataclass(frozen=True)
class Policy:
    """What to do with runs already on record, and with failures."""

    force: bool = False
    retry_failed: bool = False
    fail_fast: bool = False
    timeout: float | None = None
    save_models: bool = False


def state(job: Job, store: Store, policy: Policy) -> str:
    """'' when the job is to be run, else why not: already done, or failed before."""
    record = None if policy.force else store.find(job.spec)
    if record is None:
        return ""
    if record.status == "ok":
        return "" if has_no_model(job, store, policy) else DONE
    if record.status == "skipped":  # what it lacked may be there by now
        return ""
    return "" if policy.retry_failed else FAILED_BEFORE


def has_no_model(job: Job, store: Store, policy: Policy) -> bool:
    """Whether the job is done without a model, though the policy asks for one and the method can save it."""
    if not policy.save_models or methods[job.spec.method].restore is None or store.model(job.spec).is_file():
        return False
    record = store.find(job.spec)
    return record is not None and record.status == "ok"


def run_matrix(
    jobs: Sequence[Job], store: Store, policy: Policy, watcher: Watcher, plugins: Sequence[Path] = ()
) -> Counter[str]:
    """Run what is missing, the quickest first by estimate, and save every record; returns how many runs ended in which
    status, counting the job's state for those not run. KeyboardInterrupt and SystemExit (SIGTERM) pass through: the
    child at work is ended, and what was finished by then is on disk."""
    states = [state(job, store, policy) for job in jobs]
    tally = Counter(s for s in states if s)
    missing, expected = _quickest_first([job for job, s in zip(jobs, states, strict=True) if not s], store)
    for number, job in enumerate(missing):
        watcher.started(job, number, sum(expected[number:]) if number else total(expected))
        start = time.monotonic()
        checkpoint = store.checkpoint(job.spec)
        if policy.force:  # from the beginning
            checkpoint.unlink(missing_ok=True)
        model = store.model(job.spec)
        record, predictions = run_job(
            job,
            _listening(watcher, sum(expected[number + 1 :])),
            timeout=policy.timeout,
            plugins=plugins,
            checkpoint=checkpoint,
            model=model if policy.save_models else None,
        )
        store.save(record, predictions)
        if not policy.save_models or record.status != "ok":  # that of an earlier attempt
            model.unlink(missing_ok=True)
        if record.status == "ok":  # of a run that was killed it stays: it goes on from there when it is tried again
            checkpoint.unlink(missing_ok=True)
        tally[record.status] += 1
        watcher.finished(job, record, time.monotonic() - start)
        for later in range(number + 1, len(missing)):  # this one says more of its like than was known before
            if store.path(missing[later].spec).parent == store.path(job.spec).parent:
                expected[later] = estimate(missing[later], store)
        if policy.fail_fast and record.status in ("failed", "timeout"):
            break
    return tally


def _quickest_first(jobs: Sequence[Job], store: Store) -> tuple[list[Job], list[float]]:
    """The jobs, and the seconds that each may take, so that a first result is there soon."""
    ordered = sorted((estimate(job, store), i) for i, job in enumerate(jobs))
    return [jobs[i] for _, i in ordered], [seconds for seconds, _ in ordered]


def _listening(watcher: Watcher, later: float) -> Callable[[str, Mapping[str, Any]], None]:
    """What hears of one run: it passes all on, and from the epochs done tells how long this run and the later ones may
    still take; later: seconds that these are thought to take."""
    seen: list[float] = []  # seconds of each epoch of this process; a resumed run has done others before

    def listen(kind: str, facts: Mapping[str, Any]) -> None:
        watcher.event(kind, facts)
        if {"epoch", "epochs", "seconds"} <= facts.keys():
            seen.append(facts["seconds"])
            watcher.expect(seconds_left(seen, facts["epochs"] - facts["epoch"]) + later)

    return listen


def summary(tally: Mapping[str, int], planned: int) -> str:
    """The last line of a run: how many ended how."""
    order = ("ok", "failed", "timeout", "skipped", DONE, FAILED_BEFORE)
    counted = [f"{tally[status]} {status}" for status in order if tally.get(status)]
    if left := planned - sum(tally.values()):
        counted.append(f"{left} not started")
    return ", ".join(counted) or "nothing to do"
