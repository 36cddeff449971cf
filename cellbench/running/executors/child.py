"""Runs in child processes of a fork server that has already done the slow imports.

Memory is thus measured for each run, a crash ends one run only, and starting a run costs only a fork.
"""

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TypedDict, TypeVar, Unpack

from ... import __version__
from ...core.errors import BackendError, CellbenchError
from ...core.machine.processes import limit_memory
from ...core.mixed_values import Document, Facts
from ...core.records.runs import RunRecord
from ...core.records.store import Predictions
from ...core.text.words import file_size
from ..job import Job
from ..single_run import RunListener, environment, execute, unfinished
from .places import WHOLE, Place
from .process import Call, Ending, wait_for

T = TypeVar("T")
Result = tuple[RunRecord, Predictions]  # of a run that is 'ok'

# What libraries' errors say; without room for its stack no thread can be started.
OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "can't start new thread")


class How(TypedDict, total=False):
    """The keyword arguments of `begin`."""

    timeout: float | None
    max_memory: int | None
    plugins: Sequence[Path]
    checkpoint: Path | None
    model: Path | None
    place: Place


def run_job(job: Job, listener: RunListener, **how: Unpack[How]) -> tuple[RunRecord, Predictions | None]:
    """Do one run in a child process and return its record, whatever happened, and its predictions if it is 'ok'.

    how: keyword arguments of `begin`.
    """
    return outcome_of(job, *attempt(job, listener, **how))


def attempt(
    job: Job, listener: RunListener, *, started: Callable[[int], object] = lambda process: None, **how: Unpack[How]
) -> tuple[str, Result | str]:
    """Do one run in a child process and return 'ok' with its record and predictions, or another status with the reason.

    started: called with the number of the child process. how: keyword arguments of `begin`.
    """
    if job.skip:
        return "skipped", job.skip
    kind, outcome = _followed(begin(job, **how), listener, started)
    return as_status(job, kind, outcome)


def begin(
    job: Job,
    *,
    timeout: float | None = None,
    max_memory: int | None = None,
    plugins: Sequence[Path] = (),
    checkpoint: Path | None = None,
    model: Path | None = None,
    place: Place = WHOLE,
) -> Call[Result]:
    """Start a run in a child process and return the Call that follows it.

    `as_status` turns its end into the status of a record.

    timeout: seconds after which it is ended. max_memory: bytes that it may have. If `checkpoint` holds the progress of
    this run, it goes on from there. model: the file to write the trained model to, or None. place: the processors and
    the GPU that it may use.
    """
    return Call(_run, (job, checkpoint, model, max_memory, place), timeout, plugins, place.variables)


def as_status(job: Job, kind: str, outcome: Result | str) -> tuple[str, Result | str]:
    """Return how a run ended, as `Call.hear` gives it, as the status of a record, and its outcome."""
    if kind == "unavailable" and "weights" in job.overrides:  # the user asked for these weights: fail, do not skip
        kind = "failed"
    return {"done": "ok", "unavailable": "skipped"}.get(kind, kind), outcome


def outcome_of(job: Job, status: str, outcome: Result | str) -> tuple[RunRecord, Predictions | None]:
    """Return the record of a run, and its predictions if it is 'ok'. status, outcome: as `attempt` returns them."""
    if not isinstance(outcome, str):
        return outcome
    return without_results(job, status, outcome, surroundings_of(job.spec.device)), None


def without_results(job: Job, status: str, reason: str, environment: Facts) -> RunRecord:
    """Return the record of a run without results; with less in it where its data set is there no longer."""
    try:
        return unfinished(job, status, reason, environment)
    except (CellbenchError, OSError, ValueError, LookupError):
        facts: Document = {"overrides": job.overrides, "version": __version__}
        return RunRecord(job.spec, status, reason, **facts)  # type: ignore[arg-type]


@cache
def surroundings_of(device: str) -> Facts:
    """Return the environment for the record of an unfinished run; empty if no child process can find it out."""
    try:
        return ask(partial(environment, device))
    except BackendError:
        return {}


def ask(question: Callable[[], T], plugins: Sequence[Path] = ()) -> T:
    """Call a module-level function in a child process and return its result, so that torch is not imported here.

    Raises BackendError if there is no result.
    """
    call: Call[T] = Call(_ask, (question,), plugins=plugins)
    ending = _followed(call, lambda kind, facts: None)
    if ending[0] != "done":
        raise BackendError(f"a child process could not answer: {ending[1]}")
    return ending[1]


def watch(
    question: Callable[[RunListener], T],
    listener: RunListener,
    timeout: float | None = None,
    plugins: Sequence[Path] = (),
) -> Ending[T]:
    """Call a module-level function of a listener in a child process; see `Call.hear` for what is returned.

    An exception that the listener raises here ends the child process and passes through.
    """
    call: Call[T] = Call(_watch, (question,), timeout, plugins)
    return _followed(call, listener)


def _followed(
    call: Call[T], listener: RunListener, started: Callable[[int], object] = lambda process: None
) -> Ending[T]:
    """Follow a call to its end, and return how it ended, as `Call.hear` does."""
    try:
        started(call.number)
        while (ending := call.hear(listener)) is None:
            wait_for([call])
        return ending
    finally:
        call.end()


def _run(
    listener: RunListener, job: Job, checkpoint: Path | None, model: Path | None, max_memory: int | None, place: Place
) -> Result:
    with place.taken():
        record, predictions = _limited(listener, job, checkpoint, model, max_memory)
    return dataclasses.replace(record, environment={**record.environment, **place.facts}), predictions


def _limited(
    listener: RunListener, job: Job, checkpoint: Path | None, model: Path | None, max_memory: int | None
) -> Result:
    if max_memory is None:
        return execute(job, listener, checkpoint, model)
    limit_memory(max_memory)
    try:
        record, predictions = execute(job, listener, checkpoint, model)
        return dataclasses.replace(record, facts={**record.facts, "max_memory": max_memory}), predictions
    except (MemoryError, RuntimeError) as error:
        if not _is_of_card(error) and (
            isinstance(error, MemoryError) or any(text in str(error) for text in OUT_OF_MEMORY)
        ):
            raise BackendError(
                f"out of memory: it asked for more than the {file_size(max_memory)} of --max-memory; give it more, or "
                "fewer or smaller images with --limit or --set size="
            ) from error
        raise


def _is_of_card(error: BaseException) -> bool:
    """Whether an error is torch's for the memory of a card, which --max-memory does not limit."""
    return any(one.__name__ == "OutOfMemoryError" and one.__module__.startswith("torch") for one in type(error).__mro__)


def _watch(listener: RunListener, question: Callable[[RunListener], T]) -> T:
    return question(listener)


def _ask(listener: RunListener, question: Callable[[], T]) -> T:
    return question()
