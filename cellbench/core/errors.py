"""Errors a user can act on: each message says what was got, where, what is allowed and what to do."""

import difflib
import errno
from collections.abc import Iterable
from pathlib import Path

LIKE = 0.5  # the share of letters in common from which on a name may have been meant
MOST_NAMES = 10  # that are listed where none is close
LESS_LIKE = 0.2  # a name that is less like it than the likest, by this, was not

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)  # the disk's, the user's share of it
WRONG_PLACE = (  # elsewhere it may go: no right to write there, not that large a file, no such folder
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG),
    *(errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG),
)


class CellbenchError(Exception):
    """Base of all errors that are told to the user in one line; `exit_code` is the process's."""

    exit_code = 2


class UsageError(CellbenchError):
    """A command, name or setting that cannot be understood."""


class DataError(CellbenchError):
    """Images, labels or archives that cannot be trusted as given."""


class UnavailableError(DataError):
    """What a method takes from elsewhere, such as weights, is not here and cannot be had: its run is skipped."""


class BackendError(CellbenchError):
    """A library or device that was asked for and is not there."""


class TrainingError(CellbenchError):
    """A training run that cannot go on."""


def closest(name: str, known: Iterable[str]) -> list[str]:
    """The three known names, at most, that `name` may have been meant for, whatever their case, best first."""
    likeness = {each: difflib.SequenceMatcher(None, each.casefold(), name.casefold()).ratio() for each in sorted(known)}
    least = max(LIKE, max(likeness.values(), default=0) - LESS_LIKE)
    return sorted((each for each in likeness if likeness[each] >= least), key=lambda each: -likeness[each])[:3]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A clause that helps after an unknown name: the closest known names, or the first ten."""
    known = sorted(known)
    if close := closest(name, known):
        return f"did you mean {' or '.join(map(repr, close))}?"
    more = f" and {len(known) - MOST_NAMES:,} more" if len(known) > MOST_NAMES else ""
    return f"known: {', '.join(known[:MOST_NAMES])}{more}" if known else "none are known"


def cannot_write(path: Path, error: OSError, choice: str) -> str:
    """One line after a failure to write: the system's word, and what to do where that helps; choice: what chooses the
    folder, such as -o."""
    why = "it is no folder" if isinstance(error, FileExistsError) else error.strerror or str(error)
    space = "free some space or " if error.errno in NO_SPACE else ""
    place = f"; {space}choose another folder with {choice}" if error.errno in (*NO_SPACE, *WRONG_PLACE) else ""
    return f"cannot write {path}: {why}{place}"
