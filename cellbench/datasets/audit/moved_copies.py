"""Copies of an image that are shifted, cropped or turned by a few degrees, so that thumbnails alone don't show them.

Each image is compared, as a thumbnail and moved a little in nine ways, with all images of other parts; the few most
alike are laid over it (see registration), and count when their fine detail is the same where they overlap.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .orientation import reoriented
from .pixels import shrunk
from .registration import likeness, moved_by
from .result import Index

NEAREST = 5  # images that are laid over each image
LOOSE = 0.6  # correlation of thumbnails that is followed up
STAGES = ((16, 6, 0.9), (32, 10, 0.95))  # laid over each other at so many pixels, in so many steps; kept from this on
FINE = 48  # side in pixels at which detail is compared
DETAIL_SIZE = 3.0  # pixels of FINE: what is larger, such as a bright cell on a dark ground, all cells share
SURE = 0.92  # correlation of the detail that counts: of cells that are merely alike hardly one reaches it
SHIFT = 0.045  # of the side, between thumbnails that stand for shifts: about 3 of 64 pixels
MOST_QUERIES = 6000  # when there are more, a fixed sample is looked at

Pair = tuple[int, int, int]  # an image, the one that it is like, and its orientation


def moved_copies(
    images: NDArray, thumbs: NDArray[np.float32], queries: Index, others: Index, ways: Sequence[int]
) -> list[Pair]:
    """Return the images at `queries` of which a moved copy lies at `others`, with that copy and its orientation.

    images: (n, channels, height, width). thumbs: (n, side, side), standardised. ways: orientations that are tried.
    """
    if not len(others):
        return []
    pairs = _candidates(thumbs, queries, others, ways)
    for side, steps, least in STAGES:
        alike, moves = _laid_over(images, pairs, side, steps)
        pairs, moves = [pair for pair, value in zip(pairs, alike, strict=True) if value >= least], moves[alike >= least]
    found: dict[int, tuple[float, Pair]] = {}
    for pair, move in zip(pairs, moves, strict=True):
        value = _same_detail(images, pair, move)
        if value >= SURE and value > found.get(pair[0], (0.0, pair))[0]:
            found[pair[0]] = value, pair
    return [pair for _, pair in found.values()]


def _candidates(thumbs: NDArray[np.float32], queries: Index, others: Index, ways: Sequence[int]) -> list[Pair]:
    """Return each query with the NEAREST images whose thumbnails are most alike.

    Upright thumbnails are compared at nine shifts; turned and mirrored ones as they are.
    """
    table = thumbs[others].reshape(len(others), -1)
    step = SHIFT * thumbs.shape[1]
    shifts = [(0, down, across) for down in (-step, 0, step) for across in (-step, 0, step)]
    pairs: list[Pair] = []
    for start in range(0, len(queries), 256):
        block = queries[start : start + 256]
        upright = [_standardised(ndimage.shift(thumbs[block], shift, order=1, mode="nearest")) for shift in shifts]
        views = [(0, view) for view in upright] + [(way, reoriented(thumbs[block], way)) for way in ways if way]
        flat = [(way, view.reshape(len(block), -1)) for way, view in views]
        best = np.full((len(block), len(others)), -2, np.float32)
        for _, view in flat:
            np.maximum(best, view @ table.T, out=best)
        nearest = np.argpartition(-best, min(NEAREST, len(others) - 1), 1)[:, :NEAREST]
        by_view = np.stack([np.einsum("qt,qkt->qk", view, table[nearest]) for _, view in flat])
        way_of = np.array([way for way, _ in flat])[by_view.argmax(0)]
        rows, columns = np.nonzero(by_view.max(0) >= LOOSE)
        pairs += [
            (int(block[r]), int(others[nearest[r, k]]), int(way_of[r, k])) for r, k in zip(rows, columns, strict=True)
        ]
    return pairs


def _standardised(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    planes = planes - planes.mean((1, 2), keepdims=True)
    scaled: NDArray[np.float32] = planes / np.sqrt((planes**2).sum((1, 2), keepdims=True)).clip(1e-6)
    return scaled


def _laid_over(images: NDArray, pairs: Sequence[Pair], side: int, steps: int) -> tuple[NDArray, NDArray]:
    """Lay the images of each pair over each other; return how alike they are and how the first moved (`likeness`)."""
    alike, moves = [np.empty(0, np.float32)], [np.empty((0, 4))]
    for start in range(0, len(pairs), 256):
        some = pairs[start : start + 256]
        first = np.stack([reoriented(_grey(images[i], side), way) for i, _, way in some])
        second = np.stack([_grey(images[j], side) for _, j, _ in some])
        values, found = likeness(first, second, steps)
        alike.append(values)
        moves.append(found)
    return np.concatenate(alike), np.concatenate(moves)


def _grey(image: NDArray, side: int) -> NDArray[np.float32]:
    """Return an image averaged over channels, each scaled to deviation 1, at `side` × `side` pixels."""
    planes = shrunk(image, side)
    deviation = planes.std((1, 2), keepdims=True)
    mean: NDArray[np.float32] = (planes / np.where(deviation > 0, deviation, 1)).mean(0)
    return mean


def _same_detail(images: NDArray, pair: Pair, move: NDArray[np.float64]) -> float:
    """Return the correlation of two images' detail, over all channels, where they overlap."""
    i, j, way = pair
    first, second = reoriented(shrunk(images[i], FINE), way), shrunk(images[j], FINE)
    values, inside = moved_by(np.ascontiguousarray(first), move)
    frame = np.zeros((FINE, FINE), bool)
    frame[2:-2, 2:-2] = True
    kept = inside & frame.ravel()
    a, b = (_detail(planes.reshape(second.shape))[:, kept] for planes in (values, second))
    a, b = (part - part.mean(1, keepdims=True) for part in (a, b))
    norm = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / norm) if norm > 0 else 0.0


def _detail(planes: NDArray) -> NDArray:
    smooth = ndimage.gaussian_filter(planes, (0, DETAIL_SIZE, DETAIL_SIZE))
    detail: NDArray = (planes - smooth).reshape(len(planes), -1)
    return detail
