"""The look of all charts: one colour and shape for each method, and sizes for print."""

import math
import zlib
from collections.abc import Mapping

from ...core.mixed_values import Facts
from .text import FONT

# Okabe and Ito's palette for all kinds of colour vision, without its yellow, which is faint on paper.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
PALE = "#999999"
COLOURS = (BLUE, SKY, BLACK, PURPLE, GREEN, VERMILLION, ORANGE)
# Colours of what is not a method. A page replaces these and BLACK by those of its light or dark theme: see report.js.
WHITE, GREY, GRID = "#FFFFFF", "#5E5E5E", "#E2E2E2"

WIDTH = 518.0  # points, 7.2 inches: the text width of an A4 or letter page, so that no letter is below 8 points
NARROW = 260.0  # points: the width on a telephone
SMALL, NORMAL, LARGE = 8, 9, 10.5
SIZE = 42  # area of a marker, square points
LINE = 11  # points from one line of text to the next


def _polygon(corners: int, turn: float = 0.0, inner: float = 1.0) -> str:
    """Return the path of a regular polygon, or of a star if `inner`, its inner radius, is not 1. turn: in radians."""
    n = corners * (1 if inner == 1 else 2)
    points = []
    for at in range(n):
        angle, far = turn + math.tau * at / n, (inner if at % 2 and inner != 1 else 1.0)
        points.append(f"{far * math.sin(angle):.3f},{-far * math.cos(angle):.3f}")
    return "M" + "L".join(points) + "Z"


# Shapes of Vega by name, and others as paths with coordinates of about -1 to 1.
SHAPES = {
    "circle": "circle",
    "square": "square",
    "diamond": "diamond",
    "up": "triangle-up",
    "down": "triangle-down",
    "left": "triangle-left",
    "right": "triangle-right",
    "plus": "cross",
    "cross": "M-.5,-1L0,-.5L.5,-1L1,-.5L.5,0L1,.5L.5,1L0,.5L-.5,1L-1,.5L-.5,0L-1,-.5Z",
    "star": _polygon(5, inner=0.42),
    "pentagon": _polygon(5),
    "hexagon": _polygon(6),
    "octagon": _polygon(8, math.pi / 8),
    "thin": "M0,-1.15L.62,0L0,1.15L-.62,0Z",
}

Mark = tuple[str, str]

# Related methods share a colour and differ in shape; a plain net has the shape of its residual twin. Methods often
# seen together differ in both, so that a print without colour can be read.
_DEPTHS = {
    "18": "diamond", "34": "pentagon", "50": "hexagon", "101": "thin", "20": "down", "32": "left", "44": "right",
    "56": "plus", "110": "cross",
}  # fmt: skip
KNOWN: Mapping[str, Mark] = {
    "svm-hog": (BLUE, "circle"),
    "svm-deep": (BLUE, "thin"),
    "svm-flat": (SKY, "square"),
    "svm-yeast": (SKY, "hexagon"),
    "svm-combined": (BLUE, "up"),
    "probe-svm": (GREEN, "square"),
    "probe-linear": (GREEN, "thin"),
    "probe-knn": (GREEN, "pentagon"),
    "floor-intensity": (PALE, "diamond"),
    "mlp": (PALE, "cross"),
    "fastnet": (BLACK, "star"),
    "cnn": (BLACK, "plus"),
    "cnn2-yeast": (BLACK, "up"),
    "cnn3-yeast": (BLACK, "down"),
    "alexnet": (PURPLE, "star"),
    "alexnet-hep2": (PURPLE, "diamond"),
    "bninception": (PURPLE, "circle"),
    "model2-hpa28": (PURPLE, "up"),
    "inception_resnet_v2": (PURPLE, "square"),
    "inception_resnet_v2-hpa10": (PURPLE, "cross"),
    "vgg11": (GREEN, "up"),
    "vgg13": (GREEN, "left"),
    "vgg16": (GREEN, "down"),
    "vgg19": (GREEN, "right"),
    "vgg-yeast": (GREEN, "diamond"),
    **{f"resnet{depth}": (VERMILLION, shape) for depth, shape in _DEPTHS.items()},
    **{f"plain{depth}": (ORANGE, shape) for depth, shape in _DEPTHS.items()},
}
_FREE = [(hue, shape) for shape in SHAPES for hue in COLOURS if (hue, shape) not in KNOWN.values()]

CONFIG: Facts = {
    "font": FONT,
    "background": WHITE,
    "padding": 6,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": SMALL,
        "labelColor": GREY,
        "labelLimit": 400,
        "labelOverlap": "greedy",
        "labelSeparation": 3,
        "titleFontSize": SMALL,
        "titleFontWeight": "normal",
        "titleColor": GREY,
        "titlePadding": 6,
        "gridColor": GRID,
        "gridWidth": 0.6,
        "domainColor": GREY,
        "domainWidth": 0.8,
        "tickColor": GREY,
        "tickSize": 3,
        "tickWidth": 0.8,
    },
    "title": {
        "anchor": "start",
        "frame": "group",
        "fontSize": NORMAL,
        "fontWeight": "bold",
        "color": BLACK,
        "subtitleFontSize": SMALL,
        "subtitleColor": GREY,
    },
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "labelFontSize": SMALL,
        "labelColor": BLACK,
        "labelLimit": 400,
        "symbolSize": SIZE,
        "title": None,
        "columnPadding": 14,
        "offset": 6,
    },
    "text": {"fontSize": SMALL, "color": BLACK},
    "concat": {"spacing": 16},
}


def mark_of(method: str) -> Mark:
    """Return colour and shape of a method, the same in every chart; outside KNOWN they depend on the name alone."""
    return KNOWN.get(method) or _FREE[zlib.crc32(method.encode()) % len(_FREE)]


def colour(method: str) -> str:
    """Return the colour of a method, as '#RRGGBB'."""
    return mark_of(method)[0]


def shape(method: str) -> str:
    """Return the shape of a method for Vega: the name of a shape, or a path."""
    return SHAPES[mark_of(method)[1]]


def mark(method: str, device: str) -> dict[str, str]:
    """Return a marker's look: `colour`, `shape` and `fill`, which is white for runs on an accelerator."""
    hue = colour(method)
    return {"colour": hue, "shape": shape(method), "fill": hue if device == "cpu" else WHITE}
