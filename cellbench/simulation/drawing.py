"""What both simulators draw with: random tensors, points of light on a canvas, and chunks of crops in threads.

It needs torch, so it is imported only when something is drawn.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

REAL = torch.float64
T = TypeVar("T", bound="DataclassInstance")


class Draws:
    """Random tensors for one chunk, all from one generator: their order is part of what defines the images."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=self._generator, dtype=REAL)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self._generator, dtype=REAL)

    def factor(self, sigma: float, *shape: int) -> Tensor:
        return torch.exp(sigma * self.normal(*shape))

    def angle(self, *shape: int) -> Tensor:
        return self.uniform(*shape, high=2 * math.pi)

    def chance(self, share: float, *shape: int) -> Tensor:
        return self.uniform(*shape) < share

    def poisson(self, mean: Tensor) -> Tensor:
        return torch.poisson(mean, generator=self._generator)


def within(canvas: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return the indices of the points with four pixels of a canvas (planes, side, side) around them.

    x, y: (n,) from the canvas's centre.
    """
    end = (canvas.shape[-1] - 1) / 2
    x, y = x + end, y + end
    return ((x > 0) & (y > 0) & (x < 2 * end - 0.01) & (y < 2 * end - 0.01)).nonzero()[:, 0]


def share_light(canvas: Tensor, plane: Tensor, x: Tensor, y: Tensor, light: Tensor) -> None:
    """Add each point's light to a canvas (planes, side, side), shared between the four pixels around the point.

    x, y: (n,) from the centre, `within` the canvas. plane: (n,) int64.
    """
    side, pixels = canvas.shape[-1], canvas.view(-1)
    x, y = x + (side - 1) / 2, y + (side - 1) / 2
    left, top = x.floor(), y.floor()
    right, below = x - left, y - top
    first = plane * side**2 + top.long() * side + left.long()
    pixels.index_add_(0, first, light * (1 - right) * (1 - below))
    pixels.index_add_(0, first + 1, light * right * (1 - below))
    pixels.index_add_(0, first + side, light * (1 - right) * below)
    pixels.index_add_(0, first + side + 1, light * right * below)


def draw_chunks(
    render_chunk: Callable[[Mapping[str, Tensor], Tensor, Draws], Tensor],
    columns: Mapping[str, NDArray],
    shown: NDArray[np.int64],
    seeds: NDArray,
    out: NDArray[np.uint8],
    chunk: int,
) -> None:
    """Fill `out` (n, channels, side, side) by `render_chunk(table, rows, draws)`, `chunk` crops at a time.

    columns: what crops look like, one row for each look. shown: (n,) the row of each crop. seeds: one for each chunk.
    Uses as many threads as torch is set to. A chunk is drawn by one thread, so the bytes don't depend on their number.
    """
    table = {name: torch.as_tensor(column, dtype=REAL) for name, column in columns.items()}
    rows = torch.as_tensor(shown)

    def draw(number: int) -> None:
        part = slice(number * chunk, (number + 1) * chunk)
        out[part] = render_chunk(table, rows[part], Draws(int(seeds[number]))).numpy()

    with _one_thread_a_chunk() as threads, ThreadPoolExecutor(threads) as pool:
        list(pool.map(draw, range(-(-len(rows) // chunk))))


@contextmanager
def _one_thread_a_chunk() -> Iterator[int]:
    """Make torch use one thread for each operation, and yield how many it may use in all."""
    allowed = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield allowed
    finally:
        torch.set_num_threads(allowed)


def rows_of(table: T, rows: Tensor) -> T:
    """Return a dataclass of the same kind with only these rows of its tensors, which have one row for each cell."""
    return type(table)(**{field.name: getattr(table, field.name)[rows] for field in fields(table)})


def half_axes(radius: Tensor, elongation: Tensor) -> tuple[Tensor, Tensor]:
    """Return the long and the short half-axis of ellipses that have the area of circles of `radius`.

    elongation: the ratio of the long to the short axis.
    """
    return radius * elongation.sqrt(), radius / elongation.sqrt()
