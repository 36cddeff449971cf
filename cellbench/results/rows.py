"""A row of results, the facts that follow from it, and rows side by side."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from ..core.contention import is_busy
from ..core.data import OFFICIAL

Row = Mapping[str, Any]
DATA = ("dataset", "fingerprint", "split", "limit", "val_limit")
HARDWARE = ("device", "machine", "threads")
MAKE = ("processor", "gpu", "backend", "version")  # times and results of unlike ones are not to be averaged
SETTINGS = ("preprocessing", "method", "revision", "params", "deterministic")
SETTINGS_OF_ALL_SIZES = tuple("fixed_params" if name == "params" else name for name in SETTINGS)

NOT_SHOWN = ("runs", "gap_accuracy", "gap_accuracy_sd", "gap_macro_f1", "gap_macro_f1_sd")  # keys that no table has


def by(rows: Iterable[Row], names: Sequence[str]) -> list[list[Row]]:
    """Rows that share `names`, in the order of these; missing comes first, and the official split before others."""

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(
            (row[name] is not None, name == "split" and row[name] != OFFICIAL, row[name] or 0) for name in names
        )

    return [list(group) for _, group in itertools.groupby(sorted(rows, key=key), key)]


def as_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A row of a frame as a mapping, None where something is missing."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")  # type: ignore[return-value]


def figures_of(row: Row) -> dict[str, Any]:
    """A row as tables, their files and conditions have it."""
    return {name: value for name, value in row.items() if name not in NOT_SHOWN}


def one_label(rows: Sequence[Row]) -> bool:
    """Whether images have one label each, so that accuracy means something; yes while nothing says otherwise."""
    return not any(row.get("several_labels") for row in rows)


def is_disturbed(row: Row) -> bool:
    """Whether other programs had so much of the processors that the row's training time is too long."""
    return is_busy(row.get("others"))


def memory_of(row: Row) -> float | None:
    """Peak bytes where the work was done: on the accelerator, or of the process."""
    return row.get("host_memory") if row.get("device") == "cpu" else row.get("device_memory")
