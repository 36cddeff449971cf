"""Work on many items by threads or processes, with results in the order of the items."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import islice
from typing import TypeVar

from ..core.environment import cores
from ..core.errors import DataError

T = TypeVar("T")
R = TypeVar("R")

BATCH = 128  # items taken at a time: handing over each by itself would cost as much as decoding a small image
AHEAD = 2  # batches that wait for a worker: memory stays small
MOST_PROCESSES = 8  # more wait for the one that hands out the work


def in_order(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """work(item) of each item, in order, by threads that run only a few batches ahead."""
    return in_batches(partial(_each, work), items)


def in_batches(work: Callable[[list[T]], list[R]], items: Iterable[T], *, processes: bool = False) -> Iterator[R]:
    """What `work` makes of batches of items, item by item, in order.

    Threads suit what leaves Python's lock alone, such as decoding large images; of small ones they do no more than a
    loop. processes: use those instead; they cost 0.2 s to start, and `work`, items and results must be picklable.
    """
    source = iter(items)
    batches = iter(lambda: list(islice(source, BATCH)), [])
    workers = min(cores(), MOST_PROCESSES) if processes else cores()
    with _processes(workers) if processes else ThreadPoolExecutor(workers) as pool:

        def submit(batch: list[T]) -> Future[list[R]]:
            with _ctrl_c_held_back():  # also by a process that this starts: it is the parent's to handle
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


def _each(work: Callable[[T], R], batch: list[T]) -> list[R]:
    return [work(item) for item in batch]


def _processes(workers: int) -> Executor:
    # spawned, not forked: the parent may have threads, whose locks a fork would copy as they are
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _watch_parent)


@contextlib.contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Ctrl-C comes at the end of the block; what is started in it never gets one."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _watch_parent() -> None:
    """Let this process end with its parent, even if that is killed: its queue would never tell."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
