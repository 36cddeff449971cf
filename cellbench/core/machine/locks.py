"""Locks on files that end with their process: the kernel releases them, however it ends, so none is ever stale.

These are the locks of flock(2). On NFS Linux keeps them at the server, which drops those of a machine that is gone. On
a file system without locks, and on Windows, every lock is given: nothing is then protected by it.
"""

import contextlib
import errno
import os
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

TAKEN = (errno.EWOULDBLOCK, errno.EACCES)  # both are said of a lock that another process holds


class Lock:
    """A lock that this process holds until `release`.

    is_kept: whether the file system really keeps it, so that no other process has it too.
    """

    def __init__(self, path: Path, file: IO[str] | None) -> None:
        self.path, self._file = path, file

    @property
    def is_kept(self) -> bool:
        return self._file is not None

    def note(self, text: str) -> None:
        """Write a text into the file, for those who find it locked."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk: who holds the lock is then not known
                self._file.truncate(0)
                self._file.write(text)
                self._file.flush()

    def release(self, remove: bool = False) -> None:
        """Give the lock back. remove: whether to delete its file, which must be that of this lock alone."""
        if self._file is None:
            return
        if remove:
            with contextlib.suppress(OSError):
                self.path.unlink()
        self._file.close()
        self._file = None


def take(path: Path, *, shared: bool = False, wait: bool = False) -> Lock | None:
    """Return the lock of a file, which is made if it is not there, or None if another process holds it.

    shared: a lock that several may hold at once, as long as nobody has it alone. wait: wait until it can be had.
    """
    while fcntl is not None:
        try:
            file = path.open("a+", encoding="utf-8")
        except OSError:  # another user's file, or a folder that nobody may write to
            break
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
            if _is_still(path, file):
                return Lock(path, file)
            file.close()  # whoever had it deleted the file meanwhile: take that which has the name now
        except OSError as error:
            file.close()
            if error.errno in TAKEN:
                return None
            break  # a file system without locks
        except BaseException:
            file.close()
            raise
    return Lock(path, None)


def _is_still(path: Path, file: IO[str]) -> bool:
    """Whether the file at `path` is the one that was opened."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
