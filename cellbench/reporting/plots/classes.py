"""`per-class`: F1 of each class against how many training images it has."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ...results.certainty import over_of
from ...results.rows import Line, Row
from ..captions import counts_of, device_of, get_one
from .chart import Chart, LackingError, heading, intervals, labelled, seeds, simulated
from .contenders import contenders
from .labels import place
from .sheet import counts, legend, percent, reach, sheet
from .style import mark

FEW = 12  # classes at most whose names find room beside their points


def chart(pooled: Sequence[Row]) -> Chart:
    """A row a method: `label`, and by class in the order of the data set `classes`, `n_train`, `n_test`, `f1` (nan of
    a class without test images) and `spans` (its interval as the table `per-class` gives it, or None)."""
    pooled = labelled(pooled)
    shown, notes = contenders(pooled)
    rows = [told for row in shown if (told := _figures(row))]
    if not rows:
        raise LackingError(f"no run with figures by class; {get_one(pooled[0], 'svm-hog cnn')} --force")
    return Chart(
        heading(pooled, "F1 on test by class, against its training images"),
        f"{counts_of(pooled)}; {seeds(shown)}",
        tuple(rows),
        (*notes, *intervals(rows), *simulated(pooled)),
    )


def _figures(row: Row) -> Line | None:
    kept = [told for run in row["runs"] if (told := run.by_class)]
    facts = row["runs"][0].record.facts
    if not kept or not facts.get("counts", {}).get("train"):
        return None
    spans = row.intervals([f"f1:{k}" for k in range(len(facts["classes"]))])
    seen = [k for k, n in enumerate(kept[0]["n"]) if n and f"f1:{k}" in spans]
    return {
        **{name: row[name] for name in ("method", "label", "device", "threads")},
        "classes": list(facts["classes"]),
        "n_train": list(facts["counts"]["train"]),
        "n_test": kept[0]["n"],
        "f1": np.mean([np.array(told["f1"], float) for told in kept], axis=0),
        "spans": [
            (spans[f"f1:{k}"].low, spans[f"f1:{k}"].high) if k in seen else None for k in range(len(kept[0]["n"]))
        ],
        "interval_over": over_of(row, spans[f"f1:{seen[0]}"]) if seen else None,
    }


def draw(chart: Chart) -> Figure:
    """A point a class and method; a line joins the points of a class. Few classes: F1 above the number of images, with
    their names beside the points; of more than FEW a line each, the most frequent on top."""
    return _scatter(chart) if len(chart.rows[0]["classes"]) <= FEW else _lines(chart)


def _scatter(chart: Chart) -> Figure:
    n_train = np.array(chart.rows[0]["n_train"], float)
    drawn = np.flatnonzero(n_train > 0)
    with sheet(chart, 1, 1, 4.2) as (figure, grid):
        axes = grid[0, 0]
        _points(axes, chart.rows, drawn, n_train[drawn], upright=True)
        counts(axes, n_train[drawn])
        axes.set_xlabel("training images of the class (logarithmic)")
        axes.set_ylabel("F1 on test")
        axes.margins(y=0.12)
        axes.set_ylim(bottom=max(axes.get_ylim()[0], -0.03))
        percent(axes)
        figures = np.array([row["f1"] for row in chart.rows])
        named = [k for k in drawn if np.isfinite(figures[:, k]).any()]
        tops = [(n_train[k], float(np.nanmax(figures[:, k]))) for k in named]
        others = [(n_train[k], float(f1)) for k in named for f1 in figures[:, k] if np.isfinite(f1)]
        ends = [(n_train[k], span) for row in chart.rows for k in named if (span := row["spans"][k])]
        bars = [(n, float(f1)) for n, span in ends for f1 in np.linspace(span[0], span[1], 15)]
        place(axes, tops, [chart.rows[0]["classes"][k] for k in named], others, bars)
    return figure


def _lines(chart: Chart) -> Figure:
    n_train = np.array(chart.rows[0]["n_train"])
    order = np.argsort(-n_train, kind="stable")
    names = [f"{chart.rows[0]['classes'][k]}  n={n_train[k]:,}" for k in order]
    with sheet(chart, 1, 1, 0.75 + 0.19 * len(order)) as (figure, grid):
        axes = grid[0, 0]
        _points(axes, chart.rows, order, np.arange(len(order)), upright=False)
        axes.set_yticks(range(len(order)), names)
        axes.set_ylim(len(order) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("F1 on test; n: training images")
        percent(axes, "x")
    return figure


def _points(axes: Axes, rows: Sequence[Line], classes: NDArray, places: NDArray, upright: bool) -> None:
    """F1 of `classes` at `places` on the other axis, a line through those of a class, and a key of the methods."""
    several = len({device_of(row) for row in rows}) > 1
    f1 = np.array([row["f1"] for row in rows])[:, classes]
    for at, figures in zip(places, f1.T, strict=True):
        ends = [np.nanmin(figures), np.nanmax(figures)] if np.isfinite(figures).any() else []
        along = ([at] * len(ends), ends)
        axes.plot(*(along if upright else along[::-1]), color="#BBBBBB", linewidth=0.8, zorder=1)
    keys = []
    for row, figures in zip(rows, f1, strict=True):
        spread = reach(figures, [row["spans"][k] for k in classes])
        points = {**mark(row["method"], row["device"]), "markersize": 6, "linestyle": "none"}
        bars: dict[str, Any] = {"yerr" if upright else "xerr": spread, "elinewidth": 0.8, "zorder": 3}
        x, y = (places, figures) if upright else (figures, places)
        axes.errorbar(x, y, **(bars | points))
        keys.append(Line2D([], [], label=row["label"] + f", {device_of(row)}" * several, **points))
    legend(axes, keys)
