"""What a figure shows, as plain data: so that another program can draw it, and a test can check it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...core.errors import UsageError
from ...core.runs import RunRecord
from ...core.store import read_predictions
from ..captions import device_of, title_of
from ..pooling import HARDWARE, ROW, as_rows, pool, with_settings
from ..ranking import main_figure
from ..table import Row


class LackingError(UsageError):
    """The results hold nothing that this figure could show; the message has the command that would make it."""


@dataclass(frozen=True)
class Chart:
    """title, subtitle, notes: what stands above and below. rows: what is drawn, each kind's own, see its function."""

    title: str
    subtitle: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """The runs of one data set, content and split that are to be drawn, and the folder that their records are in."""

    runs: pd.DataFrame
    root: Path

    def rows(self, told_apart: Collection[str] = ()) -> list[Row]:
        """Runs pooled over seeds, each with its `label`, which leaves out the settings `told_apart`."""
        return labelled(with_settings(pool(self.runs), told_apart), told_apart)

    def record(self, path: str) -> RunRecord:
        return RunRecord.from_json((self.root / path).read_text(encoding="utf-8"))

    def predictions(self, path: str) -> dict[str, NDArray] | None:
        return read_predictions(self.root / path)

    def runs_of(self, row: Row) -> list[Row]:
        """The ok runs that were pooled into `row`, by seed."""
        return self._runs_by_row.get(_identity(row), [])

    @cached_property
    def _runs_by_row(self) -> dict[tuple[Any, ...], list[Row]]:
        found: dict[tuple[Any, ...], list[Row]] = {}
        for run in as_rows(self.runs[self.runs["status"] == "ok"].sort_values("seed", kind="stable")):
            found.setdefault(_identity(run), []).append(run)
        return found


def _identity(row: Row) -> tuple[Any, ...]:
    return tuple(None if row[name] == "" else row[name] for name in ROW)


def labelled(rows: Sequence[Row], told_apart: Collection[str] = ()) -> list[Row]:
    """Rows with a `label`: the method, and what else tells a row from others of its method on the same hardware."""
    alike: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        alike.setdefault(tuple(row[name] for name in ("method", "settings", *HARDWARE)), []).append(row)
    told: list[Row] = []
    for group in alike.values():
        names = [name for name in ("version", "backend") if name not in told_apart]
        unlike = [name for name in names if len({row[name] for row in group}) > 1]
        for row in group:
            parts = [row["method"], row["settings"], *(f"{name} {row[name]}" for name in unlike)]
            told.append({**row, "label": ", ".join(filter(None, parts))})
    return told


def measure(rows: Sequence[Row]) -> tuple[str, str]:
    """The figure to show, as in records and in words: accuracy, or of several labels an image macro-F1."""
    name = main_figure(rows)
    return name, name.replace("_f1", "-F1")


def heading(rows: Sequence[Row], what: str) -> str:
    return f"{title_of(rows)}: {what}"


def seeds(rows: Sequence[Row], shown: str = "bars") -> str:
    """'mean of 3 seeds, bars ± 1 standard deviation', '1 seed', '1 to 3 seeds …'."""
    counts = sorted({len(row["seeds"]) for row in rows if row["seeds"]})
    if not counts or counts[-1] == 1:
        return "1 seed each"
    span = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"means of {span} seeds, {shown}: ± 1 standard deviation of the seeds"


def failures(rows: Sequence[Row]) -> list[str]:
    """What went wrong, and with which rows: those that aren't whole, or that learned nothing."""
    told: dict[str, list[str]] = {}
    for row in rows:
        if row["remark"]:
            told.setdefault(row["remark"], []).append(f"{row['label']} on {device_of(row)}")
    return [f"{'; '.join(dict.fromkeys(named))}: {remark}" for remark, named in told.items()]


def devices(rows: Sequence[Row]) -> list[str]:
    apart = len({row["device"] for row in rows}) > 1
    return ["Filled markers: on a processor; open ones: on a GPU."] if apart else []


def simulated(rows: Sequence[Row]) -> list[str]:
    return ["The images are simulated: no verdict rests on them."] if any(row["synthetic"] for row in rows) else []


def mean_and_deviation(values: Sequence[Any]) -> tuple[NDArray, NDArray | None]:
    """Over the first axis; no deviation of one."""
    stacked = np.array(values, float)
    return stacked.mean(0), stacked.std(0, ddof=1) if len(stacked) > 1 else None
