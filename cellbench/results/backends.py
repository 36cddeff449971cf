"""Which library solved an SVM, and the LIBSVM run on the same problem."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .row_settings import fixed_params
from .rows import L, Line
from .runs import Run, same_images

REFERENCE = "libsvm"
PROBLEM = ("dataset", "fingerprint", "split", "limit", "val_limit", "preprocessing", "method", "revision", "machine")


def requested(row: Line) -> str | None:
    """The setting `backend`; None for a method that has no such setting."""
    params: dict[str, Any] = json.loads(row["params"])
    return params.get("backend")


def solver(row: Line) -> str | None:
    """The library that did the work; of an SVM on a net's features, the SVM's. A library that was asked for by name is
    known even if the run failed."""
    asked = requested(row)
    return asked if asked not in (None, "auto") else (row.get("backend") or "").rpartition(", ")[2] or None


def problem(row: Line, *more: str) -> tuple[Any, ...]:
    """The values of PROBLEM and `more` and the settings, without the backend and what follows from the number of
    training images: rows on the same problem have the same."""
    params = {name: value for name, value in fixed_params(row).items() if name != "backend"}
    return (*(row.get(name) for name in (*PROBLEM, *more)), json.dumps(params, sort_keys=True))


def is_reference(row: Line) -> bool:
    return row["device"] == "cpu" and requested(row) is not None and solver(row) == REFERENCE


def references(rows: Iterable[L], *more: str) -> dict[tuple[Any, ...], L]:
    """LIBSVM's ok rows on a processor, by problem. Where 'auto' chose LIBSVM as well, the row that asked for it by name
    is taken."""
    found = [row for row in rows if row["status"] == "ok" and is_reference(row)]
    return {problem(row, *more): row for row in sorted(found, key=lambda row: requested(row) == REFERENCE)}


def agreements(rows: Sequence[Line], runs: Sequence[Run]) -> list[float | None]:
    """For each run, the share of test images that it decides as LIBSVM does on the same problem with the same seed.
    With several labels an image, the share of pairs of image and label. None without such a run, or without
    predictions.

    rows: the frame's, one for each run.
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
