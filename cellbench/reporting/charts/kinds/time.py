"""`time`: accuracy against training time, and the Pareto front of methods that no other beats in both."""

import itertools
from collections.abc import Sequence
from functools import partial

import altair as alt

from ....core.text.words import counted
from ....results.rows.row import HARDWARE, Line, Row, grouped_by, time_counts
from ...captions import counts_of, get_one, hardware_of
from ...tables.views.efficiency import on_front
from ..axes import Frame, Ruler, percents, room_for, times
from ..chart import (
    INTERVAL,
    Chart,
    LackingError,
    devices,
    failures,
    heading,
    interval,
    intervals,
    labelled,
    measure,
    seeds,
    simulated,
    with_spans,
)
from ..compose import Spec, layered, stacked
from ..layers import Column, data, lying_intervals, names_near, points, tooltips
from ..layers import intervals as bars
from ..registry import chart
from ..style import GREY, NARROW, WHITE, mark

MOST_NAMES = 30  # with more points in a panel only those on the front are named
MOST_NAMES_NARROW = 8
PALE = 0.45  # opacity of marks whose time is too long because other programs ran
PALE_MARKS = "Pale marks: times that other programs or runs made too long, or may have, on no front."
BARS_OF_TIME = "Bars of time: ± 1 standard deviation over seeds."


@chart("time", "Accuracy against training time", "accuracy against training time, with the Pareto front", place=10)
def time(pooled: Sequence[Row]) -> Chart:
    """Return the chart of accuracy against training time, with a row for each method, its settings and hardware.

    Keys of a row: `label`; `seconds` and `seconds_sd`; `figure`, accuracy or macro-F1 on test; `span` and
    `interval_over`, its interval as in tables; `front`, whether the row is on the Pareto front of its hardware.
    """
    pooled = with_spans(labelled(pooled))
    name, words = measure(pooled)
    shown = [row for row in pooled if row["train_seconds"] and row.metric(name) is not None]
    rows = [
        {
            **{key: row[key] for key in ("method", "label", "synthetic", "span", "interval_over", "others", *HARDWARE)},
            "seconds": row["train_seconds"],
            "seconds_sd": row["train_seconds_sd"],
            "figure": row.metric(name),
        }
        for row in shown
    ]
    if not rows:
        raise LackingError(f"no run with a training time and {words} on test; {get_one(pooled[0], 'svm-hog cnn')}")
    rows = [
        {**row, "front": any(row is best for best in pareto(group))}
        for group in grouped_by(rows, HARDWARE)
        for row in group
    ]
    return Chart(
        heading(pooled, f"{words} on test against training time"),
        f"{counts_of(pooled)}; {seeds(pooled)}",
        tuple(rows),
        (
            "Training time = features + transfer + fit, with what is chosen on val. Grey steps: the Pareto front, "
            "which no method on the same hardware beats in both.",
            *([] if all(map(time_counts, rows)) else [PALE_MARKS]),
            *intervals(shown, f"Bars of {words}"),
            *([BARS_OF_TIME] if any(row["seconds_sd"] for row in rows) else []),
            *devices(pooled),
            *simulated(pooled),
            *failures(pooled),
            *hardware_of(pooled),
        ),
        partial(draw, rows, f"{words} on test"),
        (
            Column("label", "method"),
            Column("hardware", "hardware"),
            Column("y", f"{words} on test", "percent"),
            INTERVAL,
            Column("x", "training time (s)", "seconds"),
            Column("front", "on the Pareto front"),
        ),
        tuple(map(_point, rows)),
    )


def pareto(rows: Sequence[Line]) -> list[Line]:
    """Return the rows on the Pareto front, the fastest first.

    No other row is at least as good in both `seconds` and `figure` and better in one of them. Rows whose time is too
    long because other programs ran are left out.
    """
    fair = [row for row in rows if time_counts(row)]
    best = [row for row in fair if on_front(row, fair, "figure", "seconds")]
    return sorted(best, key=lambda row: (row["seconds"], row["label"]))


def _point(row: Line) -> Line:
    fast, slow = reach_of_time(row)
    return {
        "label": row["label"],
        "hardware": f"{row['device']}, {counted(row['threads'] or 0, 'thread')}, {row['machine']}",
        "x": row["seconds"],
        "y": row["figure"],
        "front": "yes" if row["front"] else "",
        **interval(row["span"], row["interval_over"]),
        **({"fast": fast, "slow": slow} if row["seconds_sd"] else {}),
        **mark(row["method"], row["device"]),
        "opacity": 1 if time_counts(row) else PALE,
    }


