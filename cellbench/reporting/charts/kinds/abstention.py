"""`abstention`: accuracy on the answers that a method is surest of, against the share of images that it answers."""

from collections.abc import Sequence
from functools import partial

import altair as alt
import numpy as np

from ....results.confidence import Trusted, accuracy_of_surest, trusted
from ....results.rows.row import Line, Row, one_label
from ...captions import counts_of
from ..axes import PERCENT, Frame, Ruler, percents, room_for
from ..chart import Chart, LackingError, heading, labelled, named, seeds, simulated
from ..compose import Spec, layered
from ..contenders import contenders, without_predictions
from ..layers import Column, Datum, data, key, names_beside, points, raw, room_beside
from ..registry import chart
from ..style import NARROW, mark

SHARES = tuple(float(share) for share in np.round(np.arange(0.2, 1.001, 0.05), 2))
COLUMNS = (
    Column("name", "method"),
    Column("x", "images answered", "percent"),
    Column("y", "accuracy on these", "percent"),
)
LEGEND = "At 80 %, the fifth of the test images with the lowest probabilities is left to a person."


@chart("abstention", "Leaving hard cells out", "accuracy of the surest answers against the share answered", place=46)
def abstention(pooled: Sequence[Row]) -> Chart:
    """Return the chart of accuracy against the share of test images answered, with a row for each method drawn.

    Keys of a row: `label`, `shares` of the images, and `accuracies` on these, the mean over seeds.
    """
    if not one_label(pooled):
        raise LackingError(f"images of {pooled[0]['dataset']} have several labels, so no single answer can be left out")
    rows_of_methods, others = contenders(labelled(pooled))
    rows = named([_row(row, runs) for row in rows_of_methods if (runs := trusted(row))])
    if not rows:
        raise without_predictions(pooled)
    return Chart(
        heading(pooled, "accuracy on the surest answers"),
        f"{counts_of(pooled)}; {seeds([row for row in pooled if row['seeds']])}",
        tuple(rows),
        (LEGEND, *others, *simulated(pooled)),
        partial(draw, rows),
        COLUMNS,
        tuple(point for row in rows for point in _points(row)),
    )


def _row(row: Row, runs: Sequence[Trusted]) -> Line:
    return {
        **{name: row[name] for name in ("method", "label", "device", "machine", "threads")},
        "shares": list(SHARES),
        "accuracies": [
            float(np.mean([accuracy_of_surest(one.of_test, one.test.truth, share) for one in runs])) for share in SHARES
        ],
    }


def _points(row: Line) -> list[Datum]:
    return [
        {"name": row["name"], "x": share, "y": accuracy, **mark(row["method"], row["device"])}
        for share, accuracy in zip(row["shares"], row["accuracies"], strict=True)
    ]


def draw(rows: Sequence[Line], width: float) -> Spec:
    """Return a line for each method, from the surest fifth of the answers to all of them."""
    curves = [_points(row) for row in rows]
    shown = [point for curve in curves for point in curve]
    names, narrow = [row["name"] for row in rows], width <= NARROW
    x = Ruler(SHARES[0], 1, "images answered, the surest first", PERCENT, (0.2, 0.4, 0.6, 0.8, 1))
    y = percents([point["y"] for point in shown], "accuracy on these")
    frame = Frame(x, y, width - room_for(["100.0 %"]) - 36 - (8 if narrow else room_beside(names)), 230)
    marks = points(frame, shown, COLUMNS, size=14)
    return layered(
        *[
            alt.Chart(data(curve))
            .mark_line(strokeWidth=1.4)
            .encode(x=frame.x_of("x"), y=frame.y_of("y"), color=alt.Color(**raw("colour")))
            for curve in curves
        ],
        *([] if narrow else names_beside(frame, [(1.0, row["accuracies"][-1]) for row in rows], names)),
        marks.encode(**key(rows, 1)) if narrow else marks,
        **frame.size,
    )
