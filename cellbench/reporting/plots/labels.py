"""Names beside points, without one covering another."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from .style import SMALL, settle, width

Point = tuple[float, float]

DISTANCES = (7, 11, 16, 22, 30, 40, 52, 66, 84)  # points of print, from the marker to the name
TRIED = np.array([(distance, math.tau * part / 16) for distance in DISTANCES for part in range(16)])
FAR = 13  # from here on a thin line leads from the name to its marker
MARKER = 4.0  # half a marker's side
OUTSIDE, ON_NAME, ON_MARKER, ON_LINE = 1e4, 50, 30, 4  # what a square point of print costs there


def place(
    axes: Axes, points: Sequence[Point], names: Sequence[str], others: Sequence[Point] = (), lines: Sequence[Point] = ()
) -> list[Bbox]:
    """Write each name near its point, and return where, in pixels of the figure.

    Call it last: it fixes the layout. others: markers without a name; lines: places on lines, which are better left
    free; all in data units.
    """
    figure = _figure(axes)
    settle(figure)
    scale = figure.dpi / 72
    inside = axes.get_window_extent()
    frame = np.array([[inside.x0, inside.y0, inside.x1, inside.y1]])
    anchors = axes.transData.transform(np.reshape(points, (-1, 2)))
    sizes = [_size(name, scale) for name in names]
    markers, light = (axes.transData.transform(np.reshape(spots, (-1, 2))) for spots in (others, lines))
    boxes, far = free_places(anchors, sizes, frame, markers, light, scale)
    for at, box in enumerate(boxes):
        _write(axes, points[at], names[at], box, anchors[at], scale, far[at])
    return [Bbox.from_extents(*box) for box in boxes]


def free_places(
    anchors: NDArray, sizes: Sequence[Point], frame: NDArray, others: NDArray, lines: NDArray, scale: float
) -> tuple[list[NDArray], list[bool]]:
    """Where names of these sizes stand best near their anchors: boxes (4,), and whether a line has to lead there.

    anchors, others, lines: (n, 2); frame: (1, 4), where names must stay. All in pixels, `scale` to a point of print.
    """
    markers = _squares(np.concatenate([anchors, others]), MARKER * scale)
    light = _squares(lines, scale)
    placed: dict[int, NDArray] = {}
    far: dict[int, bool] = {}
    for at in np.argsort(-_crowd(anchors), kind="stable").tolist():
        size = sizes[at]
        boxes = _around(anchors[at], size, scale)
        costs = (
            (size[0] * size[1] - _covered(boxes, frame)) * OUTSIDE
            + _covered(boxes, np.reshape(list(placed.values()), (-1, 4))) * ON_NAME
            + _covered(boxes, markers) * ON_MARKER
            + _covered(boxes, light) * ON_LINE
            + (TRIED[:, 0] * scale) ** 2 / 20
        )
        best = int(costs.argmin())
        placed[at], far[at] = boxes[best], bool(TRIED[best, 0] > FAR)
    return [placed[at] for at in range(len(sizes))], [far[at] for at in range(len(sizes))]


def beside(sides: Sequence[tuple[Axes, Sequence[Point], Sequence[str]]], lines: int = 1) -> list[list[Bbox]]:
    """Write names at the right of panels, at the height of their points but clear of each other; returns where, in
    pixels, panel by panel. Call it last: it fixes the layout.

    sides: a panel, points where its lines end, in data units, and their names. lines: of text in a name.
    """
    written = [
        [_write_beside(axes, y, name) for (_, y), name in zip(points, names, strict=True)]
        for axes, points, names in sides
    ]
    settle(_figure(sides[0][0]))
    for (axes, points, _), texts in zip(sides, written, strict=True):
        _align(axes, points, texts, 1.3 * lines * SMALL * axes.figure.dpi / 72)
    return [[text.get_window_extent() for text in texts] for texts in written]


def _write_beside(axes: Axes, y: float, name: str) -> Text:
    return axes.text(1.045, y, name, transform=axes.get_yaxis_transform(), ha="left", va="center", fontsize=SMALL)


def _align(axes: Axes, points: Sequence[Point], texts: Sequence[Text], apart: float) -> None:
    """Move the texts to heights `apart` pixels from each other, and lead to each from its point."""
    frame = axes.get_window_extent()
    ends = axes.transData.transform(np.reshape(points, (-1, 2)))
    heights = spread(ends[:, 1].tolist(), apart, frame.y0, frame.y1)
    levels = axes.transData.inverted().transform([(frame.x1, height) for height in heights])[:, 1]
    for text, (_, y), end, level in zip(
        texts, points, axes.transAxes.inverted().transform(ends)[:, 0], levels, strict=True
    ):
        text.set_y(level)
        leader: dict[str, Any] = {"color": "#888888", "linewidth": 0.6, "clip_on": False, "zorder": 1}
        axes.plot([end, 1.01, 1.04], [y, level, level], transform=axes.get_yaxis_transform(), **leader)


def _figure(axes: Axes) -> Figure:
    assert isinstance(axes.figure, Figure)
    return axes.figure


def spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Heights near those wanted, in their order, at least `apart` from each other and within the frame if they can."""
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    heights = [wanted[at] for at in order]
    for _ in range(200):
        moved = False
        for at in range(len(heights) - 1):
            lack = apart - (heights[at + 1] - heights[at])
            if lack > 0.01:
                heights[at] -= lack / 2
                heights[at + 1] += lack / 2
                moved = True
        if not moved:
            break
    span = heights[-1] - heights[0] if heights else 0
    if heights and span <= high - low:
        shift = max(0, low - heights[0]) - max(0, heights[-1] - high)
        heights = [height + shift for height in heights]
    placed = dict(zip(order, heights, strict=True))
    return [placed[at] for at in range(len(wanted))]


def _size(name: str, scale: float) -> Point:
    lines = name.split("\n")
    return (max(map(width, lines)) + 2) * scale, SMALL * 1.25 * scale * len(lines)


def _around(anchor: NDArray, size: Point, scale: float) -> NDArray:
    """Boxes at each of TRIED, (tried, 4): the nearest edge or corner is as far away as that says."""
    distance, angle = TRIED[:, 0] * scale, TRIED[:, 1]
    away = np.stack([np.cos(angle), np.sin(angle)], 1)
    low = anchor + distance[:, None] * away - np.array(size) * (1 - away) / 2
    return np.concatenate([low, low + size], 1)


def _squares(centres: NDArray, half: float) -> NDArray:
    return np.concatenate([centres - half, centres + half], 1)


def _covered(boxes: NDArray, others: NDArray) -> NDArray:
    """By box, (n, 4), the areas that it has in common with others, (m, 4), summed: (n,)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return (high - low).clip(0).prod(2).sum(1)


def _crowd(anchors: NDArray) -> NDArray:
    """How close the others are to each: names in the thick of it choose first."""
    return (1 / (1 + np.linalg.norm(anchors[:, None] - anchors[None], axis=2))).sum(1)


def _write(axes: Axes, point: Point, name: str, box: NDArray, anchor: NDArray, scale: float, far: bool) -> None:
    offset = (((box[:2] + box[2:]) / 2 - anchor) / scale).tolist()
    leader = {"arrowstyle": "-", "color": "#888888", "linewidth": 0.6, "shrinkA": 0, "shrinkB": MARKER}
    axes.annotate(
        name,
        point,
        xytext=offset,
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=SMALL,
        arrowprops=leader if far else None,
        path_effects=[withStroke(linewidth=1.5, foreground="white")],
        zorder=5,
    )
