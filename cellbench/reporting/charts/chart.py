"""What a chart is, and the words that stand around it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import UsageError
from ...results.certainty import with_intervals
from ...results.ranking import main_figure, ranked
from ...results.row_settings import with_settings
from ...results.rows import HARDWARE, MOST_FILES, Line, Row
from ..captions import device_of, drawn_over, title_of
from .compose import Part
from .layers import Column, Datum
from .style import WIDTH

MOST_NAMED = 6  # rows that a note names


class LackingError(UsageError):
    """The results hold nothing that this figure could show; the message has the command that would make it."""


@dataclass(frozen=True)
class Chart:
    """title, subtitle, notes: what stands above and below. rows: what is drawn, each kind's own, see its function.
    draw: the panels as a specification that is so many points wide. columns, points: the table beside the chart, a line
    for each mark."""

    title: str
    subtitle: str
    rows: tuple[Line, ...]
    notes: tuple[str, ...]
    draw: Callable[[float], Part] = field(repr=False, compare=False)
    columns: tuple[Column, ...]
    points: tuple[Datum, ...]

    def panels(self, width: float = WIDTH) -> Part:
        return self.draw(width)


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
            told.append(row.having(label=", ".join(filter(None, parts))))
    return told


def measure(rows: Sequence[Row]) -> tuple[str, str]:
    """The figure to show, as in records and in words: accuracy, or of several labels an image macro-F1."""
    name = main_figure(rows)
    return name, name.replace("_f1", "-F1")


def heading(rows: Sequence[Row], what: str) -> str:
    return f"{title_of(rows)}: {what}"


def title_of_all(rows: Sequence[Line]) -> str:
    """A title of rows of all limits."""
    return title_of([{**row, "limit": None, "val_limit": None} for row in rows])


def seeds(rows: Sequence[Row], deviation: str = "") -> str:
    """'means of 3 seeds', '1 seed each', 'means of 1 to 3 seeds'; deviation: what shows that of seeds, 'bands'."""
    counts = sorted({len(row["seeds"]) for row in rows if row["seeds"]})
    if not counts or counts[-1] == 1:
        return "1 seed each"
    span = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"means of {span} seeds" + f", {deviation}: ± 1 standard deviation over seeds" * bool(deviation)


def with_spans(rows: Sequence[Row]) -> list[Row]:
    """Rows, the best first, with `span`: (low, high), the interval of the figure on test as tables give it, or None;
    and `interval_over`."""
    name, _ = measure(rows)
    ends = [f"test_{name}_{end}" for end in ("low", "high")]
    return [
        row.having(span=tuple(row[end] for end in ends) if row["interval_over"] else None)
        for row in with_intervals(ranked(rows), name)
    ]


def intervals(
    rows: Sequence[Line], bars: str = "Bars", called: Callable[[Line], str] = lambda row: row["label"]
) -> list[str]:
    """A line on what bars on test are, in the words of tables, and which rows have other ones or none.

    rows: as `with_spans` gives them; bars: what is spoken of; called: how a row is named.
    """
    over: dict[str | None, list[str]] = {}
    for row in rows:
        over.setdefault(row["interval_over"], []).append(called(row))
    without = over.pop(None, [])
    if not over:
        return []
    (most, _), *others = sorted(over.items(), key=lambda item: -len(item[1]))
    marks = {str(most): "", **{str(other): f"of {_listed(names)}" for other, names in others}}
    line = f"{bars}: 95 % interval, {drawn_over(marks)}."
    if not without:
        return [line]
    many = sum(len(row.get("runs", ())) for row in rows) > MOST_FILES
    why = f"the predictions of {MOST_FILES} runs are read" if many else "it takes predictions or three seeds"
    return [f"{line} None of {_listed(without)}: {why}."]


def _listed(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} of them"


def interval(span: tuple[float, float] | None, over: str | None) -> dict[str, Any]:
    """What a point has of its interval: `low`, `high`, and `interval` in words; nothing without one."""
    if not span:
        return {}
    return {"low": span[0], "high": span[1], "interval": f"{100 * span[0]:.1f} to {100 * span[1]:.1f} over {over}"}


INTERVAL = Column("interval", "95 % interval")


def named(rows: Sequence[Line]) -> list[Line]:
    """Rows with a `name` that no other has: the label, and of device and machine what tells rows of one label apart
    where there are several."""
    several = len({device_of(row) for row in rows}) > 1
    names = [row["label"] + f", {device_of(row)}" * several for row in rows]
    if len(set(names)) < len(names):
        names = [name + f", {row['machine']}" * (names.count(name) > 1) for name, row in zip(names, rows, strict=True)]
    unique = [name + f" ({names[:at].count(name) + 1})" * (name in names[:at]) for at, name in enumerate(names)]
    return [{**row, "name": name} for row, name in zip(rows, unique, strict=True)]


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
