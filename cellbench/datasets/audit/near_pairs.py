"""Near duplicates across train, val and test. The search takes long, so what it found is kept in the cache."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset
from ...core.mixed_values import Document
from . import kept
from .moved_copies import MOST_QUERIES, Pair, moved_copies
from .orientation import reoriented
from .pixels import THUMB, Scan, shrunk
from .result import SEED, Index, part_codes

REVISION = 1  # raise it when other pairs may be found: those kept are then looked for anew
DETAIL = 32  # side at which a near duplicate is confirmed
ALIKE, SURE = 0.97, 0.95  # near duplicates correlate at least so much as thumbnails, and then at DETAIL px
MOST_PAIRS = 2_000_000_000  # of thumbnails, each pair in all orientations; when there are more, a sample is compared


@dataclass(frozen=True)
class NearPairs:
    """Images that closely resemble one of another part.

    pairs: of 'val' (with train) and 'test' (with both), each as (image, the one it is like, orientation). moved: how
    many of all pairs were only found as moved copies. compared: the number of images by part that were looked at.
    flat: how many images have nothing in them to compare.
    """

    pairs: Mapping[str, Sequence[Pair]]
    moved: int
    compared: Mapping[str, int]
    flat: int


def near_pairs(data: Dataset, scan: Scan) -> NearPairs:
    """Return pairs of nearly the same image, of which one is in another part (train, val or test) than the other.

    The two may differ in noise and brightness, and one may be mirrored or turned by quarter turns. Images without such
    a partner are looked at again, for copies that are shifted, cropped or turned by a few degrees. That takes up to a
    minute, so what was found is kept in the cache folder, by the hashes of all images and the split.
    """
    limits = (REVISION, MOST_PAIRS, MOST_QUERIES, THUMB, DETAIL, ALIKE, SURE, SEED)
    of_images = (data.images.shape, str(data.images.dtype))
    file = kept.place("near-pairs", (limits, of_images), scan.digests, *(data.split[part] for part in PARTS))
    if (known := _as_pairs(kept.read(file), len(data))) is not None:
        return known
    found = _found(data, scan)
    kept.write(file, asdict(found))
    return found


def _as_pairs(known: Document | None, n: int) -> NearPairs | None:
    """Return what is kept of n images; None if nothing is, or it is not as it was written."""
    try:
        if known is None:
            return None
        pairs = {part: [(int(i), int(j), int(way)) for i, j, way in known["pairs"][part]] for part in ("val", "test")}
        compared = {part: int(known["compared"][part]) for part in ("val", "test")}
        found = NearPairs(pairs, int(known["moved"]), compared, int(known["flat"]))
    except (ValueError, TypeError, LookupError):
        return None
    fits = all(0 <= i < n and 0 <= j < n and 0 <= way < 8 for part in pairs.values() for i, j, way in part)
    return found if fits else None


def _found(data: Dataset, scan: Scan) -> NearPairs:
    ways = (0, 1, 2, 3, 4, 5, 6, 7) if data.images.shape[2] == data.images.shape[3] else (0, 2, 4, 6)
    unit, flat = _standardised(scan.thumbs, ways)
    first = first_of_part(scan.digests, part_codes(data))
    pairs: dict[str, list[Pair]] = {}
    compared, moved = {}, 0
    for code, part in ((1, "val"), (2, "test")):
        others = np.concatenate([data.split[earlier] for earlier in PARTS[:code]])
        images = _sample(data.split[part], int(len(data.split[part]) * min(1, MOST_PAIRS / _number_of_pairs(data))))
        queries = np.array(
            [i for i in images if not flat[i] and not any((scan.digests[i], k) in first for k in range(code))], np.int64
        )
        others = others[~flat[others]]
        hits = [pair for pair in _alike(unit, queries, others, ways) if _confirmed(data.images, *pair)]
        left = _sample(np.setdiff1d(queries, [i for i, *_ in hits]), MOST_QUERIES)
        found = moved_copies(data.images, unit, left, others, ways)
        pairs[part], compared[part], moved = [*hits, *found], len(images), moved + len(found)
    return NearPairs(pairs, moved, compared, int(flat.sum()))


def _number_of_pairs(data: Dataset) -> int:
    """Return the number of pairs of images to compare."""
    train, val, test = (len(data.split[part]) for part in PARTS)
    return val * train + test * (train + val)


def _sample(index: Index, most: int) -> Index:
    """Return at most `most` of the positions, the same ones each time, and at least one."""
    most = max(1, most)
    return index if len(index) <= most else np.sort(np.random.default_rng(SEED).choice(index, most, replace=False))


def first_of_part(digests: NDArray[np.uint64], codes: NDArray[np.int8]) -> dict[tuple[np.uint64, int], int]:
    """Return which image is the first of its part with these pixels, by the digest of the pixels and the part's code.

    Images that occur only once, in whatever part, are left out.
    """
    _, inverse, counts = np.unique(digests, return_inverse=True, return_counts=True)
    first: dict[tuple[np.uint64, int], int] = {}
    for i in np.flatnonzero(counts[inverse] > 1):
        first.setdefault((digests[i], int(codes[i])), int(i))
    return first


def _standardised(thumbs: NDArray[np.float32], ways: Iterable[int]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the standardised thumbnails, and whether each one is flat, that is, hardly varies.

    Each thumbnail is scaled to mean 0 and norm 1; the mean over all images and orientations is subtracted, and each
    is scaled to norm 1 again. What all images share (a bright cell on a dark ground) makes any two of them alike, and
    says nothing of duplicates.
    """
    centred = thumbs - thumbs.mean((1, 2), keepdims=True)
    norm = np.sqrt((centred**2).sum((1, 2), keepdims=True))
    flat = norm[:, 0, 0] <= 1e-4 * (1 + np.abs(thumbs).max((1, 2)))
    unit = centred / np.where(flat[:, None, None], 1, norm)
    shared = unit.mean(0)
    shared = np.mean([reoriented(shared, way) for way in ways], 0)
    unit -= shared
    unit /= np.maximum(np.sqrt((unit**2).sum((1, 2), keepdims=True)), 1e-6)
    return unit, flat


