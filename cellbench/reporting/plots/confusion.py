"""`confusion`: what each class is taken for, classes that are mistaken for each other side by side."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from ...results.rows import Line, Row
from ..captions import device_of, get_one
from .chart import Chart, LackingError, heading, labelled, seeds, simulated
from .contenders import MOST, contenders
from .sheet import blank, sheet
from .style import SMALL, WIDTH

SIDE_BY_SIDE = 12  # classes at most: more take the width of the page
LEVEL = 6  # classes at most whose names below lie aslant; of more they stand upright
LETTER = 0.073  # inches that a letter takes


def chart(pooled: Sequence[Row]) -> Chart:
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
    rows = []
    for row, matrix in counted:
        classes = row["runs"][0].classes
        rows.append(
            {
                **{name: row[name] for name in ("method", "label", "device", "threads")},
                "accuracy": row["test_accuracy"],
                "classes": [classes[k] for k in order],
                "n": (matrix.sum(1) // len(row["seeds"]))[order],
                "shares": shares(matrix)[np.ix_(order, order)],
            }
        )
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
    )


def _counts(row: Row) -> NDArray | None:
    """(classes, classes): images by their class and by what they are taken for, summed over seeds."""
    runs = [run.predicted() for run in row["runs"]]
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


def draw(chart: Chart) -> Figure:
    """A square a method, percentages in it."""
    classes = chart.rows[0]["classes"]
    n, longest = len(classes), max(map(len, classes))
    across = 1 if n > SIDE_BY_SIDE else min(2, len(chart.rows))
    down = math.ceil(len(chart.rows) / across)
    several = len({device_of(row) for row in chart.rows}) > 1
    side = min(0.42 * n, (WIDTH - LETTER * (longest + 8) - 0.4) / across - 0.2)
    below = LETTER * longest * (1 if n > LEVEL else 0.75)  # inches that the names below take
    with sheet(chart, down, across, down * (side + below + 0.8)) as (figure, grid):
        panels = grid.ravel()
        for axes, row in zip(panels, chart.rows, strict=False):
            first = axes in grid[:, 0]
            _matrix(axes, row, first)
            place = f", {device_of(row)}" * several
            axes.set_title(f"{row['label']}{place}: {100 * row['accuracy']:.1f} % right", pad=6)
        blank(panels[len(chart.rows) :])
    return figure


def _matrix(axes: Axes, row: Line, named: bool) -> None:
    n = len(row["classes"])
    palette = colormaps["Blues"].with_extremes(bad="#EEEEEE")
    axes.imshow(np.ma.masked_invalid(row["shares"]), cmap=palette, vmin=0, vmax=1, aspect="equal")
    for (i, k), share in np.ndenumerate(row["shares"]):
        if share >= 0.005:
            hue = "white" if share > 0.55 else "black"
            under = [withStroke(linewidth=1.5, foreground=palette(share))]  # where 100 is wider than its square
            axes.text(
                k, i, f"{100 * share:.0f}", ha="center", va="center", fontsize=SMALL, color=hue, path_effects=under
            )
    aslant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(n), row["classes"], **(aslant if n <= LEVEL else {"rotation": 90}))
    names = [f"{name}  n={images:,}" for name, images in zip(row["classes"], row["n"], strict=True)]
    axes.set_yticks(range(n), names if named else [""] * n)
    axes.set_xlabel("taken for")
    if named:
        axes.set_ylabel("class")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
