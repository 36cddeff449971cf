"""Which trials of a study are at work, and which a process left behind that is gone.

A process that makes trials holds a lock beside the study's file, which the kernel releases however the process ends;
its trials have the lock's name. Where the file system keeps no locks, Optuna's signs of life say the same, minutes
later.
"""

import contextlib
import uuid
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.machine import locks

if TYPE_CHECKING:
    import optuna

LOCK = "lock"  # the attribute of a trial that has the lock's name
HEARTBEAT = 60  # seconds between signs of life
GRACE = 3 * HEARTBEAT  # seconds without one after which a trial is taken for dead


@contextlib.contextmanager
def locked_study(file: Path) -> Iterator[None]:
    """Let no other process create the study's file, or a study in it, while the block lasts."""
    lock = locks.take(file.with_name(f"{file.name}.lock"), wait=True)
    try:
        yield
    finally:
        if lock:
            lock.release(remove=True)


@contextlib.contextmanager
def at_work(file: Path) -> Iterator[str]:
    """Hold a lock beside the study's file while the block lasts, and yield its name; '' where none is kept."""
    path = file.with_name(f"{file.name}.{uuid.uuid4().hex[:12]}.lock")
    lock = locks.take(path)
    try:
        yield path.name if lock and lock.is_kept else ""
    finally:
        if lock:
            lock.release(remove=True)


def fail_left_behind(study: "optuna.Study", file: Path) -> None:
    """Mark as failed the trials at work whose process is gone; they have no figure, and cost nothing."""
    import optuna

    with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
        optuna.storages.fail_stale_trials(study)
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        name = trial.user_attrs.get(LOCK)
        # Without a name it has only begun, or its process was killed before the first sign of life.
        if _is_free(file.with_name(Path(name).name)) if name else _is_old(trial.datetime_start):
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL, skip_if_finished=True)


def _is_free(path: Path) -> bool:
    """Whether no process holds the lock, which is then removed."""
    if not path.exists():
        return True
    lock = locks.take(path)
    if lock is None or not lock.is_kept:
        return False
    lock.release(remove=True)
    return True


def _is_old(start: datetime | None) -> bool:
    return start is not None and datetime.now() - start > timedelta(seconds=GRACE)