def _alike(
    unit: NDArray[np.float32], queries: Index, others: Index, ways: Sequence[int]
) -> Iterator[tuple[int, int, int]]:
    """Yield each query with the image that is most like it and the orientation, where their correlation reaches ALIKE.

    Compared block by block, to need no more than 64 MB.
    """
    if not len(others):
        return
    table = unit[others].reshape(len(others), -1)
    for start in range(0, len(queries), 256):
        block = queries[start : start + 256]
        views = np.concatenate([reoriented(unit[block], way).reshape(len(block), -1) for way in ways])
        value, place = np.full(len(views), -2.0, np.float32), np.zeros(len(views), np.int64)
        for left in range(0, len(others), 8192):
            likeness = views @ table[left : left + 8192].T
            top = likeness.argmax(1)
            reached = likeness[np.arange(len(views)), top]
            better = reached > value
            value[better], place[better] = reached[better], left + top[better]
        by_way = value.reshape(len(ways), -1)
        for k in np.flatnonzero(by_way.max(0) >= ALIKE):
            way = int(by_way[:, k].argmax())
            yield int(block[k]), int(others[place[way * len(block) + k]]), ways[way]


def _confirmed(pixels: NDArray, i: int, j: int, way: int) -> bool:
    """Whether the correlation of two images, over all channels, reaches SURE when shrunk to at most DETAIL pixels.

    The mean of each channel is subtracted first. way: the orientation of image `i`, see `reoriented`.
    """
    pair = [pixels[i], pixels[j]]
    if min(pixels.shape[2:]) > DETAIL:
        pair = [shrunk(image, DETAIL) for image in pair]
    a, b = (image.astype(np.float64) for image in (reoriented(pair[0], way), pair[1]))
    a, b = ((image - image.mean((1, 2), keepdims=True)).ravel() for image in (a, b))
    return bool(a @ b >= SURE * np.sqrt((a @ a) * (b @ b)) > 0)
