"""`confusion`: confusion matrices, ordered so that classes mistaken for each other are neighbours."""

from collections.abc import Sequence
from functools import partial
from itertools import product

import altair as alt
import numpy as np
from numpy.typing import NDArray

from ....results.rows.row import Line, Row
from ...captions import get_one
from ..axes import room_for
from ..chart import Chart, LackingError, heading, labelled, named, seeds, simulated
from ..compose import Spec, grid, layered
from ..contenders import MOST, contenders
from ..layers import Column, Datum, data, tooltips
from ..registry import chart
from ..style import BLACK, GRID, NARROW, SMALL

SIDE_BY_SIDE = 12  # with more classes a matrix takes the whole width of the page
CELL = 30.0  # largest width of a class, in points
HEAT = "#08519C"  # the colour of 100 %
FULL = 0.55  # above this share letters are white
NAMES = 130.0  # largest width of the names of classes, in points
COLUMNS = (
    Column("name", "method"),
    Column("true", "class"),
    Column("taken", "taken for"),
    Column("share", "share of the class", "percent"),
)


@chart("confusion", "Confusion", "what each class is taken for", place=90)
def confusion(pooled: Sequence[Row]) -> Chart:
    """Return the confusion matrices of a few methods, with a row for each method drawn.

    Keys of a row: `label`; `classes`, ordered by similarity; `n` (classes,), the number of test images of each class;
    `shares` (classes, classes), the share of images of the class in the first axis that were predicted as the class in
    the second, over all seeds; nan for a class without test images.
    """
    pooled = labelled(pooled)
    if any(row["several_labels"] for row in pooled):
        raise LackingError(
            "images with several labels have no confusion matrix; see: cellbench plot per-class, with --dataset "
            + pooled[0]["dataset"]
        )
    large = max(row["n_classes"] or 0 for row in pooled) > SIDE_BY_SIDE
    shown, notes = contenders(pooled, 2 if large else MOST)
    counted = [(row, matrix) for row in shown if (matrix := _counts(row)) is not None]
    if not counted:
        raise LackingError(f"no run with predictions beside its record; {get_one(pooled[0], 'svm-hog cnn')} --force")
    order = similar_beside(np.mean([shares(matrix) for _, matrix in counted], axis=0))
    rows: list[Line] = []
    for row, matrix in counted:
        classes = row.runs[0].classes
        rows.append(
            {
                **{name: row[name] for name in ("method", "label", "device", "threads", "machine")},
                "accuracy": row["test_accuracy"],
                "classes": [classes[k] for k in order],
                "n": (matrix.sum(1) // len(row["seeds"]))[order],
                "shares": shares(matrix)[np.ix_(order, order)],
            }
        )
    rows = named(rows)
    n = int(rows[0]["n"].sum())
    return Chart(
        heading(pooled, "confusion on test"),
        f"{n:,} test images, {len(order)} classes; {seeds(shown)}",
        tuple(rows),
        (
            "Each line: of the images of a class (n), the percentage taken for each class; empty: under 0.5 %. Classes "
            "are ordered so that those mistaken for each other stand side by side.",
            *notes,
            *simulated(pooled),
        ),
        partial(draw, rows),
        COLUMNS,
        tuple(point for row in rows for point in _points(row)),
    )


def _counts(row: Row) -> NDArray[np.int64] | None:
    """Return the number of test images by true and predicted class, summed over seeds, (classes, classes), or None."""
    runs = [run.predicted() for run in row.runs]
    if not runs or any(one is None for one in runs):
        return None
    n = row["n_classes"]
    pairs = np.concatenate([one.truth * n + one.predicted for one in runs if one is not None])
    return np.bincount(pairs, minlength=n * n).reshape(n, n)


def shares(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the counts with each row divided by its sum; nan in rows whose sum is 0."""
    n = matrix.sum(1, keepdims=True)
    found: NDArray[np.float64] = np.divide(matrix, n, out=np.full(matrix.shape, np.nan), where=n > 0)
    return found


def similar_beside(confused: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return an order of the classes in which those that are mistaken for each other are neighbours, (classes,).

    It is the order of leaves of average linkage; two classes are the closer, the more often they are confused.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(confused) < 3:
        return np.arange(len(confused))
    mutual = np.nan_to_num(confused)
    mutual = (mutual + mutual.T) / 2
    apart = 1 - mutual
    np.fill_diagonal(apart, 0)
    leaves = leaves_list(linkage(squareform(apart, checks=False), "average", optimal_ordering=True))
    order: NDArray[np.int64] = leaves.astype(np.int64)
    return order


def _points(row: Line) -> list[Datum]:
    """Return a point for each pair of true and predicted class; its share is nan for a class without test images."""
    classes = row["classes"]
    return [
        {
            "name": row["name"],
            "true": classes[i],
            "taken": classes[k],
            "line": f"{classes[i]}  n={row['n'][i]:,}",
            "share": float(row["shares"][i, k]),
            "text": f"{100 * row['shares'][i, k]:.0f}" if row["shares"][i, k] >= 0.005 else "",
        }
        for i, k in product(range(len(classes)), repeat=2)
    ]


def draw(rows: Sequence[Line], width: float) -> Spec:
    """Return a matrix of percentages for each method; two in a line, or one if classes are many or the page narrow."""
    classes = rows[0]["classes"]
    columns = 1 if len(classes) > SIDE_BY_SIDE or width <= NARROW else min(2, len(rows))
    names = min(NAMES, room_for(f"{name}  n=0,000" for name in classes))
    side = min(CELL * len(classes), (width - names - 24) / columns - 12)
    squares = [_square(row, side, names, named=at % columns == 0) for at, row in enumerate(rows)]
    return grid(*squares, columns=columns, spacing={"row": 14, "column": 14}, align="each")


def _square(row: Line, side: float, names: float, named: bool) -> Spec:
    shown = _points(row)
    lines = list(dict.fromkeys(point["line"] for point in shown))
    across = alt.Axis(orient="bottom", labelAngle=-90, domain=False, ticks=False, labelLimit=names, labelOverlap=False)
    down = alt.Axis(labels=named, title="class" if named else None, domain=False, ticks=False, labelLimit=names + 4)
    down["labelOverlap"] = False
    base = alt.Chart(data(shown)).encode(
        x=alt.X("taken:N", sort=row["classes"], title="taken for", axis=across),
        y=alt.Y("line:N", sort=lines, axis=down),
    )
    heat = alt.FillOpacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1]), legend=None)
    white = alt.condition(f"datum.share > {FULL}", alt.value("#FEFEFE"), alt.value(BLACK))
    right = f": {100 * row['accuracy']:.1f} % right" if row["accuracy"] is not None else ""
    size = SMALL if side / len(lines) >= 12 else 6
    return layered(
        base.mark_rect(fill=HEAT, stroke=GRID, strokeWidth=0.5).encode(fillOpacity=heat, tooltip=tooltips(COLUMNS)),
        base.mark_text(fontSize=size).encode(text="text:N", color=white),
        title=row["name"] + right,
        width=side,
        height=side,
    )
