"""Which library solved an SVM, and how far it agrees with LIBSVM on the same problem."""

import json
from collections.abc import Iterable, Sequence

import numpy as np

from ..runs import Run, same_images
from .row import L, Line
from .settings import fixed_params

REFERENCE = "libsvm"
PROBLEM = ("dataset", "fingerprint", "split", "limit", "val_limit", "preprocessing", "method", "revision", "machine")


def requested(row: Line) -> str | None:
    """Return the value of the setting `backend`, or None for a method that has no such setting."""
    named = json.loads(row["params"]).get("backend")
    return named if isinstance(named, str) else None


def solver(row: Line) -> str | None:
    """Return the name of the library that a row was computed with, or None if it is not known.

    A library that was asked for by name is known even if the run failed. For an SVM on a net's features, the name is
    that of the SVM's library.
    """
    asked = requested(row)
    return asked if asked not in (None, "auto") else (row.get("backend") or "").rpartition(", ")[2] or None


def problem(row: Line, *more: str) -> tuple[object, ...]:
    """Return a key that is equal for all rows that solve the same problem, whichever library solved it.

    It holds the row's values of PROBLEM and of the columns `more`, and its settings, except for the backend and for
    settings that follow from the number of training images.
    """
    params = {name: value for name, value in fixed_params(row).items() if name != "backend"}
    return (*(row.get(name) for name in (*PROBLEM, *more)), json.dumps(params, sort_keys=True))


def is_reference(row: Line) -> bool:
    return row["device"] == "cpu" and requested(row) is not None and solver(row) == REFERENCE


def references(rows: Iterable[L], *more: str) -> dict[tuple[object, ...], L]:
    """Return, for each problem, the row that LIBSVM solved on a processor with status 'ok'.

    If one row asked for LIBSVM by name and another got it through 'auto', the former is returned. more: see `problem`.
    """
    found = [row for row in rows if row["status"] == "ok" and is_reference(row)]
    return {problem(row, *more): row for row in sorted(found, key=lambda row: requested(row) == REFERENCE)}


def agreements(rows: Sequence[Line], runs: Sequence[Run]) -> list[float | None]:
    """Return, for each run, the share of test images that it labels as LIBSVM does on the same problem and seed.

    Where images have several labels, it is the share of pairs of image and label. It is None where there is no such
    run of LIBSVM, where a run has no predictions, or where the two runs had other images.

    rows: the rows of the frame, one for each run, in the order of `runs`.
    """
    of_row = {id(row): run for row, run in zip(rows, runs, strict=True)}
    reference = {key: of_row[id(row)] for key, row in references(rows, "seed").items()}
    if not reference:
        return [None] * len(rows)
    return [
        _agreement(run, reference.get(problem(row, "seed"))) if row["status"] == "ok" else None
        for row, run in zip(rows, runs, strict=True)
    ]


def _agreement(run: Run, reference: Run | None) -> float | None:
    if reference is None:
        return None
    mine, theirs = run.predicted(), reference.predicted()
    if mine is None or theirs is None or not same_images([mine, theirs]):
        return None
    return float(np.mean(mine.predicted == theirs.predicted))
