"""Where names stand beside points and lines without one covering another."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]

DISTANCES = (7, 11, 16, 22, 30, 40, 52, 66, 84)  # points, from the marker to the name
TRIED = np.array([(distance, math.tau * part / 16) for distance in DISTANCES for part in range(16)])
FAR = 13  # from here on a thin line leads from the name to its marker
MARKER = 4.0  # half a marker's side
OUTSIDE, ON_NAME, ON_MARKER, ON_LINE = 1e4, 50, 30, 4  # what a square point costs there


def free_places(
    anchors: NDArray, sizes: Sequence[Point], frame: NDArray, others: NDArray, lines: NDArray
) -> tuple[list[NDArray], list[bool]]:
    """Where names of these sizes stand best near their anchors: boxes (4,), and whether a line has to lead there.

    anchors, others, lines: (n, 2); frame: (1, 4), where names must stay. All in points.
    """
    markers = _squares(np.concatenate([anchors, others]), MARKER)
    light = _squares(lines, MARKER)
    placed: dict[int, NDArray] = {}
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


def _around(anchor: NDArray, size: Point) -> NDArray:
    """Boxes at each of TRIED, (tried, 4): the nearest edge or corner is as far away as that says."""
    distance, angle = TRIED[:, 0], TRIED[:, 1]
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
