"""Which jobs of a plan are to be run: what is done stays done, unless it is to be done again."""

from dataclasses import dataclass

from ..core.records.store import Store
from ..methods.registry import methods
from .job import Job

DONE = "already done"
FAILED_BEFORE = "failed before"


@dataclass(frozen=True)
class Policy:
    """How to treat runs that are on record, and failures; `cellbench run --help` explains each option."""

    force: bool = False
    retry_failed: bool = False
    fail_fast: bool = False
    timeout: float | None = None
    save_models: bool = False
    wait: bool = True  # for runs that other processes have under way
    max_memory: int | None = None  # bytes


def state(job: Job, store: Store, policy: Policy) -> str:
    """Return '' if the job is to be run, else why it is not: 'already done' or 'failed before'."""
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