def draw(rows: Sequence[Line], measured: str, width: float) -> Spec:
    """Return a panel for each hardware, one below the other, all with the same axes."""
    panels = grouped_by(rows, HARDWARE)
    x = times([time for row in rows for time in reach_of_time(row)], "training time (logarithmic)")
    y = percents([v for row in rows for v in (row["figure"], *(row["span"] or ()))], measured)
    height = 230.0 if len(panels) == 1 else 160.0
    room = width - room_for(["100.0 %"]) - 36
    drawn = []
    for group in panels:
        frame = Frame(x, y, room, height, x_texts=group is panels[-1])
        drawn.append(_panel(frame, group, rows, MOST_NAMES_NARROW if width <= NARROW else MOST_NAMES))
    return stacked(*drawn, spacing=12)


def _panel(frame: Frame, rows: Sequence[Line], every: Sequence[Line], most: int) -> Spec:
    front = pareto(rows)
    shown = list(map(_point, rows))
    called = rows if len(rows) <= most else (front or list(rows))[:most]
    columns = (Column("label", "method"), Column("y", frame.y.title or "", "percent"), INTERVAL)
    steps = (
        alt.Chart(data(corners(front, frame.x)))
        .mark_line(color=GREY, strokeDash=[4, 2], strokeWidth=1)
        .encode(x=frame.x_of("x"), y=frame.y_of("y"), order="order:Q")
    )
    under = points(frame, [{**point, "colour": WHITE, "fill": WHITE} for point in shown], (), size=130)
    return layered(
        steps,
        under.encode(tooltip=alt.value(None)),
        bars(frame, shown),
        lying_intervals(frame, shown, "fast", "slow"),
        points(frame, shown, ()).encode(
            tooltip=tooltips(
                (*columns, Column("x", "training time (s)", "seconds"), Column("front", "on the Pareto front"))
            ),
            opacity=alt.Opacity("opacity:Q", scale=None),
        ),
        *names_near(
            frame,
            [(row["seconds"], row["figure"]) for row in called],
            [row["label"] for row in called],
            [(row["seconds"], row["figure"]) for row in rows],
            [*points_along(corners(front, frame.x), frame.x), *along_bars(rows)],
        ),
        title=_hardware(rows, every),
        **frame.size,
    )


def _hardware(rows: Sequence[Line], every: Sequence[Line]) -> str:
    where = f"{rows[0]['device'].upper()}, {counted(rows[0]['threads'] or 0, 'processor thread')}"
    return where + (f", {rows[0]['machine']}" if len({row["machine"] for row in every}) > 1 else "")


def corners(front: Sequence[Line], x: Ruler) -> list[Line]:
    """Return the corners of the front's steps: from the fastest row, up at each better one, to the end of the axis."""
    places = [(front[0]["seconds"], front[0]["figure"])] if front else []
    for here, after in itertools.pairwise(front):
        places += [(after["seconds"], here["figure"]), (after["seconds"], after["figure"])]
    if front:
        places.append((x.high, front[-1]["figure"]))
    return [{"x": seconds, "y": figure, "order": at} for at, (seconds, figure) in enumerate(places)]


def points_along(steps: Sequence[Line], x: Ruler) -> list[tuple[float, float]]:
    """Return places on the steps, dense enough for `names_near` to keep names off them."""
    places = []
    for here, after in itertools.pairwise(steps):
        for at in range(25):
            share = x.share(here["x"]) + at / 25 * (x.share(after["x"]) - x.share(here["x"]))
            places.append((x.value(share), here["y"] + at / 25 * (after["y"] - here["y"])))
    return places


def reach_of_time(row: Line) -> tuple[float, float]:
    """Return both ends of the bar of a time, the lower not below a third of it, because the axis is logarithmic."""
    spread = row["seconds_sd"] or 0
    return max(row["seconds"] - spread, row["seconds"] / 3), row["seconds"] + spread


def along_bars(rows: Sequence[Line]) -> list[tuple[float, float]]:
    """Return places on the bars of time and score of all rows, which names should avoid."""
    places = []
    for row in rows:
        low, high = reach_of_time(row)
        bottom, top = row["span"] or (row["figure"], row["figure"])
        for at in range(25):
            places.append((low * (high / low) ** (at / 24), row["figure"]))
            places.append((row["seconds"], bottom + at / 24 * (top - bottom)))
    return places
