"""`svm-time`: the time to fit a support vector machine against the number of training images, for each backend."""

import math
from collections.abc import Sequence
from functools import partial

import altair as alt
import numpy as np

from ....results.rows.row import Line, Row
from ...captions import device_of, get_one, hardware_of
from ...tables.views.scaling import LEGEND, scaling
from ..axes import Frame, counts, room_for, times
from ..chart import Chart, LackingError, labelled, seeds, simulated, title_of_all
from ..compose import Spec, independent, layered, stacked
from ..layers import Column, Datum, data, names_beside, points, room_beside
from ..registry import chart
from ..style import GREY, NARROW, SHAPES, mark

CLAIMED = {"colour": GREY, "fill": GREY, "shape": SHAPES["cross"]}
# Dashes of the line and opacity of the markers for each library, so that markers on top of each other are visible.
LIBRARIES: dict[str, tuple[list[float], float]] = {
    "torch": ([1, 0], 1.0),
    "libsvm": ([4, 2], 0.7),
    "onedal": ([4, 2, 1, 2], 0.5),
    "thundersvm": ([1, 2], 0.35),
    "cuml": ([6, 1], 0.6),
    "nystroem": ([2, 2], 0.8),
}

COLUMNS = (
    Column("method", "method"),
    Column("name", "backend"),
    Column("x", "training images", "count"),
    Column("y", "fit time (s)", "seconds"),
)


@chart(
    "svm-time", "Time to fit an SVM", "fit time of SVMs against training images, by backend", place=80, every_run=True
)
def svm_time(pooled: Sequence[Row]) -> Chart:
    """Return the chart of fit times, with a row for each curve of two sizes or more.

    A curve has one method, settings, backend and hardware. The rows are those of the table `scaling`: `sizes`,
    `fit_seconds`, `exponent` and `exponent_error` (None below three sizes), and `claimed`, whether the times were
    published elsewhere and not measured here.
    """
    pooled = labelled(pooled, without=("backend",))
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
    several = _several_devices(drawn)
    return Chart(
        f"{title_of_all(pooled)}: time to fit a support vector machine",
        f"{min(sizes):,} to {max(sizes):,} training images; {seeds(machines)}",
        tuple(drawn),
        (
            LEGEND + " Lines: that fit; thin ones join two sizes only.",
            *simulated(pooled),
            *failed,
            *hardware_of(machines),
        ),
        partial(draw, drawn),
        COLUMNS,
        tuple(point for curve in drawn for point in _points(curve, several)),
    )


def _several_devices(curves: Sequence[Line]) -> bool:
    return len({device_of(curve) for curve in curves if not curve["claimed"]}) > 1


def _points(curve: Line, several: bool) -> list[Datum]:
    look = CLAIMED if curve["claimed"] else mark(curve["method"], curve["device"])
    return [
        {"method": curve["method"], "name": _name(curve, several), "x": n, "y": seconds, **look}
        for n, seconds in zip(curve["sizes"], curve["fit_seconds"], strict=True)
    ]


def draw(curves: Sequence[Line], width: float) -> Spec:
    """Return a panel for each method, all with the same axes; each line ends with its backend and exponent."""
    methods = list(dict.fromkeys(curve["method"] for curve in curves if not curve["claimed"]))
    several, claimed = _several_devices(curves), [curve for curve in curves if curve["claimed"]]
    x = counts([n for curve in curves for n in curve["sizes"]], "training images (logarithmic)")
    y = times([seconds for curve in curves for seconds in curve["fit_seconds"]], "fit time (logarithmic)")
    names = [_name(curve, several) for curve in curves]
    room = width - room_for(["10 min"]) - 36 - (room_beside(names) if width > NARROW else 8)
    panels = []
    for method in methods:
        frame = Frame(x, y, room, 165, x_texts=method == methods[-1])
        own = [curve for curve in curves if curve["method"] == method and not curve["claimed"]]
        panels.append(_panel(frame, method, [*own, *claimed], several, narrow=width <= NARROW))
    return stacked(*panels, spacing=12, resolve=independent("strokeDash"))


def _panel(frame: Frame, method: str, curves: Sequence[Line], several: bool, narrow: bool) -> Spec:
    names = [_name(curve, several) for curve in curves]
    marks = [
        points(frame, _points(curve, several), COLUMNS).mark_point(
            opacity=1, size=40, strokeWidth=1.2, fillOpacity=1 if curve["claimed"] else _look(curve)[1]
        )
        for curve in curves
    ]
    ends = [(curve["sizes"][-1], curve["fit_seconds"][-1]) for curve in curves]
    dashes = alt.StrokeDash(
        "name:N",
        scale=alt.Scale(domain=names, range=[_look(curve)[0] for curve in curves]),
        legend=alt.Legend(symbolType="stroke", symbolSize=200, columns=1) if narrow else None,
    )
    lines = [_line(frame, curve, name).encode(strokeDash=dashes) for curve, name in zip(curves, names, strict=True)]
    beside = [] if narrow else names_beside(frame, ends, names)
    return layered(*beside, *lines, *marks, title=method, **frame.size)


def _look(curve: Line) -> tuple[list[float], float]:
    return LIBRARIES.get(curve["solver"], ([1, 0], 1.0))


def _line(frame: Frame, curve: Line, name: str) -> alt.Chart:
    """Return the line of the fitted power law; without an exponent, a thin line that joins the points."""
    sizes, seconds = curve["sizes"], curve["fit_seconds"]
    thin = curve["exponent"] is None
    ends = [sizes[0], sizes[-1]]
    places = zip(sizes, seconds, strict=True) if thin else zip(ends, fitted(curve, ends), strict=True)
    colour = CLAIMED["colour"] if curve["claimed"] else mark(curve["method"], curve["device"])["colour"]
    base = alt.Chart(data([{"x": n, "y": time, "name": name} for n, time in places]))
    line = base.mark_line(color=colour, strokeWidth=0.7 if thin else 1.2)
    drawn: alt.Chart = line.encode(x=frame.x_of("x"), y=frame.y_of("y"))
    return drawn


def fitted(curve: Line, sizes: list[int]) -> list[float]:
    """Return the seconds that the curve's power law gives for `sizes`.

    In logarithms it is the line with slope `exponent` through the mean of the curve's points.
    """
    b = curve["exponent"]
    level = np.mean(np.log(curve["fit_seconds"])) - b * np.mean(np.log(curve["sizes"]))
    return [math.exp(level + b * math.log(n)) for n in sizes]


def _name(curve: Line, several: bool) -> str:
    if curve["claimed"]:
        return "claimed by the study, CPU" + power(curve)
    parts = [curve["solver"] or "backend unknown", curve["settings"], device_of(curve) if several else ""]
    return ", ".join(filter(None, parts)) + power(curve)


def power(curve: Line) -> str:
    """Return the power law of a curve as text, such as ': n^1.50 ± 0.02'; empty without an exponent."""
    if curve["exponent"] is None:
        return ""
    error = curve["exponent_error"]
    return f": n^{curve['exponent']:.2f} ± {error:.{3 if error < 0.01 else 2}f}"
