"""`svm-time`: how long a support vector machine takes to fit by its number of training images, backend by backend."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...results.rows import Line, Row
from ..captions import device_of, get_one, hardware_of, title_of
from ..tables.scaling import LEGEND, scaling
from .chart import Chart, LackingError, labelled, seeds, simulated
from .labels import beside
from .sheet import clock, counts, sheet
from .style import GREY, mark

CLAIMED: Any = {"color": GREY, "marker": "x"}
# Of each library its line and the strength of its hue, so that markers which lie on each other stay apart.
LIBRARIES: Any = {
    "torch": ("-", 1.0),
    "libsvm": ("--", 0.7),
    "onedal": ("-.", 0.5),
    "thundersvm": (":", 0.35),
    "cuml": ((0, (6, 1)), 0.6),
}


def chart(pooled: Sequence[Row]) -> Chart:
    """A row a method, settings, backend and hardware, as the table `scaling` has them: `sizes`, `fit_seconds`,
    `exponent` and `exponent_error` (None below three sizes), and `claimed`: published elsewhere, not measured here."""
    pooled = labelled(pooled, told_apart=("backend",))
    machines = [row for row in pooled if row["family"] == "svm"]
    if not machines:
        raise LackingError(f"no support vector machine has a result; {get_one(pooled[0], 'svm-hog')}")
    curves = [row for row in scaling(machines).rows if row["sizes"]]
    if max((len(curve["sizes"]) for curve in curves if not curve["claimed"]), default=0) < 2:
        smaller = max(1, min((row["n_train"] for row in machines if row["n_train"]), default=1000) // 2)
        raise LackingError(
            "no support vector machine with two numbers of training images; "
            + get_one(machines[0], machines[0]["method"], {}, smaller)
        )
    drawn = [curve for curve in curves if len(curve["sizes"]) > 1]
    sizes = [n for curve in drawn for n in curve["sizes"]]
    failed = [f"{curve['method']}, {curve['solver']}: {curve['remark']}" for curve in curves if curve["remark"]]
    return Chart(
        f"{title_of([{**row, 'limit': None} for row in pooled])}: time to fit a support vector machine",
        f"{min(sizes):,} to {max(sizes):,} training images; {seeds(machines)}",
        tuple(drawn),
        (
            LEGEND + " Lines: that fit; thin ones join two sizes only.",
            *simulated(pooled),
            *failed,
            *hardware_of(machines),
        ),
    )


def draw(chart: Chart) -> Figure:
    """A panel a method, on the same axes; the backend's name and its exponent at the end of each line."""
    methods = list(dict.fromkeys(row["method"] for row in chart.rows if not row["claimed"]))
    claimed = [row for row in chart.rows if row["claimed"]]
    with sheet(chart, len(methods), 1, 2.7 * len(methods), shared_x=True, shared_y=True) as (figure, grid):
        panels = grid[:, 0]
        several = len({device_of(row) for row in chart.rows if not row["claimed"]}) > 1
        shown = [[row for row in chart.rows if row["method"] == method] + claimed for method in methods]
        for axes, method, curves in zip(panels, methods, shown, strict=True):
            for curve in curves:
                _curve(axes, curve)
            axes.set_title(method)
            axes.set_ylabel("fit time (logarithmic)")
            counts(axes, [n for row in chart.rows for n in row["sizes"]])
            clock(axes, [seconds for row in chart.rows for seconds in row["fit_seconds"]], "y")
        panels[-1].set_xlabel("training images (logarithmic)")
        beside([_side(axes, curves, several) for axes, curves in zip(panels, shown, strict=True)])
    return figure


def _side(axes: Axes, curves: Sequence[Line], several: bool) -> tuple[Axes, list[tuple[float, float]], list[str]]:
    ends = [(curve["sizes"][-1], curve["fit_seconds"][-1]) for curve in curves]
    return axes, ends, [_name(curve, several) for curve in curves]


def _curve(axes: Axes, curve: Line) -> None:
    dashes, strength = LIBRARIES.get(curve["solver"], ("-", 1.0))
    look = CLAIMED if curve["claimed"] else mark(curve["method"], curve["device"], strength)
    line = {"color": look["color"], "linestyle": dashes, "zorder": 2}
    sizes, seconds = curve["sizes"], curve["fit_seconds"]
    axes.plot(sizes, seconds, linestyle="none", zorder=3, **look)
    if curve["exponent"] is None:
        axes.plot(sizes, seconds, linewidth=0.7, **line)
    else:
        ends = [sizes[0], sizes[-1]]
        axes.plot(ends, fitted(curve, ends), linewidth=1.2, **line)


def fitted(curve: Line, sizes: list[int]) -> list[float]:
    """Seconds at `sizes` on the curve's power law: the exponent through the mean of its points, in logarithms."""
    b = curve["exponent"]
    level = np.mean(np.log(curve["fit_seconds"])) - b * np.mean(np.log(curve["sizes"]))
    return [math.exp(level + b * math.log(n)) for n in sizes]


def _name(curve: Line, several: bool) -> str:
    told = [curve["solver"] or "backend unknown", curve["settings"], device_of(curve) * several]
    if curve["claimed"]:
        told = ["claimed by the study, CPU"]
    return ", ".join(filter(None, told)) + power(curve)


def power(curve: Line) -> str:
    """': n^1.50 ± 0.02', or nothing without an exponent."""
    if curve["exponent"] is None:
        return ""
    error = curve["exponent_error"]
    return f": n^{curve['exponent']:.2f} ± {error:.{3 if error < 0.01 else 2}f}"
