"""`per-class`: F1 of each class against how many training images it has."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...core.metrics import per_class
from ..captions import counts_of, device_of, get_one
from ..table import Row
from .chart import Chart, Evidence, LackingError, heading, mean_and_deviation, seeds, simulated
from .contenders import contenders
from .labels import place
from .sheet import counts, legend, percent, sheet
from .style import mark


def chart(evidence: Evidence) -> Chart:
    """A row a method: `label`, and by class in the order of the data set `classes`, `n_train`, `n_test`, `f1` (nan of
    a class without test images) and `f1_sd` (None for one seed)."""
    pooled = evidence.rows()
    shown, notes = contenders(pooled)
    rows = [told for row in shown if (told := _figures(evidence, row))]
    if not rows:
        raise LackingError(f"no run with figures by class; {get_one(pooled[0], 'svm-hog cnn')}")
    return Chart(
        heading(pooled, "F1 on test by class, against its training images"),
        f"{counts_of(pooled)}; {seeds(shown)}",
        tuple(rows),
        (*notes, *simulated(pooled)),
    )


def _figures(evidence: Evidence, row: Row) -> Row | None:
    runs = evidence.runs_of(row)
    records = [evidence.record(run["path"]) for run in runs]
    kept = [told for run in runs if (told := _by_class(evidence, run)) is not None]
    facts = records[0].facts
    if not kept or not facts.get("counts", {}).get("train"):
        return None
    mean, deviation = mean_and_deviation([told["f1"] for told in kept])
    return {
        **{name: row[name] for name in ("method", "label", "device", "threads")},
        "classes": list(facts["classes"]),
        "n_train": list(facts["counts"]["train"]),
        "n_test": kept[0]["n"],
        "f1": mean,
        "f1_sd": deviation,
    }


def _by_class(evidence: Evidence, run: Row) -> dict[str, list] | None:
    """From the record, or of one written before records held it, from the scores beside it."""
    record = evidence.record(run["path"])
    if record.per_class.get("test"):
        return dict(record.per_class["test"])
    scored = evidence.predictions(run["path"])
    if scored is None:
        return None
    return per_class(scored["test_labels"], scored["test_scores"], np.array(record.chosen.get("thresholds", 0.0)))


def draw(chart: Chart) -> Figure:
    """A point a class and method; the points of a class share an upright line that has its name."""
    rows: Sequence[Row] = chart.rows
    several = len({device_of(row) for row in rows}) > 1
    n_train = np.array(rows[0]["n_train"], float)
    drawn = np.flatnonzero(n_train > 0)
    with sheet(chart, 1, 1, 4.2) as (figure, grid):
        axes, keys = grid[0, 0], []
        figures = np.array([row["f1"] for row in rows])
        for k in drawn:
            if np.isfinite(figures[:, k]).any():
                ends = np.nanmin(figures[:, k]), np.nanmax(figures[:, k])
                axes.plot([n_train[k]] * 2, ends, color="#BBBBBB", linewidth=0.8, zorder=1)
        for row in rows:
            spread = None if row["f1_sd"] is None else row["f1_sd"][drawn]
            points = {**mark(row["method"], row["device"]), "markersize": 6, "linestyle": "none"}
            axes.errorbar(n_train[drawn], row["f1"][drawn], yerr=spread, elinewidth=0.8, zorder=3, **points)
            keys.append(Line2D([], [], label=row["label"] + f", {device_of(row)}" * several, **points))
        counts(axes, n_train[drawn])
        axes.set_xlabel("training images of the class (logarithmic)")
        axes.set_ylabel("F1 on test")
        axes.margins(y=0.12)
        axes.set_ylim(bottom=max(axes.get_ylim()[0], -0.03))
        percent(axes)
        legend(axes, keys)
        named = [k for k in drawn if np.isfinite(figures[:, k]).any()]
        tops = [(n_train[k], float(np.nanmax(figures[:, k]))) for k in named]
        others = [(n_train[k], float(f1)) for k in named for f1 in figures[:, k] if np.isfinite(f1)]
        place(axes, tops, [rows[0]["classes"][k] for k in named], others)
    return figure
