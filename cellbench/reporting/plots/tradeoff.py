"""`time`: accuracy against training time, and the methods that no other beats in both."""

import itertools
from collections.abc import Sequence

from matplotlib.figure import Figure

from ...core.words import counted
from ...results.rows import HARDWARE, Line, Row, by, is_disturbed
from ..captions import counts_of, get_one, hardware_of
from ..tables.efficiency import on_front
from .chart import (
    Chart,
    LackingError,
    devices,
    failures,
    heading,
    intervals,
    labelled,
    measure,
    seeds,
    simulated,
    with_spans,
)
from .labels import place
from .sheet import clock, percent, reach, sheet
from .style import GREY, mark


def chart(pooled: Sequence[Row]) -> Chart:
    """A row a method, settings and hardware: `label`, `seconds` and `seconds_sd`, `figure` (test accuracy, or
    macro-F1), `span` and `interval_over` (its interval, as tables give it), `front`: whether nothing on its hardware is
    at least as good in both and better in one."""
    pooled = with_spans(labelled(pooled))
    name, words = measure(pooled)
    shown = [row for row in pooled if row["train_seconds"] and row[f"test_{name}"] is not None]
    points = [
        {
            **{key: row[key] for key in ("method", "label", "synthetic", "span", "interval_over", "others", *HARDWARE)},
            "seconds": row["train_seconds"],
            "seconds_sd": row["train_seconds_sd"],
            "figure": row[f"test_{name}"],
        }
        for row in shown
    ]
    if not points:
        raise LackingError(f"no run with a training time and {words} on test; {get_one(pooled[0], 'svm-hog cnn')}")
    rows = [
        {**point, "front": any(point is best for best in pareto(group))}
        for group in by(points, HARDWARE)
        for point in group
    ]
    return Chart(
        heading(pooled, f"{words} on test against training time"),
        f"{counts_of(pooled)}; {seeds(pooled)}",
        tuple(rows),
        (
            "Training time = features + transfer + fit, with what is chosen on val. Grey steps: the Pareto front, "
            "which no method on the same hardware beats in both.",
            *intervals(shown, f"Bars of {words}"),
            *["Bars of time: ± 1 standard deviation over seeds."] * any(point["seconds_sd"] for point in points),
            *devices(pooled),
            *simulated(pooled),
            *failures(pooled),
            *hardware_of(pooled),
        ),
    )


def pareto(points: Sequence[Line]) -> list[Line]:
    """Those that no other is as good as in both `seconds` and `figure` and better than in one; the fastest first.

    Times that other programs made too long are left out.
    """
    fair = [point for point in points if not is_disturbed(point)]
    best = [point for point in fair if on_front(point, fair, "figure", "seconds")]
    return sorted(best, key=lambda point: (point["seconds"], point["label"]))


def draw(chart: Chart) -> Figure:
    """A panel for each hardware, one below the other on the same axis of time."""
    panels = by(chart.rows, HARDWARE)
    several = len({row["machine"] for row in chart.rows}) > 1
    height = 3.6 if len(panels) == 1 else 2.7 * len(panels)
    with sheet(chart, len(panels), 1, height, shared_x=True, shared_y=True) as (figure, grid):
        for axes, points in zip(grid[:, 0], panels, strict=True):
            front = pareto(points)
            axes.step(
                [point["seconds"] for point in front],
                [point["figure"] for point in front],
                where="post",
                color=GREY,
                linewidth=1,
                linestyle=(0, (4, 2)),
                zorder=1,
            )
            for point in points:
                axes.errorbar(
                    point["seconds"],
                    point["figure"],
                    xerr=point["seconds_sd"],
                    yerr=reach([point["figure"]], [point["span"]]),
                    **mark(point["method"], point["device"]),
                    markersize=7,
                    elinewidth=0.8,
                    linestyle="none",
                    zorder=3,
                )
            where = f"{points[0]['device'].upper()}, {counted(points[0]['threads'] or 0, 'processor thread')}"
            axes.set_title(where + f", {points[0]['machine']}" * several)
            axes.set_ylabel(_measured(chart))
            axes.margins(y=0.12)
            percent(axes)
        clock(grid[-1, 0], [time for point in chart.rows for time in reach_of_time(point)])
        grid[-1, 0].set_xlabel("training time (logarithmic)")
        for axes, points in zip(grid[:, 0], panels, strict=True):
            spots = [(point["seconds"], point["figure"]) for point in points]
            place(
                axes,
                spots,
                [point["label"] for point in points],
                lines=[*along_steps(pareto(points)), *along_bars(points)],
            )
    return figure


def _measured(chart: Chart) -> str:
    return ("macro-F1" if "macro-F1" in chart.title else "accuracy") + " on test"


def along_steps(front: Sequence[Line]) -> list[tuple[float, float]]:
    """Places on the steps, close enough that a name on them is noticed."""
    places = []
    for here, after in itertools.pairwise(front):
        for share in range(25):
            ratio = after["seconds"] / here["seconds"]
            places.append((here["seconds"] * ratio ** (share / 25), here["figure"]))
            places.append((after["seconds"], here["figure"] + share / 25 * (after["figure"] - here["figure"])))
    return places


def reach_of_time(point: Line) -> tuple[float, float]:
    """Both ends of the bar of its seconds; the lower not far below, as the axis is logarithmic."""
    spread = point["seconds_sd"] or 0
    return max(point["seconds"] - spread, point["seconds"] / 3), point["seconds"] + spread


def along_bars(points: Sequence[Line]) -> list[tuple[float, float]]:
    """Places on the points' error bars."""
    places = []
    for point in points:
        low, high = reach_of_time(point)
        bottom, top = point["span"] or (point["figure"], point["figure"])
        for share in range(25):
            places.append((low * (high / low) ** (share / 24), point["figure"]))
            places.append((point["seconds"], bottom + share / 24 * (top - bottom)))
    return places
