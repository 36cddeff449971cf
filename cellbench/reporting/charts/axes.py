"""Axes whose ends and ticks are computed here, so that names can be placed before anything is drawn."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import altair as alt

from ...core.mixed_values import Document
from .style import SMALL
from .text import width

# Times in seconds at which an axis may have ticks; HALVES and ROUND are sparser sets for long ranges.
TIMES = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600,
    7200, 18000, 36000, 86400, 172800, 432000, 864000,
)  # fmt: skip
HALVES = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 600, 3600, 18000, 36000, 86400, 432000)
ROUND = (0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36000, 864000)
CLOSEST = 0.075  # share of the axis: labels of ticks closer than this would overlap
ROOM = 1.35  # factor between the outermost time and the end of its axis

# Vega expressions that format the labels of ticks.
PERCENT = "format(100 * datum.value, '.4~r') + ' %'"
PLAIN = "format(datum.value, '.4~g')"
COUNT = "format(datum.value, ',')"
CLOCK = (
    "datum.value < 0.1 ? format(1000 * datum.value, '.3~r') + ' ms' : "
    "datum.value < 60 ? format(datum.value, '.3~r') + ' s' : "
    "datum.value < 3600 ? format(datum.value / 60, '.3~r') + ' min' : "
    "datum.value < 86400 ? format(datum.value / 3600, '.3~r') + ' h' : format(datum.value / 86400, '.3~r') + ' d'"
)


@dataclass(frozen=True)
class Ruler:
    """A numeric axis from `low` to `high`, linear or logarithmic.

    text: the Vega expression that formats the labels of ticks; ticks: their values, None to let Vega choose them.
    """

    low: float
    high: float
    title: str | None
    text: str
    ticks: tuple[float, ...] | None = None
    log: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value is: 0 at `low`, 1 at `high`."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        return math.log(max(value, 1e-12) / self.low) / math.log(self.high / self.low)

    def value(self, share: float) -> float:
        """Return the value at a position along the axis; the inverse of `share`."""
        if not self.log:
            return self.low + share * (self.high - self.low)
        times: float = (self.high / self.low) ** share
        return self.low * times

    def scale(self) -> alt.Scale:
        if self.log:
            return alt.Scale(type="log", domain=[self.low, self.high], nice=False)
        return alt.Scale(domain=[self.low, self.high], nice=False, zero=False)

    def axis(self, count: int, labels: bool = True) -> alt.Axis:
        """Return the axis for Altair. count: about how many ticks if Vega chooses; labels: whether to show text."""
        given: Document = {"values": list(self.ticks)} if self.ticks is not None else {"tickCount": count}
        hidden: Document = {} if labels else {"labels": False, "title": None}
        return alt.Axis(grid=True, labelExpr=self.text, **{"title": self.title, **given, **hidden})


@dataclass(frozen=True)
class Frame:
    """The coordinate system of a panel: both axes, width and height in points, and which axes have labels."""

    x: Ruler
    y: Ruler
    width: float
    height: float
    x_texts: bool = True
    y_texts: bool = True

    def x_of(self, field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=self.x.scale(), axis=self.x.axis(max(4, int(self.width / 60)), self.x_texts))

    def y_of(self, field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=self.y.scale(), axis=self.y.axis(max(4, int(self.height / 32)), self.y_texts))

    @property
    def size(self) -> dict[str, float]:
        return {"width": self.width, "height": self.height}

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the position of a data point in points from the left and from the top."""
        return self.width * self.x.share(x), self.height * (1 - self.y.share(y))

    def back(self, x: float, y: float) -> tuple[float, float]:
        """Return the data values at a position given in points from the left and the top; the inverse of `at`."""
        return self.x.value(x / self.width), self.y.value(1 - y / self.height)


def percents(
    values: Iterable[float | None], title: str | None = None, low: float | None = None, high: float | None = None
) -> Ruler:
    """Return a linear axis for fractions, labelled as percentages, with some room at both ends that are not given."""
    return numbers(values, title, low, high, PERCENT)


def numbers(
    values: Iterable[float | None],
    title: str | None = None,
    low: float | None = None,
    high: float | None = None,
    text: str = PLAIN,
) -> Ruler:
    found = [float(value) for value in values if value is not None and math.isfinite(value)] or [0.0, 1.0]
    least, most = min(found), max(found)
    room = 0.09 * (most - least) or 0.05
    return Ruler(least - room if low is None else low, most + room if high is None else high, title, text)


def times(seconds: Iterable[float], title: str | None = None) -> Ruler:
    """Return a logarithmic axis for times, with ticks at round seconds, minutes, hours and days."""
    seconds = list(seconds)
    low, high = min(seconds) / ROOM, max(seconds) * ROOM
    inside = [time for time in TIMES if low <= time <= high]
    if len(inside) < 2:  # widen it towards the nearest round times, so that it has two ticks
        below = max((time for time in TIMES if time <= low), default=low)
        above = min((time for time in TIMES if time >= high), default=high)
        down, up = low / below, above / high
        low, high = (below if not inside or down < up else low), (above if not inside or up <= down else high)
        inside = [time for time in TIMES if low <= time <= high]
    choices = (inside, *([time for time in inside if time in rounder] for rounder in (HALVES, ROUND)))
    apart = (high / low) ** CLOSEST
    roomy = (c for c in choices if all(after / here >= apart for here, after in itertools.pairwise(c)))
    return Ruler(low, high, title, CLOCK, tuple(next(roomy, choices[-1])), log=True)


def counts(numbers_shown: Iterable[float], title: str | None = None) -> Ruler:
    """Return a logarithmic axis with ticks at the numbers shown, except those whose labels would overlap."""
    shown = sorted(set(numbers_shown))
    low, high = shown[0] / 1.15, shown[-1] * 1.15
    apart = (high / low) ** CLOSEST
    ticks: list[float] = []
    for number in reversed(shown):
        if not ticks or ticks[-1] / number >= apart:
            ticks.append(number)
    return Ruler(low, high, title, COUNT, tuple(reversed(ticks)), log=True)


def room_for(texts: Iterable[str], size: float = SMALL) -> float:
    """Return the width in points of the widest of the texts; 0 for none."""
    return max((width(text, size) for text in texts), default=0.0)


def finite(values: Iterable[float | None]) -> list[float]:
    return [float(value) for value in values if value is not None and math.isfinite(value)]
