"""`reliability`: of the answers that a method is 80 % sure of, how many are right?"""

from collections.abc import Sequence
from functools import partial

import altair as alt
import numpy as np
from scipy.special import ndtri

from ....results.confidence import Trusted, confidences, trusted
from ....results.rows.row import Line, Row
from ...captions import counts_of
from ..axes import PERCENT, Frame, Ruler, room_for
from ..chart import Chart, heading, labelled, named, seeds, simulated
from ..compose import Spec, layered
from ..contenders import contenders, without_predictions
from ..layers import Column, Datum, data, intervals, key, points, raw
from ..registry import chart
from ..style import GREY, NARROW, mark

BINS = 10  # of confidence, each as wide
FEWEST = 10  # answers of a seed in a bin, for a point
TICKS = (0, 0.2, 0.4, 0.6, 0.8, 1)
COLUMNS = (
    Column("name", "method"),
    Column("x", "mean confidence", "percent"),
    Column("y", "right", "percent"),
    Column("n", "answers", "count"),
    Column("interval", "95 % interval"),
)
LEGEND = (
    f"Each point has the answers on test of one tenth of confidence, if these are {FEWEST} or more. Below the dotted "
    "line a method is surer than it is right. Scores became probabilities by a rule fitted on val."
)


@chart("reliability", "Reliability", "share of right answers against confidence", place=44)
def reliability(pooled: Sequence[Row]) -> Chart:
    """Return the chart of the share of right answers against confidence, with a row for each method drawn.

    Keys of a row: `label`, and for each bin `confidence` (its mean), `right` (a share), `n` (answers a seed), and
    `spans` (Wilson's intervals over images; None where images have groups, or several labels).
    """
    rows_of_methods, others = contenders(labelled(pooled))
    rows = named([_row(row, runs) for row in rows_of_methods if (runs := trusted(row))])
    if not rows:
        raise without_predictions(pooled)
    over = "Bars: 95 % intervals over images." if any(any(row["spans"]) for row in rows) else ""
    return Chart(
        heading(pooled, "right answers against confidence"),
        f"{counts_of(pooled)}; {seeds([row for row in pooled if row['seeds']])}",
        tuple(rows),
        (LEGEND, *filter(None, [over]), *others, *simulated(pooled)),
        partial(draw, rows),
        COLUMNS,
        tuple(point for row in rows for point in _points(row)),
    )


def _row(row: Row, runs: Sequence[Trusted]) -> Line:
    answers = [confidences(one.of_test, one.test.truth) for one in runs]
    confidence = np.concatenate([each.ravel() for each, _ in answers])
    right = np.concatenate([each.ravel() for _, each in answers])
    of_bin = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = [of_bin == at for at in range(BINS) if (of_bin == at).sum() >= FEWEST * len(runs)]
    counts = [round(inside.sum() / len(runs)) for inside in bins]
    shares = [float(right[inside].mean()) for inside in bins]
    apart = all(one.test.groups is None and one.test.truth.ndim == 1 for one in runs) and not row.groups_unknown
    return {
        **{name: row[name] for name in ("method", "label", "device", "machine", "threads")},
        "confidence": [float(confidence[inside].mean()) for inside in bins],
        "right": shares,
        "n": counts,
        "spans": [wilson(share, n) if apart else None for share, n in zip(shares, counts, strict=True)],
    }


def wilson(share: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share of n images. Source: Wilson, "Probable Inference", 1927."""
    z = float(ndtri((1 + level) / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return max(0.0, middle - half), min(1.0, middle + half)


def _points(row: Line) -> list[Datum]:
    return [
        {
            "name": row["name"],
            "x": x,
            "y": y,
            "n": n,
            **({"low": span[0], "high": span[1]} if span else {}),
            "interval": f"{100 * span[0]:.1f} to {100 * span[1]:.1f}" if span else "",
            **mark(row["method"], row["device"]),
        }
        for x, y, n, span in zip(row["confidence"], row["right"], row["n"], row["spans"], strict=True)
    ]


def draw(rows: Sequence[Line], width: float) -> Spec:
    """Return a square with the diagonal, and a line with points for each method."""
    curves = [_points(row) for row in rows]
    shown = [point for curve in curves for point in curve]
    side = min(width - room_for(["100 %"]) - 40, 330)
    frame = Frame(Ruler(0, 1, "confidence", PERCENT, TICKS), Ruler(0, 1, "right", PERCENT, TICKS), side, side)
    ends = alt.Chart(data([{"x": 0, "y": 0}, {"x": 1, "y": 1}]))
    diagonal = ends.mark_line(color=GREY, strokeWidth=1, strokeDash=[2, 3]).encode(x=frame.x_of("x"), y=frame.y_of("y"))
    lines = [
        alt.Chart(data(curve))
        .mark_line(strokeWidth=1.4)
        .encode(x=frame.x_of("x"), y=frame.y_of("y"), color=alt.Color(**raw("colour")))
        for curve in curves
    ]
    return layered(
        diagonal,
        *lines,
        intervals(frame, shown),
        points(frame, shown, COLUMNS).encode(**key(rows, 1 if width <= NARROW else 3)),
        **frame.size,
    )
