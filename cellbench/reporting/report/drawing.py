"""Figures for a page: charts scaled to places on a sheet, as plain data that the template turns into SVG."""

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.markers import MarkerStyle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D

from ..plots.labels import free_places, spread
from ..plots.sheet import clock_ticks, count_ticks
from ..plots.style import BLACK, look, width

LETTER = 1.56  # units of the sheet to a point of print, at the size of its letters
LINE = 15  # units from one line of text to the next
INK = "var(--ink)"  # black on paper, white on a dark screen

Point = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`; texts: what stands at which value."""

    low: float
    high: float
    texts: Mapping[float, str]
    label: str = ""
    log: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value is: 0 at `low`, 1 at `high`."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        return math.log(max(value, 1e-9) / self.low) / math.log(self.high / self.low)


@dataclass(frozen=True)
class Curve:
    """Points in data units that share a look. tips: what is told of each. x_span, y_span: (low, high) of bars, None
    where there are none.

    joined: by a line; dash: of it; marked: whether points show before somebody looks for them; strength: of colour.
    """

    method: str
    label: str
    x: Sequence[float]
    y: Sequence[float]
    tips: Sequence[str]
    open: bool = False
    x_span: Sequence[Point | None] | None = None
    y_span: Sequence[Point | None] | None = None
    joined: bool = False
    dash: str = ""
    marked: bool = True
    strength: float = 1.0
    hue: str | None = None
    sign: str | None = None


@dataclass(frozen=True)
class Mark:
    x: float
    y: float
    tip: str
    bars: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True)
class Line:
    """A curve in places of the sheet; series: which entries of the key it belongs to."""

    series: str
    hue: str
    sign: str
    open: bool
    dash: str
    path: str
    marks: tuple[Mark, ...]
    marked: bool
    strength: float


@dataclass(frozen=True)
class Bar:
    """Lying. span: from where to where its interval goes."""

    series: str
    x: float
    y: float
    width: float
    height: float
    hue: str
    strength: float
    tip: str
    text: str
    bold: bool
    span: Point | None = None


@dataclass(frozen=True)
class Name:
    x: float
    y: float
    text: str
    anchor: Literal["start", "middle", "end"] = "start"
    leader: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Panel:
    """One coordinate system: frame (left, top, right, bottom) and what lies in it, all in units of the sheet."""

    title: str
    width: float
    height: float
    frame: tuple[float, float, float, float]
    x_label: str
    y_label: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...] = ()
    bars: tuple[Bar, ...] = ()
    names: tuple[Name, ...] = ()
    steps: str = ""
    uprights: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()


@dataclass(frozen=True)
class Key:
    label: str
    hue: str
    sign: str
    open: bool
    dash: str = ""


@dataclass(frozen=True)
class Drawing:
    """A figure: panels side by side as far as they find room."""

    kind: str
    dataset: str
    split: str
    title: str
    subtitle: str
    notes: tuple[str, ...]
    panels: tuple[Panel, ...]
    keys: tuple[Key, ...] = ()


# --- axes


def percents(values: Iterable[Any], label: str = "", low: float | None = None, high: float | None = None) -> Axis:
    """A linear axis of fractions with some room at both ends."""
    return numbers(values, label, low, high, lambda value: f"{100 * value:.4g} %")


def numbers(
    values: Iterable[Any], label: str = "", low: float | None = None, high: float | None = None, text: Any = "{:.4g}"
) -> Axis:
    found = [float(value) for value in values if value is not None and math.isfinite(value)] or [0.0, 1.0]
    least, most = min(found), max(found)
    room = 0.09 * (most - least) or 0.05
    low, high = least - room if low is None else low, most + room if high is None else high
    ticks = [t for t in MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high) if low <= t <= high]
    write = text if callable(text) else text.format
    return Axis(low, high, {float(t): write(round(float(t), 9)) for t in ticks}, label)


def clock(seconds: Iterable[float], label: str) -> Axis:
    low, high, texts = clock_ticks(list(seconds))
    return Axis(low, high, texts, label, log=True)


def images(counts: Iterable[float], label: str) -> Axis:
    low, high, texts = count_ticks(counts)
    return Axis(low, high, texts, label, log=True)


def named(texts: Sequence[str]) -> Axis:
    """A line for each text, from top to bottom."""
    return Axis(len(texts) - 0.4, -0.6, dict(enumerate(texts)))


# --- panels


@dataclass(frozen=True)
class Sheet:
    """What a panel is drawn on, before it is: axes, size, and the room that what stands around it takes."""

    x: Axis
    y: Axis
    width: float = 600
    height: float = 330
    right: float = 14
    title: str = ""

    @functools.cached_property
    def frame(self) -> tuple[float, float, float, float]:
        longest = max((width(text) * LETTER for text in self.y.texts.values()), default=0)
        left = longest + 12 + (20 if self.y.label else 0)
        return left, (26 if self.title else 10), self.width - self.right, self.height - 22 - (18 if self.x.label else 0)

    def at(self, x: float, y: float) -> Point:
        left, top, right, bottom = self.frame
        return left + (right - left) * self.x.share(x), bottom - (bottom - top) * self.y.share(y)


def panel(sheet: Sheet, curves: Sequence[Curve] = (), **further: Any) -> Panel:
    """The sheet with curves on it; further: fields of Panel, in places of the sheet."""
    left, top, right, bottom = sheet.frame
    return Panel(
        title=sheet.title,
        width=sheet.width,
        height=sheet.height,
        frame=(left, top, right, bottom),
        x_label=sheet.x.label,
        y_label=sheet.y.label,
        x_ticks=tuple((round(sheet.at(value, sheet.y.low)[0], 1), text) for value, text in sheet.x.texts.items()),
        y_ticks=tuple((round(sheet.at(sheet.x.low, value)[1], 1), text) for value, text in sheet.y.texts.items()),
        lines=tuple(_line(sheet, curve) for curve in curves),
        **further,
    )


def path(places: Sequence[Point]) -> str:
    return "".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(places))


def _line(sheet: Sheet, curve: Curve) -> Line:
    seen = [
        (i, *sheet.at(x, y))
        for i, (x, y) in enumerate(zip(curve.x, curve.y, strict=True))
        if math.isfinite(x) and math.isfinite(y)
    ]
    marks = [
        Mark(round(x, 1), round(y, 1), curve.tips[i], _bars(sheet, curve, i))
        for i, x, y in seen
        if curve.tips and curve.tips[i]
    ]
    hue, sign = colour(curve.method), look(curve.method)[1]
    return Line(
        series=curve.label,
        hue=curve.hue or hue,
        sign=curve.sign or sign,
        open=curve.open,
        dash=curve.dash,
        path=path([(x, y) for _, x, y in seen]) if curve.joined else "",
        marks=tuple(marks),
        marked=curve.marked,
        strength=curve.strength,
    )


def _bars(sheet: Sheet, curve: Curve, i: int) -> tuple[tuple[float, float, float, float], ...]:
    x, y, bars = curve.x[i], curve.y[i], []
    if curve.x_span is not None and (span := curve.x_span[i]):
        bars.append((*sheet.at(span[0], y), *sheet.at(span[1], y)))
    if curve.y_span is not None and (span := curve.y_span[i]):
        bars.append((*sheet.at(x, span[0]), *sheet.at(x, span[1])))
    return tuple(tuple(round(v, 1) for v in bar) for bar in bars)  # type: ignore[misc]


def colour(method: str) -> str:
    """As style.colour, but black is what letters are: it has to be seen on a dark screen too."""
    hue = look(method)[0]
    return INK if hue == BLACK else hue


@functools.cache
def outline(sign: str) -> str:
    """The path of one of matplotlib's markers, about 9 units wide, centred at 0."""
    if sign == "o":
        return "M-4.4 0a4.4 4.4 0 1 0 8.8 0a4.4 4.4 0 1 0 -8.8 0Z"
    style = MarkerStyle(sign)
    size = Affine2D().scale(9.5, -9.5)
    if sign == "x":
        return "M-3.5 -3.5L3.5 3.5M3.5 -3.5L-3.5 3.5"
    shape = style.get_path().transformed(style.get_transform() + size)
    polygons = [np.asarray(polygon)[:-1].tolist() for polygon in shape.to_polygons()]
    return "".join(path(polygon) + "Z" for polygon in polygons)


# --- names


def names_near(
    sheet: Sheet, points: Sequence[Point], texts: Sequence[str], lines: Sequence[Point] = ()
) -> tuple[Name, ...]:
    """Names beside points (in data units), none on another; lines: places on lines, better left free."""
    anchors = np.array([sheet.at(*point) for point in points]).reshape(-1, 2)
    sizes = [(width(text) * LETTER + 3, float(LINE)) for text in texts]
    light = np.array([sheet.at(*point) for point in lines]).reshape(-1, 2)
    boxes, far = free_places(anchors, sizes, np.array([sheet.frame]), np.empty((0, 2)), light, LETTER)
    found = []
    for text, box, anchor, away in zip(texts, boxes, anchors.tolist(), far, strict=True):
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        near = (float(np.clip(anchor[0], box[0], box[2])), float(np.clip(anchor[1], box[1], box[3])))
        found.append(Name(round(x, 1), round(y + 4, 1), text, "middle", ((*anchor,), near) if away else ()))
    return tuple(found)


def names_beside(sheet: Sheet, ends: Sequence[Point], texts: Sequence[str]) -> tuple[Name, ...]:
    """Names at the right of the frame, at the height of their points but clear of each other."""
    _, top, right, bottom = sheet.frame
    places = [sheet.at(*end) for end in ends]
    heights = spread([y for _, y in places], LINE, top, bottom)
    return tuple(
        Name(right + 24, round(height + 4, 1), text, leader=((x + 6, y), (right + 6, height), (right + 20, height)))
        for (x, y), height, text in zip(places, heights, texts, strict=True)
    )


def room_for(texts: Iterable[str]) -> float:
    """Units at the right that `names_beside` takes."""
    return max((width(text) * LETTER for text in texts), default=0) + 30


def key(curves: Sequence[Curve]) -> tuple[Key, ...]:
    """An entry for each label."""
    found = {
        c.label: Key(c.label, c.hue or colour(c.method), c.sign or look(c.method)[1], c.open, c.dash)
        for c in reversed(curves)
    }
    return tuple(reversed(found.values()))
