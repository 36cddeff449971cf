"""What a Dask executor has done on a worker: a run in a child process of it, whose news reach whoever asked for it."""

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from ...core.errors import DataError
from ...core.machine import locks
from ...core.machine.environment import cache_folder, machine_name
from ...core.machine.files import read_text
from ...core.mixed_values import Facts
from ...datasets import datasets, opening
from ...datasets.files import cache
from ..job import Job
from ..plugins import load_plugins
from . import child
from .protocol import Task

T = TypeVar("T")

LONGEST_KEY = 1000  # bytes

_children: dict[str, int] = {}  # process of the child at work, by the key of its run
_ended: set[str] = set()  # keys of runs that nobody waits for any more; one may be about to start its child


@dataclass(frozen=True)
class WorkerResult:
    """How a run ended on a worker.

    status, outcome: as `child.attempt` returns them. environment: for the record, with the name of this machine. model:
    the content of the model's file, or None if there is none or it lies where the caller wants it.
    """

    status: str
    outcome: child.Result | str
    environment: Facts
    model: bytes | None


def run(task: Task, mark: Path, topic: str, key: str) -> WorkerResult:
    """Do a run in a child process of this worker.

    mark: a file that is seen, with the key in it, where the caller's folder is; progress and model are then written
    there. topic, key: of the events that are sent.
    """
    _allow_children()
    job = replace(task.job, data=data_of(task.job, task.plugins))  # this may take minutes
    if key in _ended:
        _ended.discard(key)
        return WorkerResult("failed", "nobody waits for it any more", {}, None)
    with tempfile.TemporaryDirectory(prefix="cellbench-") as scratch:
        here = _holds(mark, key)
        checkpoint = task.checkpoint if here else Path(scratch) / "run.checkpoint"
        model = task.model if here or task.model is None else Path(scratch) / "run.model"
        try:
            status, outcome = child.attempt(
                job,
                partial(_send, topic, key),
                timeout=task.timeout,
                max_memory=task.max_memory,
                plugins=task.plugins,
                checkpoint=checkpoint,
                model=model,
                started=partial(_started, key),
            )
        finally:
            _children.pop(key, None)
            _ended.discard(key)
        content = model.read_bytes() if model and not here and model.is_file() else None
    environment = child.surroundings_of(job.spec.device) if isinstance(outcome, str) else outcome[0].environment
    return WorkerResult(status, outcome, {**environment, "machine": machine_name()}, content)


def ask(question: Callable[[], T], plugins: Sequence[Path]) -> T:
    """Call a function in a child process of this worker."""
    _allow_children()
    return child.ask(question, plugins)


def end(keys: Sequence[str]) -> None:
    """End the child processes of runs, as far as they are this worker's, and those that they are about to start."""
    _ended.update(keys)
    for key in keys:
        if process := _children.get(key):
            _terminate(process)


def _started(key: str, process: int) -> None:
    """Note the child process of a run, and end it if nobody waits for the run any more."""
    _children[key] = process
    if key in _ended:
        _terminate(process)


def _terminate(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)


def _holds(mark: Path, key: str) -> bool:
    """Whether the mark of a run is there; one that an earlier call left in another folder of this name is not."""
    try:
        return read_text(mark, LONGEST_KEY) == key
    except (OSError, ValueError):
        return False


def data_of(job: Job, plugins: Sequence[Path] = ()) -> Path:
    """Return the folder of the run's prepared data set on this machine; it is prepared if it is not, by one worker.

    plugins: files that may have the data set.

    Raises DataError if that cannot be done here, or gives other content.
    """
    if (job.data / "meta.json").is_file():
        return job.data
    load_plugins(plugins)
    name = job.spec.dataset
    if name not in datasets:
        raise DataError(
            f"{name} is prepared in a folder that a worker does not see; set CELLBENCH_DATA to one that all see"
        )
    cache_folder().mkdir(parents=True, exist_ok=True)
    lock = locks.take(cache_folder() / f".{name}.lock", wait=True)
    try:
        folder = opening.prepare(name, {})
    finally:
        if lock:
            lock.release()
    if (found := cache.read(folder).info.fingerprint) != job.spec.fingerprint:
        raise DataError(f"{name} has content {found[:8]} on a worker, and {job.spec.fingerprint[:8]} in the plan")
    return folder


def _send(topic: str, key: str, kind: str, facts: Facts) -> None:
    from distributed import get_worker

    get_worker().log_event(topic, {"key": key, "kind": kind, "facts": dict(facts)})


def _allow_children() -> None:
    """Let this process start child processes: workers of a nanny are daemons, which Python does not let have any.

    They end with the worker all the same, see `core.machine.processes.end_with_parent`.
    """
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
