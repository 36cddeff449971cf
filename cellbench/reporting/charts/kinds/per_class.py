"""`per-class`: F1 of each class, the classes with most training images on top."""

from collections.abc import Sequence
from functools import partial

import altair as alt
import numpy as np

from ....results.certainty import over_of
from ....results.rows.row import Line, Row
from ...captions import counts_of, get_one
from ..axes import Frame, Ruler, finite, percents, room_for
from ..chart import INTERVAL, Chart, LackingError, heading, interval, intervals, labelled, named, seeds, simulated
from ..compose import Spec, layered
from ..contenders import contenders
from ..layers import Column, Datum, data, key, raw, tooltips
from ..registry import chart
from ..style import BLACK, GRID, NARROW, mark

LINE = 12.0  # height of a method within a class, in points
NAMES = 190.0  # largest width of the names of classes, in points
NAMES_NARROW = 96.0  # the same on a telephone
COLUMNS = (
    Column("class", "class"),
    Column("n_train", "training images", "count"),
    Column("n_test", "test images", "count"),
    Column("name", "method"),
    Column("f1", "F1 on test", "percent"),
    INTERVAL,
)


@chart("per-class", "Class by class", "F1 of each class against its training images", place=50)
def per_class(pooled: Sequence[Row]) -> Chart:
    """Return the chart of F1 by class, with a row for each method drawn.

    Keys of a row: `label`, and in the data set's order of classes `classes`, `n_train`, `n_test`, `f1` (nan for a
    class without test images) and `spans` (the interval of F1 as in the table `per-class`, or None).
    """
    pooled = labelled(pooled)
    shown, notes = contenders(pooled)
    rows = named([figures for row in shown if (figures := _figures(row))])
    if not rows:
        raise LackingError(f"no run with figures by class; {get_one(pooled[0], 'svm-hog cnn')} --force")
    return Chart(
        heading(pooled, "F1 on test by class, against its training images"),
        f"{counts_of(pooled)}; {seeds(shown)}",
        tuple(rows),
        (*notes, *intervals(rows), *simulated(pooled)),
        partial(draw, rows),
        COLUMNS,
        tuple(_points(rows)),
    )


def _figures(row: Row) -> Line | None:
    kept = [found for run in row.runs if (found := run.by_class)]
    facts = row.runs[0].record.facts
    if not kept or not facts.get("counts", {}).get("train"):
        return None
    spans = row.intervals([f"f1:{k}" for k in range(len(facts["classes"]))])
    seen = [k for k, n in enumerate(kept[0]["n"]) if n and f"f1:{k}" in spans]
    return {
        **{name: row[name] for name in ("method", "label", "device", "threads", "machine")},
        "classes": list(facts["classes"]),
        "n_train": list(facts["counts"]["train"]),
        "n_test": kept[0]["n"],
        "f1": np.mean([np.array(found["f1"], float) for found in kept], axis=0),
        "spans": [
            (spans[f"f1:{k}"].low, spans[f"f1:{k}"].high) if k in seen else None for k in range(len(kept[0]["n"]))
        ],
        "interval_over": over_of(row, spans[f"f1:{seen[0]}"]) if seen else None,
    }


def _points(rows: Sequence[Line]) -> list[Datum]:
    """Return a point for each class, the most frequent first, and method; `f1` is None without test images."""
    n_train = rows[0]["n_train"]
    order = sorted(range(len(n_train)), key=lambda k: -n_train[k])
    return [
        {
            "class": row["classes"][k],
            "line": f"{row['classes'][k]}  n={n_train[k]:,}",
            "n_train": n_train[k],
            "n_test": row["n_test"][k],
            "name": row["name"],
            "f1": float(row["f1"][k]) if np.isfinite(row["f1"][k]) else None,
            **interval(row["spans"][k], row["interval_over"]),
            **mark(row["method"], row["device"]),
        }
        for k in order
        for row in rows
    ]


def draw(rows: Sequence[Line], width: float) -> Spec:
    """Return a line for each class with the methods one below another, so that their bars do not overlap."""
    shown = _points(rows)
    lines = list(dict.fromkeys(point["line"] for point in shown))
    room = min(room_for(lines) + 4, NAMES_NARROW if width <= NARROW else NAMES)
    spans = [value for point in shown for value in finite([point["f1"], point.get("low"), point.get("high")])]
    x = percents(spans, "F1 on test; n: training images")
    x = Ruler(x.low, min(x.high, 1.02), x.title, x.text)
    frame = Frame(x, x, width - room - 24, len(lines) * (LINE * len(rows) + 5))
    names = [row["name"] for row in rows]
    axis = alt.Axis(domain=False, ticks=False, grid=True, gridColor=GRID, bandPosition=0, labelColor=BLACK)
    axis["labelLimit"], axis["labelOverlap"] = room, False
    base = alt.Chart(data(shown)).encode(
        y=alt.Y("line:N", sort=lines, title=None, axis=axis, scale=alt.Scale(padding=0.08)),
        yOffset=alt.YOffset("name:N", sort=names),
    )
    return layered(
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=0.9)
        .encode(x=frame.x_of("low"), x2="high", color=alt.Color(**raw("colour"))),
        *[
            base.transform_filter("isValid(datum.low)")
            .mark_tick(orient="vertical", size=5, thickness=0.9)
            .encode(x=frame.x_of(end), color=alt.Color(**raw("colour")))
            for end in ("low", "high")
        ],
        base.transform_filter("isValid(datum.f1)")
        .mark_point(opacity=1, size=34, strokeWidth=1.2)
        .encode(x=frame.x_of("f1"), tooltip=tooltips(COLUMNS), **key(rows, 2 if width <= NARROW else 4)),
        **frame.size,
    )
