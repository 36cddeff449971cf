"""What processes owe each other, and how they keep their memory."""

import ctypes
import multiprocessing
import os
import threading

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h


def end_with_parent() -> None:
    """Let this process end with its parent: one that is killed outright can end nobody, and no queue would tell."""
    threading.Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def keep_memory() -> None:
    """Let this process, and those forked from it, keep the memory that they free for what they ask for next.

    glibc gives large blocks back at once; those of every training step are then asked for, and filled with zeros by
    the system, again and again. Blocks of over 32 MiB are given back all the same. Elsewhere it does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 2**25)  # the most that it takes
        mallopt(M_TRIM_THRESHOLD, 2**30)
