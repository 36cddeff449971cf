"""Cutting cells out by their masks: to the mask's box, on black, all to one scale."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.errors import DataError
from ..files.decoding import decode
from ..files.pixels import Picture


def largest_box(masks: Iterable[Path]) -> int:
    """Return the longest side of all boxes around the cells, in pixels; 1 if no mask can be read."""
    sides = [1]
    for mask in masks:
        try:
            rows, columns = _box(_cell(mask))
        except DataError:
            continue  # decoding the image will name it
        sides += [rows.stop - rows.start, columns.stop - columns.start]
    return max(sides)


def cut_out(picture: Picture, mask: Path, side: int) -> Picture:
    """Return the cell alone in the middle of a black square, side × side pixels; the scale stays.

    Raises DataError when the mask is empty or has another height or width than the image.
    """
    cell = _cell(mask)
    if cell.shape != picture.pixels.shape[1:]:
        raise DataError(f"its mask {mask.name} is {cell.shape} pixels, the image {picture.pixels.shape[1:]}")
    rows, columns = _box(cell)
    part = np.where(cell, picture.pixels, 0)[:, rows, columns].astype(picture.pixels.dtype)
    _, height, width = part.shape
    top, left = (side - height) // 2, (side - width) // 2
    whole = np.zeros((len(part), side, side), part.dtype)
    whole[:, top : top + height, left : left + width] = part
    return replace(picture, pixels=whole)


def _cell(path: Path) -> NDArray[np.bool_]:
    """Return where the cell is, as its mask says, (height, width).

    Background is 0, or the commonest value of the border where nothing is 0 (masks in colours). Of several labels that
    of the middle counts, or the largest when the middle is background. Two values, or grey up to 255, are one cell.
    """
    try:
        pixels = decode(path).pixels
    except DataError as error:
        raise DataError(f"its mask {path.name}: {error}") from error
    codes: NDArray[np.int64] = np.zeros(pixels.shape[1:], np.int64)
    for plane in pixels:
        codes = codes * 65536 + plane.astype(np.int64)
    if not (codes == 0).any():
        border = np.concatenate([codes[0], codes[-1], codes[:, 0], codes[:, -1]])
        values, counts = np.unique(border, return_counts=True)
        uniform = bool((codes == codes[0, 0]).all())  # the cell fills the whole crop
        return np.ones(codes.shape, bool) if uniform else codes != values[counts.argmax()]
    found = np.unique(codes[codes > 0])
    if not len(found):
        raise DataError(f"its mask {path.name} is empty")
    if len(pixels) > 1 or len(found) == 1:
        return codes > 0
    if pixels.dtype == np.uint8 and found.max() == 255:  # grey at the edges, as JPEG and resizing leave them
        return codes > 127
    height, width = pixels.shape[1:]
    middle = codes[height // 2, width // 2]
    label = middle or found[np.argmax([(codes == value).sum() for value in found])]
    return codes == label


def _box(cell: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and columns that a cell, which has pixels, spans."""
    rows, columns = np.flatnonzero(cell.any(1)), np.flatnonzero(cell.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
