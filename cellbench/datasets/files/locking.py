"""A lock on a folder that several processes share."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ...core import locks


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. The system releases it when the process dies; where there are no locks, go on without."""
    lock = locks.take(folder / ".lock", wait=True)
    try:
        yield
    finally:
        if lock:
            lock.release()
