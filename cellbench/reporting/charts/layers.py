"""Layers that several kinds of chart share: points with their intervals, names beside points or at ends of lines."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np

from ...core.mixed_values import Facts
from .axes import Frame, room_for
from .compose import Spec, layered
from .places import Point, free_places, spread
from .style import BLACK, GREY, LINE, SIZE, SMALL, WHITE, mark
from .text import width

Datum = Facts  # a point, by field
OUT = 24  # distance in points from the frame to the names beside it

# How a page and its tables write values of a column.
FORMATS = {"percent": ".1%", "seconds": ".3~r", "count": ",", "number": ".3~g", "text": ""}


@dataclass(frozen=True)
class Column:
    """A column of table and tooltip: the `field` of a point's data, its `title`, and its form, a key of FORMATS."""

    field: str
    title: str
    form: str = "text"

    def text(self, value: Any) -> str:
        """Return a value as text for the table beside a chart; empty for a missing one."""
        if value is None or value == "":
            return ""
        written = {
            "percent": lambda: f"{100 * value:.1f} %",
            "seconds": lambda: f"{value:.3g}" if value < 1000 else f"{value:,.0f}",
            "count": lambda: f"{value:,}",
            "number": lambda: f"{value:.3g}",
        }
        return written[self.form]() if self.form in written else str(value)


def tooltips(columns: Sequence[Column]) -> list[alt.Tooltip]:
    """Return the tooltips that a page shows for the mark under the pointer, one for each column."""
    return [
        alt.Tooltip(f"{one.field}:N", title=one.title)
        if one.form == "text"
        else alt.Tooltip(f"{one.field}:Q", title=one.title, format=FORMATS[one.form])
        for one in columns
    ]


def data(points: Iterable[Datum]) -> alt.InlineData:
    """Return the points as data for Vega, numbers that are not finite replaced by null."""
    return alt.InlineData(values=[{name: _plain(value) for name, value in point.items()} for point in points])


def _plain(value: object) -> object:
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def raw(field: str) -> Spec:
    """Return the encoding of a field whose values are colours or shapes themselves, so that no scale is applied."""
    return {"field": field, "type": "nominal", "scale": None}


def key(rows: Sequence[Datum], columns: int = 4) -> dict[str, Any]:
    """Return encodings of colour, fill and shape with a legend. rows: with `name`, `method` and `device`."""
    marks = [mark(row["method"], row["device"]) for row in rows]
    names = [row["name"] for row in rows]

    def scale(part: str) -> alt.Scale:
        return alt.Scale(domain=names, range=[one[part] for one in marks])

    legend = alt.Legend(columns=min(columns, len(rows)), symbolOpacity=1)
    return {
        "stroke": alt.Stroke("name:N", scale=scale("colour"), legend=legend),
        "fill": alt.Fill("name:N", scale=scale("fill"), legend=legend),
        "shape": alt.Shape("name:N", scale=scale("shape"), legend=legend),
    }


def points(frame: Frame, shown: Sequence[Datum], columns: Sequence[Column], **look: Any) -> alt.Chart:
    """Return a marker for each of `shown`, at its `x` and `y`, with its `colour`, `shape` and `fill`."""
    markers: alt.Chart = (
        alt.Chart(data(shown))
        .mark_point(opacity=1, strokeWidth=1.2, **{"size": SIZE, **look})
        .encode(
            x=frame.x_of("x"),
            y=frame.y_of("y"),
            stroke=alt.Stroke(**raw("colour")),
            fill=alt.Fill(**raw("fill")),
            shape=alt.Shape(**raw("shape")),
            tooltip=tooltips(columns),
        )
    )
    return markers


def intervals(frame: Frame, shown: Sequence[Datum], low: str = "low", high: str = "high") -> Spec:
    """Return vertical bars with end caps from `low` to `high`, in the point's `colour`, where there is an interval."""
    some = [point for point in shown if point.get(low) is not None]
    base = alt.Chart(data(some)).encode(x=frame.x_of("x"), color=alt.Color(**raw("colour")))
    bar = base.mark_rule(strokeWidth=0.9).encode(y=frame.y_of(low), y2=alt.Y2(high))
    ends = [base.mark_tick(orient="horizontal", size=6, thickness=0.9).encode(y=frame.y_of(end)) for end in (low, high)]
    return layered(bar, *ends)


