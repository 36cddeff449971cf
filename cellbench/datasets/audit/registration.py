"""Laying one image over another: the shift, turn and change of size at which they are most alike.

Gauss-Newton on the squared difference of standardised pixels (Lucas and Kanade 1981, Baker and Matthews 2004), for many
pairs at once. It starts from where the pair lies and finds what is near: shifts of some pixels, small turns, crops.
"""

import numpy as np
from numpy.typing import NDArray

STEPS = 15
MOST_SHIFT, MOST_TURN, MOST_ZOOM = 0.15, 0.25, 0.2  # of the side; in radians, 14 degrees; as a share of the size
LEAST_OVERLAP = 0.6  # of the pixels: two images hardly lie on each other where less is left to compare


def likeness(
    moved: NDArray[np.float32], fixed: NDArray[np.float32], steps: int = STEPS
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return how alike two images are where they overlap best, and how the first was moved, for each pair.

    moved, fixed: (pairs, side, side). Returns correlations, (pairs,), -1 where they overlap too little or are moved too
    far; and (pairs, 4): shift across and down as shares of the side, zoom, turn in radians.
    """
    pairs, height, width = fixed.shape
    across, down = _places(height, width)
    fixed_flat = fixed.reshape(pairs, -1)
    stack = np.stack(
        [moved, np.gradient(moved, axis=2), np.gradient(moved, axis=1)], 1
    )  # (pairs, 3, side, side): the image and its gradients
    move, limits = np.zeros((pairs, 4)), _limits(height, width)
    for _ in range(steps):
        (values, along_x, along_y), inside = _warped(stack, move, across, down)
        target, current = _standard(fixed_flat, inside), _standard(values, inside)
        slope = np.sqrt(_sum_inside((values - _mean(values, inside)) ** 2, inside)).clip(1e-9)[:, None, None]
        parts = (along_x, along_y, along_x * across + along_y * down, along_y * across - along_x * down)
        jacobian = np.stack([_centred(part, inside) for part in parts], 2) / slope
        normal = (jacobian.swapaxes(1, 2) @ jacobian).astype(np.float64)
        damping = 1e-3 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(4) + 1e-9 * np.eye(4)
        ahead = (jacobian.swapaxes(1, 2) @ (target - current)[:, :, None]).astype(np.float64)
        move = np.clip(move + np.linalg.solve(normal + damping, ahead)[..., 0], -limits, limits)
    (values, *_), inside = _warped(stack, move, across, down)
    found = (_standard(fixed_flat, inside) * _standard(values, inside)).sum(1)
    bad = (inside.mean(1) < LEAST_OVERLAP) | (np.abs(move) >= limits - 1e-9).any(1)
    return np.where(bad, -1, found).astype(np.float32), move / [width, height, 1, 1]


def moved_by(planes: NDArray, move: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return an image's channels, moved as `likeness` found, (channels, pixels), and which pixels lie inside."""
    _, height, width = planes.shape
    values, inside = _warped(planes[None], move[None] * [width, height, 1, 1], *_places(height, width))
    return values[:, 0], inside[0]


def _places(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far each pixel lies to the right of the middle of an image, and how far below it, (pixels,) each."""
    down, across = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    return across.ravel().astype(np.float32), down.ravel().astype(np.float32)


def _limits(height: int, width: int) -> NDArray[np.float64]:
    return np.array([MOST_SHIFT * width, MOST_SHIFT * height, MOST_ZOOM, MOST_TURN])


def _warped(
    stack: NDArray, move: NDArray[np.float64], across: NDArray[np.float32], down: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the planes of each pair at moved places, (planes, pairs, pixels), and which of these lie inside."""
    pairs, planes, height, width = stack.shape
    shift_x, shift_y, zoom, turn = (part[:, None] for part in move.T.astype(np.float32))
    u = (1 + zoom) * across - turn * down + shift_x + (width - 1) / 2
    v = (1 + zoom) * down + turn * across + shift_y + (height - 1) / 2
    inside = (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)
    left, top = np.floor(u).clip(0, width - 2).astype(int), np.floor(v).clip(0, height - 2).astype(int)
    a, b = (u - left).clip(0, 1), (v - top).clip(0, 1)
    flat = stack.reshape(pairs, planes, -1)

    def at(row: NDArray, column: NDArray) -> NDArray:
        index = (row * width + column)[:, None, :]
        return np.take_along_axis(flat, np.broadcast_to(index, (pairs, planes, index.shape[2])), 2).swapaxes(0, 1)

    upper = (1 - a) * at(top, left) + a * at(top, left + 1)
    lower = (1 - a) * at(top + 1, left) + a * at(top + 1, left + 1)
    return (1 - b) * upper + b * lower, inside


def _sum_inside(values: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.floating]:
    return np.where(inside, values, 0).sum(1)


def _mean(values: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    return (_sum_inside(values, inside) / inside.sum(1).clip(1))[:, None]


def _centred(values: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.where(inside, values - _mean(values, inside), 0)


def _standard(values: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return values with mean 0 and norm 1 over the pixels inside, and 0 outside."""
    centred = _centred(values, inside)
    return centred / np.sqrt((centred**2).sum(1, keepdims=True)).clip(1e-9)
