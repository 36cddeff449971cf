"""What a chart is, and the text around it: title, subtitle and notes."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.errors import UsageError
from ...results.certainty import with_intervals
from ...results.rows.ranking import main_figure, main_title, ranked
from ...results.rows.row import HARDWARE, MOST_FILES, Line, Row
from ...results.rows.settings import with_settings
from ..captions import device_of, drawn_over, title_of
from .compose import Part
from .layers import Column, Datum
from .style import WIDTH

MOST_NAMED = 6  # a note gives the names of so many rows at most, of more only their number


class LackingError(UsageError):
    """The results hold nothing that this figure could show; the message has the command that would make it."""


@dataclass(frozen=True)
class Chart:
    """A chart with its data, text and drawing function.

    title, subtitle: the text above the panels; notes: the lines below them. rows: the data drawn, whose keys depend on
    the kind of chart and are described at its function. draw: returns the panels as a specification for a given width
    in points. columns, points: the table beside the chart, with a line for each of the points.
    """

    title: str
    subtitle: str
    rows: tuple[Line, ...]
    notes: tuple[str, ...]
    draw: Callable[[float], Part] = field(repr=False, compare=False)
    columns: tuple[Column, ...]
    points: tuple[Datum, ...]

    def panels(self, width: float = WIDTH) -> Part:
        return self.draw(width)


def labelled(rows: Sequence[Row], without: Collection[str] = ()) -> list[Row]:
    """Return the rows, each with a `label`: its method, and what distinguishes it from others of that method.

    These are the settings that differ or were changed, and on the same hardware the version and backend. without:
    settings, 'version' or 'backend', that the label leaves out.
    """
    rows = with_settings(rows, without)
    alike: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        alike.setdefault(tuple(row[name] for name in ("method", "settings", *HARDWARE)), []).append(row)
    rows_with_labels: list[Row] = []
    for group in alike.values():
        names = [name for name in ("version", "backend") if name not in without]
        unlike = [name for name in names if len({row[name] for row in group}) > 1]
        for row in group:
            parts = [row["method"], row["settings"], *(f"{name} {row[name]}" for name in unlike)]
            rows_with_labels.append(row.having(label=", ".join(filter(None, parts))))
    return rows_with_labels


def measure(rows: Sequence[Row]) -> tuple[str, str]:
    """Return the metric to show, by its key and as text: accuracy, or macro-F1 if images have several labels."""
    return main_figure(rows), main_title(rows)


def heading(rows: Sequence[Row], what: str) -> str:
    return f"{title_of(rows)}: {what}"


def title_of_all(rows: Sequence[Line]) -> str:
    """Return a title for rows with different limits, which names none of them."""
    return title_of([{**row, "limit": None, "val_limit": None} for row in rows])


def seeds(rows: Sequence[Row], deviation: str = "") -> str:
    """Return how many seeds the rows are means of: 'means of 3 seeds', 'means of 1 to 3 seeds' or '1 seed each'.

    deviation: what shows the standard deviation over seeds in the chart, such as 'bands'.
    """
    counts = sorted({len(row["seeds"]) for row in rows if row["seeds"]})
    if not counts or counts[-1] == 1:
        return "1 seed each"
    span = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"means of {span} seeds" + (f", {deviation}: ± 1 standard deviation over seeds" if deviation else "")


def with_spans(rows: Sequence[Row]) -> list[Row]:
    """Return the rows, the best on test first, with the 95 % interval of the main metric on test, as in tables.

    `span` is (low, high), or None without an interval; `interval_over` says what it was drawn over.
    """
    name, _ = measure(rows)
    ends = [f"test_{name}_{end}" for end in ("low", "high")]
    return [
        row.having(span=tuple(row[end] for end in ends) if row["interval_over"] else None)
        for row in with_intervals(ranked(rows), name)
    ]


def intervals(
    rows: Sequence[Line], bars: str = "Bars", called: Callable[[Line], str] = lambda row: row["label"]
) -> list[str]:
    """Return a line that says what the bars on test are, and which rows have others or none; [] without intervals.

    rows: with `interval_over`, see `with_spans`; bars: the word for the bars; called: returns the name of a row.
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


def interval(span: tuple[float, float] | None, over: str | None) -> Datum:
    """Return the keys of a point's interval: `low`, `high`, and `interval` as text; empty if there is none."""
    if not span:
        return {}
    return {"low": span[0], "high": span[1], "interval": f"{100 * span[0]:.1f} to {100 * span[1]:.1f} over {over}"}


INTERVAL = Column("interval", "95 % interval")


def named(rows: Sequence[Line]) -> list[Line]:
    """Return the rows, each with a unique `name`: its label, and what is needed to distinguish rows of one label.

    The device is added if there are several, then the machine to names that occur twice, then a number.
    """
    several = len({device_of(row) for row in rows}) > 1
    names = [row["label"] + (f", {device_of(row)}" if several else "") for row in rows]
    if len(set(names)) < len(names):
        names = [
            name + (f", {row['machine']}" if names.count(name) > 1 else "")
            for name, row in zip(names, rows, strict=True)
        ]
    unique = [
        name + (f" ({names[:at].count(name) + 1})" if name in names[:at] else "") for at, name in enumerate(names)
    ]
    return [{**row, "name": name} for row, name in zip(rows, unique, strict=True)]


def failures(rows: Sequence[Row]) -> list[str]:
    """Return a line for each remark on rows (incomplete, or nothing learned), with the rows that have it."""
    by_remark: dict[str, list[str]] = {}
    for row in rows:
        if row["remark"]:
            by_remark.setdefault(row["remark"], []).append(f"{row['label']} on {device_of(row)}")
    return [f"{'; '.join(dict.fromkeys(named))}: {remark}" for remark, named in by_remark.items()]


def devices(rows: Sequence[Row]) -> list[str]:
    apart = len({row["device"] for row in rows}) > 1
    return ["Filled markers: on a processor; open ones: on a GPU."] if apart else []


def simulated(rows: Sequence[Row]) -> list[str]:
    return ["The images are simulated: no verdict rests on them."] if any(row["synthetic"] for row in rows) else []


def mean_and_deviation(values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return mean and standard deviation over the first axis; the deviation is None for a single value."""
    stacked = np.array(values, float)
    return stacked.mean(0), stacked.std(0, ddof=1) if len(stacked) > 1 else None
