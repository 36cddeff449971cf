"""Settings of processes: that they end with their parent, how much memory they may have, and that they keep it."""

import contextlib
import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing import resource_tracker, util
from pathlib import Path

LONGEST_TMPDIR = 60  # bytes; a socket's path may have 107, of which its own name takes 40
SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
PR_SET_PDEATHSIG = 1  # of linux/prctl.h
CAN_LIMIT_MEMORY = sys.platform == "linux"  # elsewhere RLIMIT_DATA leaves out the memory that is mapped
_followers: set[int] = set()  # leaders of the process groups that stop with this process
_seconds_stopped = 0.0  # by Ctrl-Z
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h


def end_with_parent() -> None:
    """Make this process end when its parent ends, even if the parent is killed and cannot end its children.

    On Linux the kernel ends it when the process that forked it ends; a thread waits for the parent that asked for it,
    and elsewhere does it alone, unless the code that runs never lets go of Python's lock.
    """
    killed_with_parent()
    threading.Thread(target=_wait, daemon=True).start()


def killed_with_parent() -> None:
    """On Linux, let the kernel kill this process when the thread that started it ends, whatever this process does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Let threads and processes that start in the block hear no SIGINT; one that comes meanwhile counts after it.

    A terminal sends it to all of its foreground group, and each Python process would print a traceback.
    """
    resource_tracker.ensure_running()  # when it is first started, it lets the thread hear SIGINT again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def lead_group() -> None:
    """Put this process at the head of a process group, so that its own children can be ended with it."""
    with contextlib.suppress(OSError):  # it leads one already
        os.setpgid(0, 0)


def end_group(leader: int) -> None:
    """Kill what is left of the process group that the process with id `leader` leads, if anything is."""
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)


def stop_with_this(leader: int) -> None:
    """Let Ctrl-Z, which stops this process, also stop the process group of `leader`, and let both go on together.

    The terminal sends its signal to the foreground group alone. Only a program's main thread can hear it, and only
    where the program itself does not.
    """
    _followers.add(leader)
    if _may_hear(signal.SIG_DFL):
        signal.signal(signal.SIGTSTP, _stop_all)


def stop_with_this_no_longer(leader: int) -> None:
    _followers.discard(leader)
    if not _followers and _may_hear(_stop_all):
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)


def seconds_awake() -> float:
    """Return the time of a clock that stands still while this process is stopped by Ctrl-Z, in seconds."""
    return time.monotonic() - _seconds_stopped


def _may_hear(present: object) -> bool:
    return threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTSTP) is present


def _stop_all(number: int, frame: object) -> None:
    """Stop the followers and this process, and let the followers go on when somebody lets this one."""
    global _seconds_stopped
    start = time.monotonic()
    _signal_followers(signal.SIGSTOP)
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTSTP)  # until SIGCONT, from fg or bg
    signal.signal(signal.SIGTSTP, _stop_all)
    _seconds_stopped += time.monotonic() - start
    _signal_followers(signal.SIGCONT)


def _signal_followers(number: int) -> None:
    for leader in _followers:
        with contextlib.suppress(OSError):
            try:
                os.killpg(leader, number)
            except ProcessLookupError:  # it does not lead its group yet
                os.kill(leader, number)


def limit_memory(size: int) -> None:
    """Refuse this process memory beyond `size` bytes of its own, data and stacks; asking for more raises an error.

    It holds only where CAN_LIMIT_MEMORY.
    """
    most = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (size if most == resource.RLIM_INFINITY else min(size, most), most))


def _wait() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def ended_for_memory() -> int:
    """Return how many processes Linux has ended since it started because memory ran out; 0 where that is not known."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    except (OSError, StopIteration, ValueError):
        return 0


def use_short_temporary_folder() -> None:
    """Let multiprocessing keep its sockets in a folder with a short path, where that of TMPDIR is too long for them."""
    if len(os.fsencode(tempfile.gettempdir())) <= LONGEST_TMPDIR:
        return
    before, short = tempfile.tempdir, next((one for one in SHORT_FOLDERS if os.access(one, os.W_OK | os.X_OK)), None)
    tempfile.tempdir = short or before
    try:
        util.get_temp_dir()  # it makes its folder once, and keeps to it
    finally:
        tempfile.tempdir = before


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
