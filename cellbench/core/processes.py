"""Settings of processes: that they end with their parent, how much memory they may have, and that they keep it."""

import contextlib
import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1  # of linux/prctl.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h


def end_with_parent() -> None:
    """Make this process end when its parent ends, even if the parent is killed and cannot end its children.

    On Linux the kernel ends it when the process that forked it ends; a thread waits for the parent that asked for it,
    and elsewhere does it alone, unless the code that runs never lets go of Python's lock.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    threading.Thread(target=_wait, daemon=True).start()


def lead_group() -> None:
    """Put this process at the head of a process group, so that its own children can be ended with it."""
    with contextlib.suppress(OSError):  # it leads one already
        os.setpgid(0, 0)


def end_group(leader: int) -> None:
    """Kill what is left of the process group that the process with id `leader` leads, if anything is."""
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)


def limit_memory(size: int) -> None:
    """Refuse this process memory beyond `size` bytes of its own, data and stacks; asking for more raises an error."""
    most = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (size if most == resource.RLIM_INFINITY else min(size, most), most))


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