def lying_intervals(frame: Frame, shown: Sequence[Datum], low: str, high: str) -> Spec:
    """Return horizontal bars with end caps, otherwise as `intervals`."""
    some = [point for point in shown if point.get(low) is not None]
    base = alt.Chart(data(some)).encode(y=frame.y_of("y"), color=alt.Color(**raw("colour")))
    bar = base.mark_rule(strokeWidth=0.9).encode(x=frame.x_of(low), x2=alt.X2(high))
    ends = [base.mark_tick(orient="vertical", size=6, thickness=0.9).encode(x=frame.x_of(end)) for end in (low, high)]
    return layered(bar, *ends)


def names_near(
    frame: Frame, anchors: Sequence[Point], names: Sequence[str], others: Sequence[Point], lines: Sequence[Point]
) -> list[Spec]:
    """Return a layer with a name near each anchor, and a thin line to it if the name is far away; [] without names.

    others: places of markers that names must avoid too; lines: places on lines, which names should avoid.
    """
    if not names:
        return []
    spots, free, light = (
        np.array([frame.at(*place) for place in places]).reshape(-1, 2) for places in (anchors, others, lines)
    )
    sizes = [(width(name, SMALL) + 3, float(LINE)) for name in names]
    inside = np.array([[0, 0, frame.width, frame.height]])
    boxes, far = free_places(spots, sizes, inside, free, light)
    found, leaders = [], []
    for name, box, anchor, away in zip(names, boxes, spots.tolist(), far, strict=True):
        x, y = frame.back((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        found.append({"x": x, "y": y, "label": name})
        if away:
            near = frame.back(float(np.clip(anchor[0], box[0], box[2])), float(np.clip(anchor[1], box[1], box[3])))
            start = frame.back(*anchor)
            leaders.append({"x": start[0], "y": start[1], "x2": near[0], "y2": near[1]})
    lead = (
        alt.Chart(data(leaders))
        .mark_rule(color=GREY, strokeWidth=0.6)
        .encode(x=frame.x_of("x"), y=frame.y_of("y"), x2="x2", y2="y2")
    )
    base = alt.Chart(data(found)).encode(x=frame.x_of("x"), y=frame.y_of("y"), text="label:N")
    return [layered(lead, base.mark_text(stroke=WHITE, strokeWidth=2.5), base.mark_text(color=BLACK))]


def names_beside(frame: Frame, ends: Sequence[Point], names: Sequence[str]) -> list[Spec]:
    """Return names right of the frame, near the height of their points without overlap, with a thin line to each."""
    lines = max((name.count("\n") + 1 for name in names), default=1)
    places = [frame.at(*end) for end in ends]
    heights = spread([y for _, y in places], LINE * lines, 0, frame.height)
    found = [
        {"x": x, "y": y, "level": frame.back(0, height)[1], "label": name}
        for (x, y), height, name in zip(ends, heights, names, strict=True)
    ]
    base = alt.Chart(data(found))
    level = frame.y_of("level")
    thin = base.mark_rule(color=GREY, strokeWidth=0.6, clip=False)
    slope = thin.encode(x=frame.x_of("x"), y=frame.y_of("y"), x2=alt.value(frame.width + 8), y2=alt.Y2("level"))
    flat = thin.encode(x=alt.value(frame.width + 8), x2=alt.value(frame.width + OUT - 4), y=level)
    text = base.mark_text(align="left", lineBreak="\n", clip=False, color=BLACK).encode(
        x=alt.value(frame.width + OUT), y=level, text="label:N"
    )
    return [layered(slope, flat, text)]


def room_beside(names: Iterable[str]) -> float:
    """Return the width in points that `names_beside` needs right of the frame."""
    return OUT + room_for(names) + 4


def side_by_side(frame: Frame, curves: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the x values of several curves, each shifted slightly, so that bars at the same x do not overlap."""
    step = min(4.5, 16 / max(1, len(curves))) / frame.width
    middle = (len(curves) - 1) / 2
    return [[frame.x.value(frame.x.share(x) + (at - middle) * step) for x in xs] for at, xs in enumerate(curves)]
