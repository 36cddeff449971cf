"""Locks on folders that several processes share."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ...core.errors import UsageError
from ...core.machine import locks


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. The system releases it when the process dies; where there are no locks, go on without."""
    lock = locks.take(folder / ".lock", wait=True)
    try:
        yield
    finally:
        if lock:
            lock.release()


@contextlib.contextmanager
def in_use(folders: Iterable[Path]) -> Iterator[None]:
    """Keep other processes from removing these folders of prepared data; see `to_remove`."""
    with contextlib.ExitStack() as held:
        for folder in sorted(folders):
            if lock := locks.take(_use_of(folder), shared=True):
                held.callback(lock.release)
        yield


@contextlib.contextmanager
def to_remove(folder: Path) -> Iterator[None]:
    """Have a folder alone, to remove it. Raises UsageError while a run uses it."""
    lock = locks.take(_use_of(folder)) if folder.is_dir() else None
    if lock is None and folder.is_dir():
        raise UsageError(f"{folder} is in use by a run; wait until it is done, or stop it")
    try:
        yield
    finally:
        if lock:
            lock.release(remove=True)


def _use_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")
