"""Scratch folders: written beside their target and renamed to it, so that nothing half-written is taken for whole."""

import contextlib
import errno
import os
import platform
import re
import shutil
import sys
import time
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path

from ....core.errors import NO_SPACE, DataError, cannot_write

SCRATCH = re.compile(r"\.(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-\w+$")  # the end of a scratch folder's name
A_DAY = 24 * 3600  # seconds
NO_ROOM = (*NO_SPACE, errno.EFBIG, errno.EROFS)  # numbers of errors that only writing raises


@contextlib.contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """A new folder beside `target`, to fill and rename to it; removed at the end if it is still there.

    Its name has the machine and the process that made it, so that `sweep` can find out that nobody fills it any more.
    """
    scratch = _scratch_path(target)
    try:
        scratch.mkdir(parents=True)  # with the usual rights, unlike tempfile's: a cache may be shared
    except OSError as error:
        raise unwritable(target, error) from error
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def set_aside(folder: Path) -> Path | None:
    """Rename a folder to a scratch folder's name, in one step, and return the new path; None when it isn't there.

    It can then be removed file by file: nobody takes what is left of it for a whole data set.
    """
    try:
        return folder.rename(_scratch_path(folder))
    except FileNotFoundError:
        return None


def flush_files(folder: Path) -> None:
    """Wait until a folder's files are on the disk.

    Without that a file's name may get there before its content, and a power cut leaves a file of zeros.
    """
    for path in folder.iterdir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())
    flush_names(folder)


def flush_names(folder: Path) -> None:
    """Wait until the names of a folder's files are on the disk."""
    if sys.platform == "win32":  # Windows cannot open a folder
        return
    entries = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entries)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot
            raise
    finally:
        os.close(entries)


def unwritable(target: Path, error: OSError) -> DataError:
    """The error for a cache folder that cannot be written: it names the variable that moves the cache."""
    return DataError(cannot_write(target, error, "CELLBENCH_DATA"))


def is_abandoned(scratch: Path) -> bool:
    """Whether a scratch folder is more than a day old, or its process on this machine is no more."""
    try:
        if time.time() - scratch.stat().st_mtime > A_DAY:
            return True
    except OSError:
        return False
    made = SCRATCH.search(scratch.name)
    return bool(made and made["host"] == machine_code() and not _is_alive(int(made["pid"])))


def _scratch_path(target: Path) -> Path:
    return target.with_name(f".{target.name}.{machine_code()}-{os.getpid()}-{uuid.uuid4().hex[:8]}")


def _is_alive(process: int) -> bool:
    """Whether a process of this machine still runs."""
    if sys.platform == "win32":  # os.kill would end it there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # a process of another user, which runs
        return True
    return True


def machine_code() -> str:
    """8 hexadecimal digits that differ between machines which share a cache folder, and don't give their names away."""
    return f"{zlib.crc32(platform.node().encode()):08x}"
