"""Errors a user can act on: each message says what was got, where, what is allowed and what to do."""

import difflib
import errno
from collections.abc import Iterable
from pathlib import Path

LIKE = 0.5  # similarity from which a known name is suggested
MOST_NAMES = 10  # known names that are listed if none is similar
LESS_LIKE = 0.2  # names that are less similar than the most similar one by more than this are not suggested

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)  # the disk's, the user's share of it
WRONG_PLACE = (  # another folder may help: no permission, file too large, no such folder
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG),
    *(errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG),
)


class CellbenchError(Exception):
    """Base of all errors that the user sees as one line; `exit_code` is the exit code of the process."""

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
    """Return up to three known names that are similar to `name`, ignoring case, the most similar first."""
    likeness = {each: difflib.SequenceMatcher(None, each.casefold(), name.casefold()).ratio() for each in sorted(known)}
    least = max(LIKE, max(likeness.values(), default=0) - LESS_LIKE)
    return sorted((each for each in likeness if likeness[each] >= least), key=lambda each: -likeness[each])[:3]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a clause for a message about an unknown name: the closest known names, or the first ten of all."""
    known = sorted(known)
    if close := closest(name, known):
        return f"did you mean {' or '.join(map(repr, close))}?"
    more = f" and {len(known) - MOST_NAMES:,} more" if len(known) > MOST_NAMES else ""
    return f"known: {', '.join(known[:MOST_NAMES])}{more}" if known else "none are known"


def cannot_write(path: Path, error: OSError, choice: str) -> str:
    """Return a one-line message about a failure to write: the system's reason, and what the user can do, if anything.

    choice: the option that chooses the folder, such as -o.
    """
    why = "it is no folder" if isinstance(error, FileExistsError) else error.strerror or str(error)
    space = "free some space or " if error.errno in NO_SPACE else ""
    place = f"; {space}choose another folder with {choice}" if error.errno in (*NO_SPACE, *WRONG_PLACE) else ""
    return f"cannot write {path}: {why}{place}"
