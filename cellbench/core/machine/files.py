"""Reading files that others may have put there: regular ones alone, and below a size that is said."""

import os
import stat
import zipfile
from pathlib import Path

from ..text.words import file_size

LARGEST_TENSORS = 16e9  # bytes of a file of weights, or of a model; the largest nets here have a thirtieth of it


class NoRegularFileError(OSError):
    """A folder, a pipe, a device, or a file that is larger than it may be."""


def expanded(path: str | Path) -> Path:
    """Return a path with its ~ as the user's folder; ~ of a user who is unknown stays as it is."""
    return Path(os.path.expanduser(path))  # pathlib's raises an error for such a user


def check_regular(path: Path, limit: float) -> None:
    """Raise NoRegularFileError unless `path` is a regular file, or a link to one, of at most `limit` bytes.

    Opening a pipe would wait for its writer, and a device may never end. An OSError says that the file is not there.
    """
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise NoRegularFileError(f"it is {_kind(facts.st_mode)}, no regular file")
    if facts.st_size > limit:
        raise NoRegularFileError(f"it has {file_size(facts.st_size)}, more than the {file_size(limit)} that are read")


def check_tensors(path: Path, limit: float = LARGEST_TENSORS) -> None:
    """Raise NoRegularFileError unless `path` is a file as `check_regular` allows it, and unpacks to no more than it is.

    torch writes its zip archives unpacked, but also reads those whose members are packed, or lie over each other.
    """
    check_regular(path, limit)
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as members:
                size = sum(member.file_size for member in members.infolist())
        except Exception:  # whatever zipfile raises of a damaged file
            raise NoRegularFileError("it is damaged, or no file of tensors and numbers alone") from None
        if size > path.stat().st_size:
            raise NoRegularFileError(f"it unpacks to {file_size(size)}, more than it has; torch packs nothing")


def read_text(path: Path, limit: float) -> str:
    """Return the text of a regular UTF-8 file of at most `limit` bytes; see `check_regular`."""
    check_regular(path, limit)
    return path.read_text(encoding="utf-8")


def _kind(mode: int) -> str:
    kinds = {stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
    return next((name for is_kind, name in kinds.items() if is_kind(mode)), "a device")
