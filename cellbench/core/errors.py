"""Errors a user can act on: each message says what was got, where, what is allowed and what to do."""

import difflib
from collections.abc import Iterable


class CellbenchError(Exception):
    """Base of all errors that are told to the user in one line; `exit_code` is the process's."""

    exit_code = 2


class UsageError(CellbenchError):
    """A command, name or setting that cannot be understood."""


class DataError(CellbenchError):
    """Images, labels or archives that cannot be trusted as given."""


class BackendError(CellbenchError):
    """A library or device that was asked for and is not there."""


class TrainingError(CellbenchError):
    """A training run that cannot go on."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A clause that helps after an unknown name: the closest known names, whatever their case, or all of them."""
    known = sorted(known)
    plain = name.casefold()
    nearest = difflib.get_close_matches(plain, {each.casefold() for each in known}, n=3, cutoff=0.5)
    close = [each for fold in nearest for each in known if each.casefold() == fold]
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"known: {', '.join(known)}" if known else "none are known"
