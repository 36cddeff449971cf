"""Locks on runs: of several processes that have the same run to do, one does it.

The lock is on a file beside the record. It ends with its process, however that ends.
"""

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from ..core.machine import locks
from ..core.machine.files import read_text
from ..core.records.runs import RunSpec
from ..core.records.store import Store
from ..datasets.files.cache.scratch import machine_code

LONGEST_NOTE = 1000  # bytes in a lock's file
POLL_SECONDS = 0.5  # between two looks at locks of other processes


@dataclass(frozen=True)
class Owner:
    """The process that has locked a run. process: its number, None if it is not known. since: when it did so."""

    process: int | None = None
    since: str = ""
    elsewhere: bool = False  # on another machine

    def __str__(self) -> str:
        if self.process is None:
            return "another process"
        place = " of another machine" if self.elsewhere else ""
        return f"process {self.process}{place} since {self.since}"


class RunLocks:
    """The runs of a store that this process has locked; all locks end with the `with` block."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[str, tuple[RunSpec, locks.Lock]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        for spec, _ in list(self._held.values()):
            self.release(spec)

    def take(self, spec: RunSpec) -> bool:
        """Lock a run, and remove what a killed process left half-written of it. False if another process has it."""
        if spec.key in self._held:
            return True
        path = self._path(spec)
        with contextlib.suppress(OSError):  # nothing can be written: saving the record will say so
            path.parent.mkdir(parents=True, exist_ok=True)
        lock = locks.take(path)
        if lock is None:
            return False
        lock.note(f"{machine_code()} {os.getpid()} {datetime.now():%Y-%m-%d %H:%M:%S}\n")
        self._remove_parts(spec, lock)
        self._held[spec.key] = spec, lock
        return True

    def release(self, spec: RunSpec) -> None:
        """End a lock, and remove what the run, which was perhaps killed as it wrote, left half-written."""
        _, lock = self._held.pop(spec.key)
        self._remove_parts(spec, lock)
        lock.release(remove=True)

    def _remove_parts(self, spec: RunSpec, lock: locks.Lock) -> None:
        if lock.is_kept:
            self._store.remove_parts(spec)

    def owner(self, spec: RunSpec) -> Owner:
        """Return the process that has locked a run, as the file of the lock says it."""
        try:
            machine, process, since = read_text(self._path(spec), LONGEST_NOTE).strip().split(" ", 2)
            return Owner(int(process), since, machine != machine_code())
        except (OSError, ValueError):  # it has just ended, or has not written its name yet
            return Owner()

    def wait_for_one(self, specs: Sequence[RunSpec]) -> None:
        """Wait until one of the runs, which other processes have locked, is free again, and lock it."""
        while not any(self.take(spec) for spec in specs):
            time.sleep(POLL_SECONDS)

    def _path(self, spec: RunSpec) -> Path:
        return self._store.path(spec).with_suffix(".lock")
