"""The channels of a cell as colours: which colour each has, and how their light mixes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...core.data import Dataset

Colour = tuple[int, int, int]  # red, green and blue, each 0 or 1

LOW, HIGH = 1.0, 99.8  # percentiles between which an image's channel is stretched
WEAKEST = 1 / 6  # of the channel's usual range: an image that spans less stays dim, so that noise isn't blown up

RED, GREEN, BLUE, YELLOW = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)
MAGENTA, CYAN, WHITE = (1, 0, 1), (0, 1, 1), (1, 1, 1)
BY_POSITION = (RED, GREEN, BLUE, YELLOW, MAGENTA, CYAN)
BY_NAME = {
    **dict.fromkeys(("red", "microtubules"), RED),
    **dict.fromkeys(("green", "protein"), GREEN),
    **dict.fromkeys(("blue", "nucleus"), BLUE),
    **dict.fromkeys(("yellow", "er"), YELLOW),
}
# Four channels or more cover each other. Classes differ in the protein, green as a rule: all others are dimmed.
DIMMED = {RED: 0.6, BLUE: 0.8, YELLOW: 0.35, MAGENTA: 0.35, CYAN: 0.35, WHITE: 0.35}


def channel_colours(channels: Sequence[str]) -> list[Colour]:
    """The colour of each channel: white for a single one, by name when every name is known, else by position."""
    if len(channels) == 1:
        return [WHITE]
    known = [BY_NAME[name.lower()] for name in channels if name.lower() in BY_NAME]
    if len(set(known)) == len(channels):
        return known
    return [BY_POSITION[k] if k < len(BY_POSITION) else WHITE for k in range(len(channels))]


def to_rgb(pixels: NDArray, colours: Sequence[Colour], usual: NDArray | None = None) -> NDArray[np.uint8]:
    """(channels, height, width) of any number type → RGB (height, width, 3), each channel stretched and coloured.

    usual: the range (channels,) that channels commonly span; an image that spans far less stays dim, see WEAKEST.
    """
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    low, high = np.percentile(flat, (LOW, HIGH), axis=1)
    least = 1e-6 if usual is None else np.maximum(WEAKEST * usual, 1e-6)
    light = np.clip((flat - low[:, None]) / np.maximum(high - low, least)[:, None], 0, 1)
    light *= np.array(_brightness(colours), np.float32)[:, None]
    mixed = 1 - np.prod(
        1 - light[:, :, None] * np.array(colours, np.float32)[:, None], axis=0
    )  # light mixes as that of slides projected onto one screen
    return np.rint(255 * mixed).astype(np.uint8).reshape(*pixels.shape[1:], 3)


def usual_ranges(data: Dataset) -> NDArray:
    """Return the range that each channel commonly spans, (channels,): the median over up to 200 images."""
    sample = np.linspace(0, len(data) - 1, min(len(data), 200)).astype(int)
    flat = data.images[sample].reshape(len(sample), data.images.shape[1], -1).astype(np.float32)
    low, high = np.percentile(flat, (LOW, HIGH), axis=2)
    return np.median(high - low, axis=0)


def _brightness(colours: Sequence[Colour]) -> list[float]:
    """Return the brightness with which each channel is drawn, at most 1."""
    if len(colours) <= 3:
        return [1.0] * len(colours)
    return [DIMMED.get(colour, 1.0) for colour in colours]
