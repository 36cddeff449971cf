"""Cutting cells out by their masks: to the mask's box, on black, all to one scale."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.errors import DataError
from ..files import parallel
from ..files.images.decoding import decode
from ..files.images.pixels import Picture

CELL_TOO_LARGE = "cell cut at the edges, as it is larger than the square that cells are put into"


@dataclass(frozen=True)
class CellMask:
    """Where the cell is in an image, as a mask says: kept packed, so that those of all images fit in memory.

    name: of the mask's file. shape: the mask's height and width. top, left: of the box around the cell. box: the box's
    height and width. bits: the box's pixels, eight in a byte. problem: why the mask cannot be used, '' if it can.
    """

    name: str
    shape: tuple[int, int] = (0, 0)
    top: int = 0
    left: int = 0
    box: tuple[int, int] = (1, 1)
    bits: bytes = b""
    problem: str = ""

    def pixels(self) -> NDArray[np.bool_]:
        """Return where the cell is inside its box, (height, width)."""
        height, width = self.box
        flat = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=height * width)
        return flat.reshape(height, width).astype(bool)


def read_masks(masks: Mapping[str, Path]) -> dict[str, CellMask]:
    """Read the mask of each image, in threads. A mask that cannot be used has its problem written on it."""
    return dict(zip(masks, parallel.in_order(read_mask, masks.values()), strict=True))


def read_mask(path: Path) -> CellMask:
    """Read a mask; where it cannot be used, the result says why."""
    try:
        cell = _cell(path)
    except DataError as error:
        return CellMask(path.name, problem=str(error))
    rows, columns = np.flatnonzero(cell.any(1)), np.flatnonzero(cell.any(0))
    top, left = int(rows[0]), int(columns[0])
    part = cell[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    height, width = cell.shape
    return CellMask(path.name, (height, width), top, left, part.shape, np.packbits(part).tobytes())


def largest_box(masks: Iterable[CellMask]) -> int:
    """Return the longest side of all boxes around the cells, in pixels; 1 if no mask can be used."""
    return max((side for mask in masks for side in mask.box), default=1)


def cut_out(picture: Picture, mask: CellMask, side: int) -> Picture:
    """Return the cell alone in the middle of a black square, side × side pixels; the scale stays.

    A pixel of the cell that is 0 in all channels gets the least value above, so that what is black is outside.
    Of a larger cell the middle is kept, and the picture's remark says so. Raises DataError when the mask cannot be
    used, or has another height or width than the image.
    """
    if mask.problem:
        raise DataError(mask.problem)
    if mask.shape != picture.pixels.shape[1:]:
        raise DataError(f"its mask {mask.name} is {mask.shape} pixels, the image {picture.pixels.shape[1:]}")
    height, width = mask.box
    part = picture.pixels[:, mask.top : mask.top + height, mask.left : mask.left + width]
    part = on_black(part, mask.pixels())
    part = part[:, _middle(height, side), _middle(width, side)]
    whole = np.zeros((len(part), side, side), part.dtype)
    whole[:, _middle(side, part.shape[1]), _middle(side, part.shape[2])] = part
    if max(height, width) <= side:
        return replace(picture, pixels=whole)
    remarks = [remark for remark in (picture.remark, CELL_TOO_LARGE) if remark]
    return replace(picture, pixels=whole, remark=", ".join(remarks))


def on_black(pixels: NDArray, cell: NDArray[np.bool_]) -> NDArray:
    """Return pixels (…, channels, height, width) of which exactly those outside the cell are 0 in all channels.

    cell: where the cell is, (height, width) or (…, 1, height, width).
    """
    least = 1 if pixels.dtype.kind == "u" else np.finfo(pixels.dtype).tiny
    inside = np.where((pixels == 0).all(-3, keepdims=True), least, pixels)
    return np.where(cell, inside, 0).astype(pixels.dtype)


def _middle(length: int, wanted: int) -> slice:
    """The middle `wanted` places of `length`; all of them if there are fewer."""
    start = max(0, (length - wanted) // 2)
    return slice(start, start + min(length, wanted))


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
