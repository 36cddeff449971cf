"""One process at a time in a folder that several share."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system lets go when the process dies; without locks there, do without."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # some network file systems have none, or the file is another user's
            lock = held.enter_context((folder / ".lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
