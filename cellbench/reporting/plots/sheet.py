"""The paper that figures are drawn on: headings above, notes below, panels between; no window is ever opened."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from .chart import Chart
from .style import GREY, LARGE, RC, SMALL, WIDTH, settle, width

LINE = {LARGE: 0.19, SMALL: 0.15}  # inches
MARGIN = 0.08

# Seconds and how a clock says them; the sets after it where a range is long.
TIMES = {
    0.001: "1 ms", 0.002: "2 ms", 0.005: "5 ms", 0.01: "10 ms", 0.02: "20 ms", 0.05: "50 ms",
    0.1: "0.1 s", 0.2: "0.2 s", 0.5: "0.5 s", 1: "1 s", 2: "2 s", 5: "5 s", 10: "10 s", 20: "20 s", 30: "30 s",
    60: "1 min", 120: "2 min", 300: "5 min", 600: "10 min", 1200: "20 min", 1800: "30 min",
    3600: "1 h", 7200: "2 h", 18000: "5 h", 36000: "10 h", 86400: "1 d", 172800: "2 d", 432000: "5 d", 864000: "10 d",
}  # fmt: skip
HALVES = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 600, 3600, 18000, 36000, 86400, 432000)
ROUND = (0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36000, 864000)
CLOSEST = 0.075  # of the axis: ticks nearer than that would run into each other


@contextmanager
def sheet(
    chart: Chart, down: int, across: int, height: float, shared_x: bool = False, shared_y: bool = False
) -> Iterator[tuple[Figure, NDArray]]:
    """A figure with `down` × `across` panels, (down, across) of Axes, `height` inches high without what is written
    above and below; to be drawn on within the context, where the style holds."""
    title = _wrapped(chart.title, LARGE, "bold")
    subtitle = _wrapped(chart.subtitle)
    notes = [line for note in chart.notes for line in _wrapped(note, indent="   ")]
    above = MARGIN + len(title) * LINE[LARGE] + len(subtitle) * LINE[SMALL] + MARGIN
    below = (MARGIN + len(notes) * LINE[SMALL]) * bool(notes)
    total = above + height + below
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(WIDTH, total), dpi=100)
        figure.set_layout_engine("constrained", rect=(0, below / total, 1, height / total), h_pad=0.06, w_pad=0.06)
        y = _write(figure, title, 1 - MARGIN / total, LARGE, fontweight="bold")
        _write(figure, subtitle, y, SMALL, color="#333333")
        _write(figure, notes, (below - MARGIN) / total, SMALL, color=GREY)
        yield figure, figure.subplots(down, across, squeeze=False, sharex=shared_x, sharey=shared_y)
        settle(figure)


def _wrapped(text: str, size: float = SMALL, weight: str = "normal", indent: str = "") -> list[str]:
    """Lines that fit the page, those after the first indented; a word that is wider stands alone."""
    room = 72 * (WIDTH - 2 * MARGIN) * 0.97  # letters on a grid of pixels are up to 2 % wider than they measure
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size, weight) <= room:
            lines[-1] = longer
        else:
            lines.append(indent * bool(lines) + word)
    return lines


def _write(figure: Figure, lines: Sequence[str], y: float, size: float, **look: Any) -> float:
    """Lines from height `y` downwards, in parts of the figure; returns where the next would stand."""
    for line in lines:
        figure.text(MARGIN / WIDTH, y, line, fontsize=size, va="top", in_layout=False, **look)
        y -= LINE[size] / figure.get_figheight()
    return y


def reach(values: Sequence[float] | NDArray, spans: Sequence[tuple[float, float] | None] | None) -> NDArray | None:
    """Distances from values to the ends of their bars, (2, n) as matplotlib takes them, nan where there is none."""
    if spans is None or not any(spans):
        return None
    ends = np.array([span or (np.nan, np.nan) for span in spans], float).T
    return np.maximum([values - ends[0], ends[1] - values], 0)


def apart(figure: Figure, axes: Axes) -> None:
    """Move the curves of a panel a little to the side of their places, so that bars at one place are all seen.

    Call it when all are drawn: limits are those of the places.
    """
    curves = [container for container in axes.containers if isinstance(container, ErrorbarContainer)]
    step = min(4.5, 16 / max(1, len(curves))) / 72  # inches
    for at, curve in enumerate(curves):
        moved = ScaledTranslation((at - (len(curves) - 1) / 2) * step, 0, figure.dpi_scale_trans)
        for artist in curve.get_children():
            artist.set_transform(axes.transData + moved)


def percent(axes: Axes, which: str = "y") -> None:
    """Ticks of a fraction as percentages."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g} %"))


def clock(axes: Axes, seconds: Sequence[float], which: str = "x") -> None:
    """A logarithmic axis of times, with room for `seconds`, that is read as a clock is."""
    _logarithmic(axes, which, *clock_ticks(seconds))


def clock_ticks(seconds: Sequence[float]) -> tuple[float, float, dict[float, str]]:
    """Both ends of a logarithmic axis of times, and the texts at its ticks."""
    low, high = min(seconds) / 1.35, max(seconds) * 1.35
    inside = [time for time in TIMES if low <= time <= high]
    choices = (inside, *([time for time in inside if time in rounder] for rounder in (HALVES, ROUND)))
    apart = (high / low) ** CLOSEST
    roomy = (c for c in choices if all(after / here >= apart for here, after in itertools.pairwise(c)))
    ticks = next(roomy, choices[-1])
    if len(ticks) < 2:
        ticks = sorted({*ticks, min(seconds), max(seconds)})
    return low, high, {time: TIMES.get(time, f"{time:.3g} s") for time in ticks}


def counts(axes: Axes, numbers: Iterable[float], which: str = "x") -> None:
    """A logarithmic axis of image counts, with a tick at each that leaves room for it."""
    _logarithmic(axes, which, *count_ticks(numbers))


def count_ticks(numbers: Iterable[float]) -> tuple[float, float, dict[float, str]]:
    """Both ends of a logarithmic axis of image counts, and the texts at its ticks."""
    numbers = sorted(set(numbers))
    low, high = min(numbers) / 1.15, max(numbers) * 1.15
    apart = (high / low) ** CLOSEST
    own: list[float] = []
    for number in reversed(numbers):
        if not own or own[-1] / number >= apart:
            own.append(number)
    return low, high, {number: f"{number:,.0f}" for number in own}


def _logarithmic(axes: Axes, which: str, low: float, high: float, ticks: Mapping[float, str]) -> None:
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    texts = list(ticks.values())
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, place: texts[place] if place is not None else ""))


def legend(axes: Axes, keys: Sequence[Artist]) -> None:
    """Keys above the panel, where they cover nothing."""
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    axes.legend(handles=list(keys), ncols=min(4, len(keys)), handlelength=1.2, **place)


def blank(panels: Iterable[Axes]) -> None:
    """Take away panels that stayed empty."""
    for axes in panels:
        axes.set_axis_off()
        axes.set_in_layout(False)
