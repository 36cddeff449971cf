"""Where to put names beside points and lines, so that they do not overlap."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]

DISTANCES = (7, 11, 16, 22, 30, 40, 52, 66, 84)  # in points, from the marker to the name
TRIED = np.array([(distance, math.tau * part / 16) for distance in DISTANCES for part in range(16)])
FAR = 13  # in points: if the name is farther away, a thin line leads from it to its marker
MARKER = 4.0  # half the side of a marker, in points
OUTSIDE, ON_NAME, ON_MARKER, ON_LINE = 1e4, 50, 30, 4  # cost of each square point of a name that lies there


def free_places(
    anchors: NDArray[np.float64],
    sizes: Sequence[Point],
    frame: NDArray[np.float64],
    others: NDArray[np.float64],
    lines: NDArray[np.float64],
) -> tuple[list[NDArray[np.float64]], list[bool]]:
    """Return the best box for each name near its anchor, and whether the name needs a line to its anchor.

    A box is (left, top, right, bottom), (4,). sizes: width and height of each name; anchors, others, lines: (n, 2),
    the markers with a name, those without, and places on lines; frame: (1, 4), the box that names should stay in. All
    in points.
    """
    markers = _squares(np.concatenate([anchors, others]), MARKER)
    light = _squares(lines, MARKER)
    placed: dict[int, NDArray[np.float64]] = {}
    far: dict[int, bool] = {}
    for at in np.argsort(-_crowd(anchors), kind="stable").tolist():
        size = sizes[at]
        boxes = _around(anchors[at], size)
        costs = (
            (size[0] * size[1] - _covered(boxes, frame)) * OUTSIDE
            + _covered(boxes, np.reshape(list(placed.values()), (-1, 4))) * ON_NAME
            + _covered(boxes, markers) * ON_MARKER
            + _covered(boxes, light) * ON_LINE
            + TRIED[:, 0] ** 2 / 20
        )
        best = int(costs.argmin())
        placed[at], far[at] = boxes[best], bool(TRIED[best, 0] > FAR)
    return [placed[at] for at in range(len(sizes))], [far[at] for at in range(len(sizes))]


def spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Return heights near those wanted, in the same order, `apart` or more, between `low` and `high` if all fit."""
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


def _around(anchor: NDArray[np.float64], size: Point) -> NDArray[np.float64]:
    """Return a box of this size around the anchor for each distance and angle in TRIED, (tried, 4)."""
    distance, angle = TRIED[:, 0], TRIED[:, 1]
    away = np.stack([np.cos(angle), np.sin(angle)], 1)
    low = anchor + distance[:, None] * away - np.array(size) * (1 - away) / 2
    return np.concatenate([low, low + size], 1)


def _squares(centres: NDArray[np.float64], half: float) -> NDArray[np.float64]:
    return np.concatenate([centres - half, centres + half], 1)


def _covered(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each box, (n, 4), the sum of the areas where it overlaps the others, (m, 4): (n,)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    areas: NDArray[np.float64] = (high - low).clip(0).prod(2).sum(1)
    return areas


def _crowd(anchors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how close all anchors are to each anchor, (n,); names in the most crowded places are placed first."""
    crowd: NDArray[np.float64] = (1 / (1 + np.linalg.norm(anchors[:, None] - anchors[None], axis=2))).sum(1)
    return crowd
