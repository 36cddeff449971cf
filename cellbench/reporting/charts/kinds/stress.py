"""`stress`: accuracy on test images as another microscope might have taken them, a panel for each perturbation."""

from collections.abc import Sequence
from functools import partial

import altair as alt

from ....core.text.words import counted
from ....results.rows.row import Line, Row
from ....results.stress import stress_of, stress_problems
from ...tables.views.stress import AGAIN, COMMAND, MEANS, seen_in_training, settings_in_words
from ..axes import PERCENT, PLAIN, Frame, Ruler, percents, room_for
from ..chart import (
    INTERVAL,
    Chart,
    LackingError,
    heading,
    interval,
    intervals,
    labelled,
    measure,
    named,
    seeds,
    simulated,
)
from ..compose import Spec, grid, layered
from ..contenders import contenders
from ..layers import Column, Datum, data, key, points, raw
from ..layers import intervals as bars
from ..registry import chart
from ..style import NARROW, mark

MOST = 6  # methods in a chart
HEIGHT = 92.0  # of a panel, in points
COLUMNS = (
    Column("perturbation", "perturbation"),
    Column("strength", "strength", "number"),
    Column("unit", "unit"),
    Column("name", "method"),
    Column("y", "on test", "percent"),
    INTERVAL,
    Column("seen", "seen in training"),
)


@chart("stress", "Under stress", "accuracy on images as another microscope might have taken them", place=55)
def stress(pooled: Sequence[Row]) -> Chart:
    """Return the chart of the main metric by strength, with a row for each method and perturbation.

    Keys of a row: `label`, `perturbation`, `unit`, `strengths`, `figures`, `deviations` (over seeds, or None) and
    `spans` (95 % intervals, or None), as fractions in the order of strengths, and `seen`, as in the table `stress`.
    """
    tested = [row for row in labelled(pooled) if stress_of(row)]
    if not tested:
        raise LackingError("; ".join([f"no model with a stress test; {COMMAND}", *_problems(pooled)]))
    shown, notes = contenders(tested, MOST)
    rows = [line for row in named(shown) for line in _lines(row, shown)]
    _, words = measure(pooled)
    n = sorted({line["n"] for line in rows})
    of_images = counted(n[0], "test image") if len(n) == 1 else f"{n[0]:,} to {n[-1]:,} test images"
    return Chart(
        heading(pooled, f"{words} under stress"),
        f"{of_images}; {seeds(shown)}; strength 0: the images as they are",
        tuple(rows),
        (*notes, *_intervals(rows), *seen_in_training(rows), *_problems(pooled), *simulated(pooled)),
        partial(draw, rows, words),
        COLUMNS,
        tuple(point for line in rows for point in _points(line)),
    )


def _intervals(rows: Sequence[Line]) -> list[str]:
    without = dict.fromkeys(row["label"] for row in rows if not row["spans"])
    return [
        *intervals([row for row in rows if row["spans"]]),
        *([f"Without intervals: {', '.join(without)}; {AGAIN}"] if without else []),
    ]


def _problems(rows: Sequence[Row]) -> list[str]:
    return [f"Passed over {problem}." for row in rows for problem in stress_problems(row)]


def _lines(line: Line, rows: Sequence[Row]) -> list[Line]:
    row = next(one for one in rows if one["label"] == line["label"] and one["machine"] == line["machine"])
    return [
        {
            **{name: line[name] for name in ("label", "name", "method", "device", "machine")},
            "perturbation": curve.name,
            "unit": curve.unit,
            "strengths": list(curve.strengths),
            "figures": list(curve.values),
            "deviations": list(curve.sd[curve.figure]) if curve.sd else None,
            "spans": [(span.low, span.high) for span in curve.spans] or None,
            "interval_over": curve.spans[0].over if curve.spans else None,
            "seen": settings_in_words(curve.seen),
            "n": curve.n,
        }
        for curve in stress_of(row)
    ]


def _points(line: Line) -> list[Datum]:
    return [
        {
            **{name: line[name] for name in ("name", "perturbation", "unit", "seen")},
            "strength": strength,
            "x": strength,
            "y": figure,
            **interval(span, line["interval_over"]),
            **mark(line["method"], line["device"]),
        }
        for strength, figure, span in zip(
            line["strengths"], line["figures"], line["spans"] or [None] * len(line["figures"]), strict=True
        )
    ]


def draw(rows: Sequence[Line], words: str, width: float) -> Spec:
    """Return a panel for each perturbation, three in a line; all share the axis of the metric."""
    columns = 1 if width <= NARROW else 3
    y = percents([figure for line in rows for figure in line["figures"]], words)
    left = room_for(["100 %"]) + 32
    room = (width - left - 16 * (columns - 1)) / columns - 4
    names = list(dict.fromkeys(line["perturbation"] for line in rows))
    panels = [
        _panel([line for line in rows if line["perturbation"] == name], y, room, at % columns == 0, at == 0)
        for at, name in enumerate(names)
    ]
    return grid(*panels, columns=columns, spacing={"row": 40, "column": 14}, bounds="flush")


def _panel(lines: Sequence[Line], y: Ruler, room: float, first: bool, legend: bool) -> Spec:
    unit, top = lines[0]["unit"], max(lines[0]["strengths"])
    # The unit stands in the panel's title, since one below the axis would need a line of its own.
    title = lines[0]["perturbation"] + ("" if unit == "share" else f", {unit}")
    x = Ruler(-0.04 * top, 1.04 * top, None, PERCENT if unit in MEANS else PLAIN)
    frame = Frame(x, y, room, HEIGHT, y_texts=first)
    shown = [point for line in lines for point in _points(line)]
    base = alt.Chart(data(shown)).encode(x=frame.x_of("x"), y=frame.y_of("y"))
    line = base.mark_line(strokeWidth=1.4).encode(color=alt.Color(**raw("colour")), detail="name:N")
    marks = points(frame, shown, COLUMNS, size=24)
    return layered(line, bars(frame, shown), marks.encode(**key(lines)) if legend else marks, title=title, **frame.size)
