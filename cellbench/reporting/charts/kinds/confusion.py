"""`confusion`: what each class is taken for, classes that are mistaken for each other side by side."""

from collections.abc import Sequence
from functools import partial
from itertools import product

import altair as alt
import numpy as np
from numpy.typing import NDArray

from ....results.rows import Line, Row
from ...captions import get_one
from ..axes import room_for
from ..chart import Chart, LackingError, heading, labelled, named, seeds, simulated
from ..compose import Spec, grid, layered
from ..contenders import MOST, contenders
from ..layers import Column, Datum, data, told
from ..registry import chart
from ..style import BLACK, GRID, NARROW, SMALL

SIDE_BY_SIDE = 12  # classes at most: more take the width of the page
CELL = 30.0  # points that a class takes at most
HEAT = "#08519C"  # of 100 %
FULL = 0.55  # from here on letters are white
NAMES = 130.0  # points at most for the names of classes
COLUMNS = (
    Column("name", "method"),
    Column("true", "class"),
    Column("taken", "taken for"),
    Column("share", "share of the class", "percent"),
)


@chart("confusion", "Confusion", "what each class is taken for", place=90)
def confusion(pooled: Sequence[Row]) -> Chart:
    """A row a method: `label`, `classes` in the order of similarity, `n` (classes,): test images that have each, and
    `shares` (classes, classes): of the images of each class, a row each, the share that is taken for each; nan where
    there are none. Shares are means over seeds."""
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
                **{name: row[name] for name in ("method", "label", "device", "threads")},
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


def _counts(row: Row) -> NDArray | None:
    """(classes, classes): images by their class and by what they are taken for, summed over seeds."""
    runs = [run.predicted() for run in row.runs]
    if not runs or any(one is None for one in runs):
        return None
    n = row["n_classes"]
    pairs = np.concatenate([one.truth * n + one.predicted for one in runs if one is not None])
    return np.bincount(pairs, minlength=n * n).reshape(n, n)


def shares(matrix: NDArray) -> NDArray[np.float64]:
    """Counts, each row divided by its sum; nan in a row without any."""
    n = matrix.sum(1, keepdims=True)
    return np.divide(matrix, n, out=np.full(matrix.shape, np.nan), where=n > 0)


def similar_beside(confused: NDArray) -> NDArray[np.int64]:
    """Classes in the order of the leaves of average linkage, close when the one is taken for the other, (classes,)."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(confused) < 3:
        return np.arange(len(confused))
    mutual = np.nan_to_num(confused)
    mutual = (mutual + mutual.T) / 2
    apart = 1 - mutual
    np.fill_diagonal(apart, 0)
    return leaves_list(linkage(squareform(apart, checks=False), "average", optimal_ordering=True)).astype(np.int64)


def _points(row: Line) -> list[Datum]:
    """Each class and what it is taken for; a class without a test image has no shares."""
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
    """A square a method, percentages in it; two to a line, of many classes one."""
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
        base.mark_rect(fill=HEAT, stroke=GRID, strokeWidth=0.5).encode(fillOpacity=heat, tooltip=told(COLUMNS)),
        base.mark_text(fontSize=size).encode(text="text:N", color=white),
        title=row["name"] + right,
        width=side,
        height=side,
    )
