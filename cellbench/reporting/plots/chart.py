"""What a figure shows, as plain data: so that another program can draw it, and a test can check it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import UsageError
from ...core.runs import RunRecord
from ..captions import device_of, title_of
from ..pooling import HARDWARE, with_settings
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


def labelled(rows: Sequence[Row], told_apart: Collection[str] = ()) -> list[Row]:
    """Rows with a `label`: the method, and what else tells a row from others of its method on the same hardware, but
    for settings `told_apart`."""
    rows = with_settings(rows, told_apart)
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


def record_of(file: str) -> RunRecord:
    return RunRecord.from_json(Path(file).read_text(encoding="utf-8"))


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
