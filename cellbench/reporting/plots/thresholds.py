"""`thresholds`: of several labels an image, macro-F1 on val by one threshold for all classes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ...core.decision import GRID
from ...core.metrics import decide, macro_f1
from ...results.rows import Line, Row
from ..captions import counts_of, device_of, get_one
from .chart import Chart, LackingError, failures, heading, labelled, mean_and_deviation, seeds, simulated
from .labels import beside
from .sheet import legend, percent, sheet
from .style import mark

SWEEP = np.array(GRID)

RING: Any = {"color": "black", "marker": "o", "markersize": 12, "fillstyle": "none"}
LEGEND = (
    "One threshold for all classes, on the sigmoid of the score: of a net the probability, of an SVM its distance from "
    "the boundary, squeezed. Large marker: the best of the sweep. Dotted: with the thresholds that the run chose on "
    "val, one a class; where it chose one for all, a ring stands there."
)


def chart(pooled: Sequence[Row]) -> Chart:
    """A row a method: `label`, `thresholds` (19,) on the sigmoid of the score, `macro_f1` (19,) on val with its
    `macro_f1_sd` (None for one seed), `best`: where the mean is largest, `chosen`: macro-F1 on val with the
    thresholds that the run chose, and `chosen_at`: that threshold where it is one for all classes (and seeds)."""
    pooled = labelled(pooled)
    if not any(row["several_labels"] for row in pooled):
        raise LackingError(
            f"{pooled[0]['dataset']} has one label an image, so there is no threshold to choose; "
            "see such data with: cellbench run --dataset synthetic-hpa --method cnn"
        )
    rows = [swept for row in pooled if (swept := _sweep(row))]
    if not rows:
        raise LackingError(
            f"no run with predictions on val beside its record; {get_one(pooled[0], 'svm-hog cnn')} --force"
        )
    return Chart(
        heading(pooled, "macro-F1 on val by threshold"),
        f"{counts_of(pooled)}; {seeds([row for row in pooled if row['seeds']], 'bands')}",
        tuple(sorted(rows, key=lambda row: -row["macro_f1"].max())),
        (
            LEGEND,
            *simulated(pooled),
            *failures(pooled),
        ),
    )


def _sweep(row: Row) -> Line | None:
    kept = [run.predicted("val") for run in row["runs"]]
    curves = [sweep(one.truth, one.scores) for one in kept if one is not None]
    if not curves:
        return None
    mean, deviation = mean_and_deviation(curves)
    return {
        **{name: row[name] for name in ("method", "label", "device", "threads")},
        "thresholds": SWEEP,
        "macro_f1": mean,
        "macro_f1_sd": deviation,
        "best": float(SWEEP[np.nanargmax(mean)]),
        "chosen": row["val_macro_f1"],
        "chosen_at": _one_threshold([run.record.chosen.get("thresholds") for run in row["runs"]]),
    }


def _one_threshold(chosen: Sequence[Sequence[float] | None]) -> float | None:
    """On the sigmoid of the score, where all classes and seeds share it."""
    values = {value for thresholds in chosen for value in thresholds or ()}
    return 1 / (1 + math.exp(-values.pop())) if len(values) == 1 else None


def sweep(truth: NDArray[np.bool_], scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Macro-F1 at each of SWEEP, (19,). truth, scores: (n, classes)."""
    scale = np.log(SWEEP / (1 - SWEEP)).astype(np.float32)
    return np.array([macro_f1(truth, decide(scores, True, threshold)) for threshold in scale])


def draw(chart: Chart) -> Figure:
    rows: Sequence[Line] = chart.rows
    several = len({device_of(row) for row in rows}) > 1
    with sheet(chart, 1, 1, 3.6) as (figure, grid):
        axes, keys = grid[0, 0], []
        for row in rows:
            points = mark(row["method"], row["device"])
            hue = points["color"]
            axes.plot(SWEEP, row["macro_f1"], markersize=3.5, **points)
            if row["macro_f1_sd"] is not None:
                low, high = row["macro_f1"] - row["macro_f1_sd"], row["macro_f1"] + row["macro_f1_sd"]
                axes.fill_between(SWEEP, low, high, color=hue, alpha=0.2, linewidth=0)
            best = float(row["macro_f1"].max())
            axes.plot(row["best"], best, markersize=9, **points)
            axes.annotate(f"{row['best']:.2f}", (row["best"], best), (0, 7), textcoords="offset points", ha="center")
            if row["chosen"] is not None:
                axes.axhline(row["chosen"], color=hue, linewidth=1, linestyle=":")
                if row["chosen_at"] is not None:
                    axes.plot(
                        row["chosen_at"], row["chosen"], color="black", marker="o", markersize=12, fillstyle="none"
                    )
            keys.append(Line2D([], [], label=_named(row, several), **points))
        legend(axes, keys)
        axes.set_xlim(0, 1)
        axes.set_ylim(bottom=0)
        axes.margins(y=0.12)
        axes.set_xticks(np.arange(0, 1.01, 0.1))
        axes.set_xlabel("threshold on the sigmoid of the score")
        axes.set_ylabel("macro-F1 on val")
        percent(axes)
        chosen = [row for row in rows if row["chosen"] is not None]
        told = [f"{_named(row, several)}:\nchosen, {100 * row['chosen']:.1f} %" for row in chosen]
        beside([(axes, [(1.0, row["chosen"]) for row in chosen], told)], lines=2)
    return figure


def _named(row: Line, several: bool) -> str:
    return row["label"] + f", {device_of(row)}" * several
