"""Settings of processes: that they end with their parent, and that they keep freed memory."""

import ctypes
import multiprocessing
import os
import threading

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h


def end_with_parent() -> None:
    """Make this process end when its parent ends, even if the parent is killed and cannot end its children."""
    threading.Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def keep_memory() -> None:
    """Make this process, and those forked from it, reuse the memory that they free.

    By default glibc returns large freed blocks to the system at once. Each training step then has to ask for them
    again, and the system fills them with zeros. Blocks of over 32 MiB are returned all the same. Without glibc's
    mallopt, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 2**25)  # the most that it takes
        mallopt(M_TRIM_THRESHOLD, 2**30)
