"""`thresholds`: macro-F1 on val against one threshold for all classes, for images with several labels."""

import math
from collections.abc import Sequence
from functools import partial

import altair as alt
import numpy as np
from numpy.typing import NDArray

from ....core.data import Labels
from ....core.scoring.decision import GRID
from ....core.scoring.metrics import decide, macro_f1
from ....results.rows.row import Line, Row
from ...captions import counts_of, get_one
from ..axes import Frame, Ruler, finite, percents, room_for
from ..chart import Chart, LackingError, failures, heading, labelled, mean_and_deviation, named, seeds, simulated
from ..compose import Spec, layered
from ..layers import Column, Datum, data, key, names_beside, raw, room_beside, tooltips
from ..registry import chart
from ..style import BLACK, NARROW, colour

SWEEP = np.array(GRID)

COLUMNS = (
    Column("name", "method"),
    Column("threshold", "threshold", "number"),
    Column("macro_f1", "macro-F1 on val", "percent"),
    Column("sd", "standard deviation over seeds", "percent"),
    Column("best", "best"),
)
LEGEND = (
    "One threshold for all classes, on the sigmoid of the score: of a net the probability, of an SVM its distance from "
    "the boundary, squeezed. Large marker: the best of the sweep. Dotted: with the thresholds that the run chose on "
    "val, one a class; where it chose one for all, a ring stands there."
)


@chart("thresholds", "Thresholds", "several labels an image: macro-F1 on val by threshold", place=70)
def thresholds(pooled: Sequence[Row]) -> Chart:
    """Return the chart of macro-F1 on val against the threshold, with a row for each labelled method.

    Keys of a row: `label`; `thresholds` (19,) on the sigmoid of the score; `macro_f1` (19,) on val, the mean over
    seeds, and `macro_f1_sd`, None for one seed; `best`, the threshold with the largest mean; `chosen`, macro-F1 on val
    with the thresholds that the run chose; `chosen_at`, that threshold if all classes and seeds share it, else None.
    """
    pooled = labelled(pooled)
    if not any(row["several_labels"] for row in pooled):
        raise LackingError(
            f"{pooled[0]['dataset']} has one label an image, so there is no threshold to choose; "
            "see such data with: cellbench run --dataset synthetic-hpa --method cnn"
        )
    rows = named([swept for row in pooled if (swept := _sweep(row))])
    if not rows:
        raise LackingError(
            f"no run with predictions on val beside its record; {get_one(pooled[0], 'svm-hog cnn')} --force"
        )
    rows = sorted(rows, key=lambda row: -row["macro_f1"].max())
    return Chart(
        heading(pooled, "macro-F1 on val by threshold"),
        f"{counts_of(pooled)}; {seeds([row for row in pooled if row['seeds']], 'bands')}",
        tuple(rows),
        (
            LEGEND,
            *simulated(pooled),
            *failures(pooled),
        ),
        partial(draw, rows),
        COLUMNS,
        tuple(point for row in rows for point in _points(row)),
    )


def _sweep(row: Row) -> Line | None:
    kept = [run.predicted("val") for run in row.runs]
    curves = [sweep(one.truth, one.scores) for one in kept if one is not None]
    if not curves:
        return None
    mean, deviation = mean_and_deviation(curves)
    return {
        **{name: row[name] for name in ("method", "label", "device", "threads", "machine")},
        "thresholds": SWEEP,
        "macro_f1": mean,
        "macro_f1_sd": deviation,
        "best": float(SWEEP[np.nanargmax(mean)]),
        "chosen": row["val_macro_f1"],
        "chosen_at": _one_threshold([run.record.chosen.get("thresholds") for run in row.runs]),
    }


def _one_threshold(chosen: Sequence[Sequence[float] | None]) -> float | None:
    """Return the threshold, on the sigmoid of the score, that all classes and seeds share; None if they differ."""
    values = {value for thresholds in chosen for value in thresholds or ()}
    return 1 / (1 + math.exp(-values.pop())) if len(values) == 1 else None


def sweep(truth: Labels, scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return macro-F1 at each threshold in SWEEP, (19,). truth, scores: (n, classes)."""
    scale = np.log(SWEEP / (1 - SWEEP)).astype(np.float32)
    return np.array([macro_f1(truth, decide(scores, True, threshold)) for threshold in scale])


def _points(row: Line) -> list[Datum]:
    deviation = row["macro_f1_sd"]
    return [
        {
            "name": row["name"],
            "threshold": round(float(threshold), 2),
            "macro_f1": float(row["macro_f1"][at]),
            "sd": None if deviation is None else float(deviation[at]),
            "best": "yes" if threshold == row["best"] else "",
            "text": f"{threshold:.2f}",
            "colour": colour(row["method"]),
        }
        for at, threshold in enumerate(row["thresholds"])
    ]


def draw(rows: Sequence[Line], width: float) -> Spec:
    shown = [point for row in rows for point in _points(row)]
    chosen = [
        {"level": row["chosen"], "at": row["chosen_at"], "colour": colour(row["method"])}
        for row in rows
        if row["chosen"] is not None
    ]
    names = [f"{row['name']}:\nchosen, {100 * row['chosen']:.1f} %" for row in rows if row["chosen"] is not None]
    narrow = width <= NARROW
    beside = 8 if narrow else room_beside(names)
    top = max(finite([v for row in rows for v in (*row["macro_f1"], row["chosen"])]))
    x = Ruler(0, 1, "threshold on the sigmoid of the score", "format(datum.value, '.1f')")
    y = percents([], "macro-F1 on val", 0, 1.12 * top or 1)
    frame = Frame(x, y, width - room_for(["100 %"]) - 36 - beside, 230)
    base = alt.Chart(data(shown)).encode(x=frame.x_of("threshold"))
    hue = alt.Color(**raw("colour"))
    band = base.transform_filter("isValid(datum.sd)").transform_calculate(
        low="datum.macro_f1 - datum.sd", high="datum.macro_f1 + datum.sd"
    )
    curve = base.encode(y=frame.y_of("macro_f1"))
    best = curve.transform_filter("datum.best == 'yes'")
    level = alt.Chart(data(chosen)).encode(y=frame.y_of("level"))
    ring = level.transform_filter("isValid(datum.at)").mark_point(
        shape="circle", size=130, stroke=BLACK, strokeWidth=1.2, opacity=1
    )
    marks = key(rows, 1 if narrow else 3)
    return layered(
        level.mark_rule(strokeDash=[1.5, 2.5]).encode(color=hue),
        band.mark_area(opacity=0.2).encode(y=frame.y_of("low"), y2="high", color=hue, detail="name:N"),
        curve.mark_line(strokeWidth=1.4).encode(color=hue, detail="name:N"),
        curve.mark_point(opacity=1, size=14, strokeWidth=1).encode(tooltip=tooltips(COLUMNS), **marks),
        best.mark_point(opacity=1, size=90).encode(tooltip=tooltips(COLUMNS), **marks),
        best.mark_text(dy=-11).encode(text="text:N"),
        ring.encode(x=frame.x_of("at")),
        *([] if narrow else names_beside(frame, [(1.0, one["level"]) for one in chosen], names)),
        **frame.size,
    )
