"""The same cell twice: the same pixels, or nearly."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset
from .finding import SEED, Finding, Index, part_codes
from .pixels import Scan, shrunk

DETAIL = 32  # side at which a near duplicate is confirmed
ALIKE, SURE = 0.97, 0.95  # correlations of thumbnails, and then at DETAIL px, from which two are near duplicates
MOST_PAIRS = 2_000_000_000  # comparisons of two thumbnails (each in all orientations); beyond, a subsample is compared


def exact_duplicates(data: Dataset, digests: NDArray[np.uint64]) -> Finding:
    """Images whose pixels are the same, byte by byte, in different parts."""
    codes = part_codes(data)
    home = _first_of_part(digests, codes)
    clones = {
        part: [(int(i), home[digests[i], k]) for i in data.split[part] for k in range(code) if (digests[i], k) in home]
        for code, part in enumerate(PARTS)
    }
    counts = {part: len({i for i, _ in clones[part]}) for part in ("val", "test")}
    if not any(counts.values()):
        return Finding("leakage", "exact-duplicates", "ok", "No image is in two parts.", counts)
    i, j = (clones["test"] or clones["val"])[0]
    text = (
        f"{counts['test']:,} of {len(data.split['test']):,} test images are in train or val as well, pixel by pixel, "
        f"and {counts['val']:,} of {len(data.split['val']):,} val images in train: image {i} is image {j}, for one."
    )
    return Finding("leakage", "exact-duplicates", "found", text, {**counts, "example": [i, j]})


def _first_of_part(digests: NDArray[np.uint64], codes: NDArray[np.int8]) -> dict[tuple[Any, int], int]:
    """The first image with a digest in a part, of digests that occur more than once."""
    _, inverse, counts = np.unique(digests, return_inverse=True, return_counts=True)
    first: dict[tuple[Any, int], int] = {}
    for i in np.flatnonzero(counts[inverse] > 1):
        first.setdefault((digests[i], int(codes[i])), int(i))
    return first


def conflicting_labels(data: Dataset, digests: NDArray[np.uint64]) -> Finding:
    """The same pixels under different labels, anywhere."""
    _, inverse, counts = np.unique(digests, return_inverse=True, return_counts=True)
    several = np.flatnonzero(counts[inverse] > 1)
    several = several[np.argsort(inverse[several], kind="stable")]
    sets = np.split(several, np.flatnonzero(np.diff(inverse[several])) + 1) if len(several) else []
    clashes = [same for same in sets if (data.labels[same] != data.labels[same[0]]).any()]
    figures = {"images": int(sum(map(len, clashes))), "example": clashes[0].tolist() if clashes else None}
    if not clashes:
        return Finding("labels", "conflicting-labels", "ok", "No two identical images have different labels.", figures)
    text = (
        f"{figures['images']:,} images have a twin, pixel by pixel, with another label: "
        f"{', '.join(f'image {i} is {_label(data, i)}' for i in clashes[0][:3])}, for one."
    )
    return Finding("labels", "conflicting-labels", "found", text, figures)


def _label(data: Dataset, i: int) -> str:
    own = np.flatnonzero(data.labels[i]) if data.multilabel else [data.labels[i]]
    return " + ".join(data.classes[k] for k in own) or "unlabelled"


def near_duplicates(data: Dataset, scan: Scan) -> Finding:
    """Images of different parts that are the same but for noise, brightness, a mirror or a quarter turn."""
    ways = (0, 1, 2, 3, 4, 5, 6, 7) if data.images.shape[2] == data.images.shape[3] else (0, 2, 4, 6)
    unit, flat = _standardised(scan.thumbs, ways)
    first = _first_of_part(scan.digests, part_codes(data))
    pairs: list[tuple[int, int, int]] = []
    counts, looked_at = {}, {}
    sizes = {part: len(data.split[part]) for part in PARTS}
    work = sizes["val"] * sizes["train"] + sizes["test"] * (sizes["train"] + sizes["val"])
    for code, part in ((1, "val"), (2, "test")):
        others = np.concatenate([data.split[earlier] for earlier in PARTS[:code]])
        own = data.split[part]
        if work > MOST_PAIRS:
            wanted = max(1, int(len(own) * MOST_PAIRS / work))
            own = np.sort(np.random.default_rng(SEED).choice(own, wanted, replace=False))
        queries = np.array(
            [i for i in own if not flat[i] and not any((scan.digests[i], k) in first for k in range(code))], np.int64
        )
        others = others[~flat[others]]
        hits = [pair for pair in _alike(unit, queries, others, ways) if _confirmed(data.images, *pair)]
        counts[part], looked_at[part] = len(hits), len(own)
        pairs = hits + pairs
    sampled = "" if work <= MOST_PAIRS else f" A fixed sample was compared: {_of_parts(looked_at)}."
    figures: dict[str, Any] = {**counts, "turned": sum(way != 0 for *_, way in pairs), "compared": looked_at}
    figures |= {"flat": int(flat.sum()), "threshold": ALIKE}
    if not pairs:
        text = f"No image closely resembles one of another part, turned or mirrored either.{sampled}"
        return Finding("leakage", "near-duplicates", "ok", text, figures)
    i, j, way = pairs[0]
    text = (
        f"{counts['test']:,} of {looked_at['test']:,} test images closely resemble one of train or val, and "
        f"{counts['val']:,} of {looked_at['val']:,} val images one of train (correlation ≥ {ALIKE}): image {i} is "
        f"like image {j}{_way_name(way)}, for one; {figures['turned']:,} in all are turned or mirrored.{sampled}"
    )
    examples = [{"image": i, "like": j, "orientation": way} for i, j, way in pairs[:20]]
    return Finding("leakage", "near-duplicates", "found", text, {**figures, "examples": examples})


def _of_parts(counts: Mapping[str, int]) -> str:
    return " and ".join(f"{n:,} {part} images" for part, n in counts.items())


def turned(planes: NDArray, way: int) -> NDArray:
    """One of the eight ways to lay a picture on its square: `way % 4` quarter turns, mirrored first from 4 on."""
    return np.rot90(planes[..., ::-1] if way >= 4 else planes, way % 4, axes=(-2, -1))


def _way_name(way: int) -> str:
    turn = f"turned by {90 * (way % 4)}°" if way % 4 else ""
    words = " and ".join(filter(None, ("mirrored" if way >= 4 else "", turn)))
    return f" {words}" if words else ""


def _standardised(thumbs: NDArray[np.float32], ways: Iterable[int]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Thumbnails of mean 0 and norm 1 less what all of them share, again of norm 1; and which are flat.

    What all share (a bright cell on a dark ground) makes any two of them alike, and says nothing of duplicates.
    """
    centred = thumbs - thumbs.mean((1, 2), keepdims=True)
    norm = np.sqrt((centred**2).sum((1, 2), keepdims=True))
    flat = norm[:, 0, 0] <= 1e-4 * (1 + np.abs(thumbs).max((1, 2)))
    unit = centred / np.where(flat[:, None, None], 1, norm)
    shared = unit.mean(0)
    shared = np.mean([turned(shared, way) for way in ways], 0)
    unit -= shared
    unit /= np.maximum(np.sqrt((unit**2).sum((1, 2), keepdims=True)), 1e-6)
    return unit, flat


def _alike(
    unit: NDArray[np.float32], queries: Index, others: Index, ways: Sequence[int]
) -> Iterator[tuple[int, int, int]]:
    """(query, the other that is most like it, way) where their correlation reaches ALIKE; by blocks of 64 MB."""
    if not len(others):
        return
    table = unit[others].reshape(len(others), -1)
    for start in range(0, len(queries), 256):
        block = queries[start : start + 256]
        views = np.concatenate([turned(unit[block], way).reshape(len(block), -1) for way in ways])
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
    """Whether two images correlate by SURE at DETAIL pixels, all channels together, each less its mean."""
    pair = [pixels[i], pixels[j]]
    if min(pixels.shape[2:]) > DETAIL:
        pair = [shrunk(image, DETAIL) for image in pair]
    a, b = (image.astype(np.float64) for image in (turned(pair[0], way), pair[1]))
    a, b = ((image - image.mean((1, 2), keepdims=True)).ravel() for image in (a, b))
    return bool(a @ b >= SURE * np.sqrt((a @ a) * (b @ b)) > 0)
