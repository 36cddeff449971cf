"""The same cell twice: images whose pixels are the same, or nearly."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset
from ...core.text.words import counted
from .moved_copies import MOST_QUERIES, Pair, moved_copies
from .orientation import reoriented, way_name
from .pixels import Scan, shrunk
from .result import SEED, CheckResult, Index, part_codes

DETAIL = 32  # side at which a near duplicate is confirmed
ALIKE, SURE = 0.97, 0.95  # near duplicates correlate at least so much as thumbnails, and then at DETAIL px
MOST_PAIRS = 2_000_000_000  # of thumbnails, each pair in all orientations; when there are more, a sample is compared


def exact_duplicates(data: Dataset, digests: NDArray[np.uint64]) -> CheckResult:
    """Check whether images in different parts are the same, byte by byte."""
    codes = part_codes(data)
    home = _first_of_part(digests, codes)
    clones = {
        part: [(int(i), home[digests[i], k]) for i in data.split[part] for k in range(code) if (digests[i], k) in home]
        for code, part in enumerate(PARTS)
    }
    counts = {part: len({i for i, _ in clones[part]}) for part in ("val", "test")}
    if not any(counts.values()):
        return CheckResult("leakage", "exact-duplicates", "ok", "No image is in two parts.", counts)
    i, j = (clones["test"] or clones["val"])[0]
    text = (
        f"{counts['test']:,} of {len(data.split['test']):,} test images are in train or val as well, pixel by pixel, "
        f"and {counts['val']:,} of {len(data.split['val']):,} val images in train; "
        f"for example {data.name_of(i)} is {data.name_of(j)}."
    )
    return CheckResult("leakage", "exact-duplicates", "found", text, {**counts, "example": [i, j]})


def _first_of_part(digests: NDArray[np.uint64], codes: NDArray[np.int8]) -> dict[tuple[Any, int], int]:
    """Return the position of the first image by (digest, part code); digests that occur only once are left out."""
    _, inverse, counts = np.unique(digests, return_inverse=True, return_counts=True)
    first: dict[tuple[Any, int], int] = {}
    for i in np.flatnonzero(counts[inverse] > 1):
        first.setdefault((digests[i], int(codes[i])), int(i))
    return first


def conflicting_labels(data: Dataset, digests: NDArray[np.uint64]) -> CheckResult:
    """Check whether images with the same pixels have different labels, in whatever part."""
    _, inverse, counts = np.unique(digests, return_inverse=True, return_counts=True)
    several = np.flatnonzero(counts[inverse] > 1)
    several = several[np.argsort(inverse[several], kind="stable")]
    sets = np.split(several, np.flatnonzero(np.diff(inverse[several])) + 1) if len(several) else []
    clashes = [same for same in sets if (data.labels[same] != data.labels[same[0]]).any()]
    figures = {"images": int(sum(map(len, clashes))), "example": clashes[0].tolist() if clashes else None}
    if not clashes:
        return CheckResult(
            "labels", "conflicting-labels", "ok", "No two identical images have different labels.", figures
        )
    text = (
        f"{figures['images']:,} images have a twin, pixel by pixel, with another label; for example "
        f"{', '.join(f'{data.name_of(i)} is {_label(data, i)}' for i in clashes[0][:3])}."
    )
    return CheckResult("labels", "conflicting-labels", "found", text, figures)


def _label(data: Dataset, i: int) -> str:
    """The labels of an image in words: 'Golgi + Cytosol'."""
    labels = np.flatnonzero(data.labels[i]) if data.multilabel else [data.labels[i]]
    return " + ".join(data.classes[k] for k in labels) or "unlabelled"


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
    """Find images in different parts that are the same but for noise, brightness, mirroring or quarter turns.

    Images that are not found so are looked at again: whether a copy is shifted, cropped or turned by a few degrees.
    """
    ways = (0, 1, 2, 3, 4, 5, 6, 7) if data.images.shape[2] == data.images.shape[3] else (0, 2, 4, 6)
    unit, flat = _standardised(scan.thumbs, ways)
    first = _first_of_part(scan.digests, part_codes(data))
    pairs: dict[str, list[Pair]] = {}
    compared, moved = {}, 0
    for code, part in ((1, "val"), (2, "test")):
        others = np.concatenate([data.split[earlier] for earlier in PARTS[:code]])
        images = _sample(data.split[part], int(len(data.split[part]) * min(1, MOST_PAIRS / _work(data))))
        queries = np.array(
            [i for i in images if not flat[i] and not any((scan.digests[i], k) in first for k in range(code))], np.int64
        )
        others = others[~flat[others]]
        hits = [pair for pair in _alike(unit, queries, others, ways) if _confirmed(data.images, *pair)]
        left = _sample(np.setdiff1d(queries, [i for i, *_ in hits]), MOST_QUERIES)
        found = moved_copies(data.images, unit, left, others, ways)
        pairs[part], compared[part], moved = [*hits, *found], len(images), moved + len(found)
    return NearPairs(pairs, moved, compared, int(flat.sum()))


def _work(data: Dataset) -> int:
    """Return the number of pairs of images to compare."""
    train, val, test = (len(data.split[part]) for part in PARTS)
    return val * train + test * (train + val)


def _sample(index: Index, most: int) -> Index:
    """Return at most `most` of the positions, the same ones each time, and at least one."""
    most = max(1, most)
    return index if len(index) <= most else np.sort(np.random.default_rng(SEED).choice(index, most, replace=False))


def near_duplicates(data: Dataset, scan: Scan) -> CheckResult:
    """Check whether images in different parts are nearly the same; see `near_pairs`."""
    near = near_pairs(data, scan)
    pairs, compared = [*near.pairs["test"], *near.pairs["val"]], near.compared
    counts = {part: len(near.pairs[part]) for part in ("val", "test")}
    sampled = "" if _work(data) <= MOST_PAIRS else f" A fixed sample was compared: {_of_parts(compared)}."
    figures: dict[str, Any] = {**counts, "turned": sum(way != 0 for *_, way in pairs), "moved": near.moved}
    figures |= {"compared": compared, "flat": near.flat, "threshold": ALIKE}
    if not pairs:
        text = f"No image closely resembles one of another part, moved, turned or mirrored either.{sampled}"
        return CheckResult("leakage", "near-duplicates", "ok", text, figures)
    i, j, way = pairs[0]
    text = (
        f"{counts['test']:,} of {compared['test']:,} test images closely resemble one of train or val, and "
        f"{counts['val']:,} of {compared['val']:,} val images one of train; "
        f"for example {data.name_of(i)} is like {data.name_of(j)}"
        f"{way_name(way)}. {_turned_pairs(figures['turned'], near.moved, len(pairs))}{sampled}"
    )
    examples = [{"image": i, "like": j, "orientation": way} for i, j, way in pairs[:20]]
    return CheckResult("leakage", "near-duplicates", "found", text, {**figures, "examples": examples})


def _of_parts(counts: Mapping[str, int]) -> str:
    return " and ".join(f"{n:,} {part} images" for part, n in counts.items())


def _turned_pairs(turned: int, moved: int, pairs: int) -> str:
    """Return sentences that say in how many of the pairs one image is turned or mirrored, and in how many moved."""
    if moved:
        return f"{_turned_pairs(turned, 0, pairs)} In {moved:,} one is shifted, cropped or turned a little."
    if not turned:
        return "None of these pairs is turned or mirrored."
    return f"In {turned:,} of these {counted(pairs, 'pair')} one image is turned or mirrored."


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

    The mean of each channel is subtracted first. way: the orientation of image `i`, see `turned`.
    """
    pair = [pixels[i], pixels[j]]
    if min(pixels.shape[2:]) > DETAIL:
        pair = [shrunk(image, DETAIL) for image in pair]
    a, b = (image.astype(np.float64) for image in (reoriented(pair[0], way), pair[1]))
    a, b = ((image - image.mean((1, 2), keepdims=True)).ravel() for image in (a, b))
    return bool(a @ b >= SURE * np.sqrt((a @ a) * (b @ b)) > 0)
