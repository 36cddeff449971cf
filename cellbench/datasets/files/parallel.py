"""Work on many items in threads or processes, with results in the order of the items."""

import contextlib
import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from ...core.errors import DataError
from ...core.machine.environment import cores
from ...core.machine.processes import end_with_parent

T = TypeVar("T")
R = TypeVar("R")

BATCH = 128  # items handed over together: one at a time would cost as much as decoding a small image
BATCH_BYTES = 2**22  # a batch of members of an archive ends when it has so many bytes
AHEAD = 2  # batches that may wait for a worker; more would only take memory
MOST_PROCESSES = 8  # with more, workers wait for the process that hands out the work


def in_order(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield work(item) of each item, in order, from threads that run only a few batches ahead."""
    return in_batches(partial(_one_by_one, work), items)


def in_batches(work: Callable[[list[T]], list[R]], items: Iterable[T], *, processes: bool = False) -> Iterator[R]:
    """Give `work` batches of items, and yield the results one by one in the order of the items.

    Threads suit work that releases Python's lock, such as decoding large images; with small images they are no faster
    than a loop. processes: use processes instead, where the system has them; they take 0.2 s to start, and `work`,
    items and results must be picklable.
    """
    batches = _batches(items)
    pool, workers = (_processes() if processes else None) or (ThreadPoolExecutor(cores()), cores())
    with pool:

        def submit(batch: list[T]) -> Future[list[R]]:
            with _ctrl_c_delayed():
                return pool.submit(work, batch)

        pending: deque[Future[list[R]]] = deque()
        try:
            pending.extend(map(submit, islice(batches, workers + AHEAD)))
            while pending:
                results = pending.popleft().result()
                pending.extend(map(submit, islice(batches, 1)))
                yield from results
        except BrokenProcessPool as error:
            pending.clear()  # all broken; to cancel one now would make the pool print a traceback
            raise DataError(
                "a process that reads images was ended: is the memory full? (A script of yours that prepares data "
                "must do so below `if __name__ == '__main__':`)"
            ) from error
        finally:
            for future in pending:
                future.cancel()


def _one_by_one(work: Callable[[T], R], batch: list[T]) -> list[R]:
    return [work(item) for item in batch]


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in lists of at most BATCH, each ended early once it has BATCH_BYTES."""
    batch: list[T] = []
    size = 0
    for item in items:
        batch.append(item)
        size += _bytes_in(item)
        if len(batch) == BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _bytes_in(item: object) -> int:
    """How many bytes of file contents an item holds, itself or in a tuple; a path holds none."""
    if isinstance(item, tuple):
        return sum(map(_bytes_in, item))
    return len(item) if isinstance(item, bytes) else 0


def _processes() -> tuple[Executor, int] | None:
    """A pool of processes and their number; None where processes cannot be started."""
    if not _main_can_be_imported():
        return None
    workers = min(cores(), MOST_PROCESSES)
    try:  # spawned, not forked: the parent may have threads, whose locks a fork would copy as they are
        return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), end_with_parent), workers
    except (OSError, ImportError, NotImplementedError):  # no semaphores, as in a container without /dev/shm
        return None


def _main_can_be_imported() -> bool:
    """Whether a spawned process can import the main module; it cannot when that came from standard input."""
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    return file is None or getattr(main, "__spec__", None) is not None or Path(file).is_file()


@contextlib.contextmanager
def _ctrl_c_delayed() -> Iterator[None]:
    """Delay Ctrl-C to the end of the block. A process that is started in it never gets one: the parent handles it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
