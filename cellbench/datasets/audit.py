"""What is in a data set, and what in it could flatter every method: leaks across its split, and shortcuts.

One pass over the images, a chunk at a time, keeps a few hundred numbers an image (`Scan`); each check then reads
those, the labels, the groups and the split, and says what it found in one sentence (`Finding`). docs/inspect.md has the
methods and their limits.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core.data import PARTS, Dataset
from ..core.environment import cores
from ..core.errors import DataError
from ..core.metrics import balanced_accuracy
from . import cache, images
from .layouts import join_channels, read_listing
from .listing import FolderOptions

Status = Literal["ok", "found", "skipped"]
Say = Callable[[str], None]
Index = NDArray[np.int64]

CHUNK = 2**22  # pixel values held as float32 at a time
THUMB = 12  # side of the thumbnails that are compared
DETAIL = 32  # side at which a near duplicate is confirmed
FRAME, SEGMENTS = 2, 8  # the border: its width in pixels, and the means taken along each line of it
FLOAT_SAMPLE = 2_000_000  # pixels a channel that quantiles of float images rest on
ALIKE, SURE = 0.97, 0.95  # correlations of thumbnails, and then at DETAIL px, from which two are near duplicates
MOST_PAIRS = 2_000_000_000  # comparisons of two thumbnails (each in all orientations); beyond, a subsample is compared
PERMUTATIONS = 999
ALPHA = 0.01  # of the order test, over all classes together
WEAKEST = 0.1  # a correlation below is no leak to speak of, however many images make it significant
CUT = 0.1  # a split cuts when it separates neighbours at least this often, as a share of what a random one does
FEWEST_PAIRS, FEWEST_IMAGES = 20, 30  # below, a class has no say on its order
LONGEST_RUN, RUNS = 20_000, 10  # of a larger class the order test reads this many images, in so many stretches
LAGS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
COMPONENTS = 3
SHORTCUT_IMAGES = 10_000  # of train, and of test
TREES = 100
HALF_WAY, NEAR_BEST = 0.5, 0.8  # from chance to perfect, and from chance to the best method
SEED = 0


@dataclass(frozen=True)
class Finding:
    """What one check says: `text` is a sentence with its numbers, `figures` the same for programs."""

    section: str
    check: str
    status: Status
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Audit:
    """Facts (plain numbers and text, fit for JSON) and what each check says."""

    name: str
    split: str
    fingerprint: str
    facts: Mapping[str, Any]
    findings: tuple[Finding, ...]

    @property
    def found(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.status == "found")


@dataclass(frozen=True)
class Best:
    """The best method's figure on the same data and split, for shortcuts to be compared with."""

    method: str
    balanced_accuracy: float


@dataclass(frozen=True, eq=False)
class Scan:
    """What one pass keeps of n images: digests (n,) uint64, means (n, channels), deviation (n,), thumbs
    (n, THUMB, THUMB), frame (n, features), all float32; levels, a mapping a channel."""

    digests: NDArray[np.uint64]
    means: NDArray[np.float32]
    deviation: NDArray[np.float32]
    thumbs: NDArray[np.float32]
    frame: NDArray[np.float32]
    levels: tuple[Mapping[str, float], ...]


def audit(data: Dataset, sizes: NDArray | None = None, best: Best | None = None, say: Say = lambda text: None) -> Audit:
    """Look at every image once, and check the split and the labels.

    sizes: (n, 2) height and width that the images had before they were resized, where that is known.
    say: hears what is being done, for long looks.
    """
    say(f"reading {len(data):,} images")
    found = scan(data)
    return Audit(
        name=data.name,
        split=data.split.name,
        fingerprint=data.info.fingerprint,
        facts=facts(data, found.levels),
        findings=tuple(_checks(data, found, sizes, best, say)),
    )


def _checks(data: Dataset, scan: Scan, sizes: NDArray | None, best: Best | None, say: Say) -> Iterator[Finding]:
    yield empty_classes(data)
    yield exact_duplicates(data, scan.digests)
    yield conflicting_labels(data, scan.digests)
    say("comparing thumbnails across parts")
    yield near_duplicates(data, scan)
    yield groups(data)
    say("testing neighbours in file order")
    yield order(data, order_features(scan))
    say("looking for shortcuts")
    yield from shortcuts(data, scan, sizes, best)


# --- facts


def facts(data: Dataset, levels: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Counts, sizes, depth and where the data come from."""
    top = max(level["max"] for level in levels)
    height, width = data.images.shape[2:]
    return {
        "images": len(data),
        "channels": list(data.channels),
        "height": height,
        "width": width,
        "dtype": str(data.images.dtype),
        "bits": _bits(data.images.dtype, top),
        "multilabel": data.multilabel,
        "synthetic": data.info.synthetic,
        "licence": data.info.licence,
        "citation": data.info.citation,
        "notes": list(data.info.notes),
        "parts": {part: len(data.split[part]) for part in PARTS},
        "counts": {part: dict(zip(data.classes, n, strict=True)) for part, n in data.class_counts().items()},
        "groups": None
        if data.groups is None
        else {part: len(np.unique(data.groups[data.split[part]])) for part in PARTS},
        "intensity": dict(zip(data.channels, (dict(level) for level in levels), strict=True)),
    }


def _bits(dtype: np.dtype, top: float) -> int:
    """Bits that the values use: the camera's, of 16-bit files."""
    if dtype == np.uint16:
        return next(bits for bits in (8, 10, 12, 14, 16) if top < 2**bits)
    return 8 * dtype.itemsize


def original_sizes(path: Path, options: FolderOptions, n: int) -> NDArray[np.int64] | None:
    """Height and width (n, 2) that a folder's images have on disk; None when they don't pair up with the n prepared."""
    files = images.find_files(path)
    planes, _ = join_channels(files, options.pattern)
    others = {name: file for name, file in files.items() if not images.is_image(name)}
    listing = read_listing(path, others | {name: own[0] for name, own in planes.items()}, options)

    def size(name: str) -> tuple[int, ...]:
        try:
            shapes = [images.decode(plane).pixels.shape[1:] for plane in planes[name]]
            return shapes[0]
        except DataError:
            return ()  # one that was left out with --skip-unreadable

    found = [shape for shape in images.in_order(size, listing.files) if shape]
    return np.array(found, dtype=np.int64) if len(found) == n else None


# --- one pass over the pixels


def scan(data: Dataset) -> Scan:
    """Read the images in chunks; memory stays small whatever their number."""
    n, channels = data.images.shape[:2]
    digests = np.empty(n, np.uint64)
    means, deviation = np.empty((n, channels), np.float32), np.empty(n, np.float32)
    thumbs = np.empty((n, THUMB, THUMB), np.float32)
    frame: list[NDArray[np.float32]] = []
    tally = _Tally(data.images)
    for rows, raw in _chunks(data.images):
        digests[rows] = [int.from_bytes(hashlib.blake2b(image.data, digest_size=8).digest(), "big") for image in raw]
        values = raw.astype(np.float32)
        means[rows] = values.mean((2, 3))
        deviation[rows] = values.std((2, 3)).mean(1)
        thumbs[rows] = shrunk(values.mean(1), THUMB)
        frame.append(_frame(values))
        tally.add(raw)
    return Scan(digests, means, deviation, thumbs, np.concatenate(frame), tally.levels())


def _chunks(array: NDArray) -> Iterator[tuple[slice, NDArray]]:
    step = max(1, CHUNK // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, len(array), step):
        rows = slice(start, min(start + step, len(array)))
        yield rows, np.ascontiguousarray(array[rows])
        cache.let_go(array)


def shrunk(planes: NDArray, side: int) -> NDArray[np.float32]:
    """(…, height, width) → (…, side, side) float32, each new pixel the mean of the area that it covers."""
    height, width = planes.shape[-2:]
    return _averaging(height, side) @ planes.astype(np.float32) @ _averaging(width, side).T


def _averaging(size: int, n: int) -> NDArray[np.float32]:
    """(n, size): row i has the weights with which `size` pixels enter the i-th of n equal stretches."""
    edges = np.arange(n + 1)[:, None] * size / n
    covered = np.clip(edges - np.arange(size), 0, 1)
    return (np.diff(covered, axis=0) * n / size).astype(np.float32)


def _frame(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of the outermost pixels, by channel: means along each line, spread, and extremes."""
    across = [values[:, :, row] for depth in range(FRAME) for row in (depth, -1 - depth)]
    down = [values[..., column] for depth in range(FRAME) for column in (depth, -1 - depth)]
    pixels = np.concatenate(across + down, 2)
    steps = [line @ _averaging(line.shape[2], SEGMENTS).T for line in across + down]
    spread = np.stack([pixels.std(2), pixels.min(2), pixels.max(2)], 2)
    return np.concatenate([*steps, spread], 2).reshape(len(values), -1)


class _Tally:
    """Counts grey levels by channel: all pixels of integer images, an even sample of float ones."""

    def __init__(self, array: NDArray) -> None:
        self._levels = np.iinfo(array.dtype).max + 1 if array.dtype.kind == "u" else 0
        channels = array.shape[1]
        self._counts = np.zeros((channels, self._levels), np.int64)
        self._sample: list[NDArray] = []
        self._step = max(1, array.size // channels // FLOAT_SAMPLE)
        self._low, self._high = np.full(channels, np.inf), np.full(channels, -np.inf)

    def add(self, raw: NDArray) -> None:
        planes = np.moveaxis(raw, 1, 0).reshape(raw.shape[1], -1)
        self._low, self._high = np.minimum(self._low, planes.min(1)), np.maximum(self._high, planes.max(1))
        if self._levels:
            self._counts += [np.bincount(plane, minlength=self._levels) for plane in planes]
        else:
            self._sample.append(planes[:, :: self._step].copy())

    def levels(self) -> tuple[Mapping[str, float], ...]:
        sample = np.concatenate(self._sample, 1) if self._sample else None
        found = []
        for k, (low, high) in enumerate(zip(self._low, self._high, strict=True)):
            if sample is None:
                total = self._counts[k].cumsum()
                quantiles = [int(np.searchsorted(total, share * total[-1])) for share in (0.01, 0.5, 0.99)]
                bits = _bits(np.dtype("uint8" if self._levels == 256 else "uint16"), self._high.max())
                saturated, dark = (self._counts[k, level] / total[-1] for level in (2**bits - 1, 0))
            else:
                quantiles = np.quantile(sample[k], (0.01, 0.5, 0.99)).tolist()
                saturated, dark = np.mean(sample[k] == high), np.mean(sample[k] == 0)
            names = ("min", "p1", "median", "p99", "max", "saturated", "zero")
            values = (low, *quantiles, high, saturated, dark)
            found.append(dict(zip(names, map(float, values), strict=True)))
        return tuple(found)


# --- labels, duplicates, groups


def part_codes(data: Dataset) -> NDArray[np.int8]:
    """Of each image the place of its part in PARTS; -1 of images that no part uses."""
    codes = np.full(len(data), -1, np.int8)
    for code, part in enumerate(PARTS):
        codes[data.split[part]] = code
    return codes


def empty_classes(data: Dataset) -> Finding:
    """Classes that a part has no image of: nothing can be learned or measured of them there."""
    absent = [
        f"{name} in {part}"
        for part, counts in data.class_counts().items()
        for name, n in zip(data.classes, counts, strict=True)
        if not n
    ]
    if absent:
        text = f"No image of {images.few(absent)}: what has no image there is neither learned nor measured."
        return Finding("labels", "empty-classes", "found", text, {"absent": absent})
    return Finding("labels", "empty-classes", "ok", f"All {len(data.classes)} classes have images in every part.")


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


def groups(data: Dataset) -> Finding:
    """Wells, slides or patients with images in more than one part."""
    if data.groups is None:
        text = "No groups are known, so whether wells, slides or patients straddle the split can't be told."
        return Finding("leakage", "groups", "skipped", text)
    members = {part: np.unique(data.groups[data.split[part]]) for part in PARTS}
    everyone, counts = np.unique(np.concatenate(list(members.values())), return_counts=True)
    torn = everyone[counts > 1]
    figures: dict[str, Any] = {"groups": len(everyone), "in_several_parts": len(torn), "example": None}
    if not len(torn):
        return Finding("leakage", "groups", "ok", f"None of {len(everyone):,} groups is in two parts.", figures)
    earlier = np.union1d(members["train"], members["val"])
    test = int(np.isin(data.groups[data.split["test"]], earlier).sum())
    text = (
        f"{len(torn):,} of {len(everyone):,} groups are in more than one part: {test:,} of "
        f"{len(data.split['test']):,} test images have relatives in train or val. Split with groups kept whole."
    )
    return Finding("leakage", "groups", "found", text, {**figures, "test": test, "example": int(torn[0])})


# --- near duplicates


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


# --- order


@dataclass(frozen=True, eq=False)
class Likeness:
    """Correlations of neighbours (classes, features), and p (classes,) of each class's strongest feature, over all
    classes together."""

    observed: NDArray
    p: NDArray

    @property
    def strongest(self) -> NDArray:
        return self.observed.max(1)

    @property
    def alike(self) -> NDArray[np.bool_]:
        return (self.p <= ALPHA) & (self.strongest >= WEAKEST)


def order_features(scan: Scan) -> dict[str, NDArray[np.float64]]:
    """A few numbers (n,) an image by which neighbours may be alike."""
    thumbs = scan.thumbs.reshape(len(scan.thumbs), -1)
    centred = thumbs - thumbs.mean(1, keepdims=True)
    shape = centred / np.maximum(np.sqrt((centred**2).sum(1, keepdims=True)), 1e-6)
    shape -= shape.mean(0)
    _, axes = np.linalg.eigh(shape.T @ shape)
    found = {"mean brightness": scan.means.mean(1), "standard deviation": scan.deviation}
    found |= {f"thumbnail component {k + 1}": shape @ axes[:, -1 - k] for k in range(COMPONENTS)}
    return {name: values.astype(np.float64) for name, values in found.items()}


def order(data: Dataset, features: Mapping[str, NDArray], permutations: int = PERMUTATIONS) -> Finding:
    """Neighbours of one class in file order that are alike while the split lays them in different parts.

    features: (n,) values by name; the first is the one whose correlations are listed by lag.
    """
    codes, values = part_codes(data), np.stack(list(features.values()))
    runs = _runs(data, codes)
    if not runs:
        text = f"No class has {FEWEST_IMAGES} images, too few to tell whether neighbours are alike."
        return Finding("leakage", "order", "skipped", text)
    cut, random_cut = _cut_shares([codes[run] for run in runs.values()])
    short = {name: _shortened(run) for name, run in runs.items()}
    every = neighbours(values, [(run, np.arange(len(run) - 1)) for run in short.values()], permutations)
    p = float(every.p.min())
    figures: dict[str, Any] = {"permutations": permutations, "cut": cut, "cut_by_random_split": random_cut, "p": p}
    tested = f"p = {p:.2g} by {permutations} permutations"
    if not every.alike.any():
        text = (
            f"Neighbours in file order are {'hardly' if p <= ALPHA else 'no'} more alike than random images of their "
            f"class ({tested}, correlations up to {every.strongest.max():.2f})."
        )
        return Finding("leakage", "order", "ok", text, figures)
    figures |= _how_far(features, runs, every)
    span = " to ".join(dict.fromkeys(f"{value:.2f}" for value in np.sort(every.strongest[every.alike])[[0, -1]]))
    likeness = (
        f"Neighbours in file order are alike in {every.alike.sum()} of {len(runs)} classes (correlation {span}, "
        f"{tested}), up to {figures['reach']:,} images apart"
    )
    apart = f"{_percent(cut)} of neighbours lie in different parts, {_percent(random_cut)} would by a random split"
    if cut < CUT * random_cut:
        text = f"{likeness}, but the split keeps them together: {apart}."
        return Finding("leakage", "order", "ok", text, figures)
    severed = {name: (run, np.flatnonzero(np.diff(codes[run]))) for name, run in short.items()}
    severed = {name: pairs for name, pairs in severed.items() if len(pairs[1]) >= FEWEST_PAIRS}
    across = neighbours(values, list(severed.values()), permutations) if severed else None
    if across is not None:
        figures["p_across"] = float(across.p.min())
        figures["across"] = dict(zip(severed, across.strongest.tolist(), strict=True))
    if across is None or not across.alike.any():
        text = f"{likeness}, but not those that the split separates: {apart}."
        return Finding("leakage", "order", "ok", text, figures)
    text = (
        f"{likeness}, and the split cuts between them: {apart}. Test images probably have relatives in train, which "
        "flatters every method; a split by blocks of consecutive images is the honester test."
    )
    return Finding("leakage", "order", "found", text, figures)


def _runs(data: Dataset, codes: NDArray[np.int8]) -> dict[str, Index]:
    """By class its images that the split uses, in file order; classes with too few are left out."""
    found = {}
    for k, name in enumerate(data.classes):
        own = data.labels[:, k] if data.multilabel else data.labels == k
        run = np.flatnonzero(own & (codes >= 0))
        if len(run) >= FEWEST_IMAGES:
            found[name] = run
    return found


def _shortened(run: Index) -> Index:
    """A long run as a few even stretches of it; the joints between them are few enough not to matter."""
    if len(run) <= LONGEST_RUN:
        return run
    length = LONGEST_RUN // RUNS
    starts = np.linspace(0, len(run) - length, RUNS).astype(int)
    return np.concatenate([run[start : start + length] for start in starts])


def _cut_shares(codes: Sequence[NDArray[np.int8]]) -> tuple[float, float]:
    """Share of neighbours of one class in different parts, and what a random order of the same parts would give."""
    pairs = sum(len(own) - 1 for own in codes)
    cut = sum(int(np.count_nonzero(np.diff(own))) for own in codes)
    expected = 0.0
    for own in codes:
        counts = np.bincount(own)
        expected += (len(own) - 1) * (1 - float((counts * (counts - 1)).sum()) / (len(own) * (len(own) - 1)))
    return cut / pairs, expected / pairs


def neighbours(values: NDArray, runs: Sequence[tuple[Index, Index]], permutations: int) -> Likeness:
    """Correlation of each feature between neighbours, and how rarely it is as strong in permuted order.

    values: (features, n). runs: by class its images, and the places in them of the left one of each pair.
    A class's statistic is its strongest feature's correlation, in standard deviations of its own null distribution; p
    compares it with the largest one of all classes in each permutation (Westfall and Young's max statistic), so that
    over all classes together a false alarm is as rare as p says.
    """
    rng = np.random.default_rng(SEED)
    observed, null = [], []
    for run, left in runs:
        own = values[:, run]
        observed.append(_correlation(own[:, left], own[:, left + 1]))
        rows = max(1, 4_000_000 // (len(run) * len(own)))
        pieces = []
        for start in range(0, permutations, rows):
            mixed = rng.permuted(np.tile(np.arange(len(run)), (min(rows, permutations - start), 1)), axis=1)
            pieces.append(_correlation(own[:, mixed[:, left]], own[:, mixed[:, left + 1]]).max(0))
        null.append(np.concatenate(pieces))
    found, chance = np.stack(observed), np.stack(null)
    centre, spread = chance.mean(1), np.maximum(chance.std(1), 1e-12)
    most = ((chance - centre[:, None]) / spread[:, None]).max(0)
    score = (found.max(1) - centre) / spread
    return Likeness(found, (1 + (most >= score[:, None]).sum(1)) / (permutations + 1))


def _correlation(a: NDArray, b: NDArray) -> NDArray:
    """Pearson's, over the last axis; 0 where a side doesn't vary."""
    a, b = a - a.mean(-1, keepdims=True), b - b.mean(-1, keepdims=True)
    scale = np.sqrt(np.einsum("...i,...i->...", a, a) * np.einsum("...i,...i->...", b, b))
    return np.einsum("...i,...i->...", a, b) / np.where(scale > 0, scale, np.inf)


def lag_curve(values: NDArray, run: Index) -> dict[str, float]:
    """Pearson's correlation of values (n,) of a class's images that stand LAGS places apart, as far as they go."""
    own = values[run]
    lags = [lag for lag in LAGS if lag <= len(run) - FEWEST_IMAGES] or [1]
    return {str(lag): round(float(_correlation(own[:-lag], own[lag:])), 4) for lag in lags}


def autocorrelation(values: NDArray) -> NDArray:
    """Of values (n,), at lags 0 to n - 1, by Fourier transform; the usual estimate, that falls to 0 with the lag."""
    centred = values - values.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    found = np.fft.irfft(power)[: len(centred)]
    return found / found[0] if found[0] > 0 else np.zeros(len(centred))


def reach(curves: Sequence[NDArray]) -> int:
    """The last lag up to which autocorrelations, averaged over curves with their lengths as weights, stay above chance.

    Chance at a lag is what runs give that are alike up to the lag before and no further (Bartlett's large-lag standard
    error): a few long runs have correlations at any lag, which a permutation would take for likeness.
    """
    longest = max(len(curve) // 2 for curve in curves)
    mean, variance, weight = np.zeros(longest + 1), np.zeros(longest + 1), np.zeros(longest + 1)
    for curve in curves:
        n, last = len(curve), len(curve) // 2
        shorter = np.r_[0, 0, np.cumsum(curve[1:last] ** 2)]  # at lag L of the squares at lags 1 to L - 1
        mean[: last + 1] += n * curve[: last + 1]
        variance[: last + 1] += n**2 * (1 + 2 * shorter[: last + 1]) / n
        weight[: last + 1] += n
    above = mean / weight > NormalDist().inv_cdf(1 - ALPHA) * np.sqrt(variance) / weight
    return int(np.argmin(np.r_[above, False])) - 1


def _how_far(features: Mapping[str, NDArray], runs: Mapping[str, Index], every: Likeness) -> dict[str, Any]:
    """How far the likeness reaches, over the classes that show one and by class, with each class's correlations."""
    names, by_class, curves = list(features), {}, []
    for k, (name, run) in enumerate(runs.items()):
        strongest = names[int(every.observed[k].argmax())]
        curve = autocorrelation(features[strongest][run])
        if every.alike[k]:
            curves.append(curve)
        by_class[name] = {
            "alike": bool(every.alike[k]),
            "p": float(every.p[k]),
            "correlation": float(every.strongest[k]),
            "feature": strongest,
            "reach": reach([curve]) if every.alike[k] else 0,
            f"{names[0]} by lag": lag_curve(features[names[0]], run),
        }
    return {"reach": reach(curves), "by_class": by_class}


# --- shortcuts


def shortcuts(data: Dataset, scan: Scan, sizes: NDArray | None = None, best: Best | None = None) -> Iterator[Finding]:
    """What tells the class without a look at the cell."""
    yield shortcut(data, "mean-intensity", "Mean intensity", scan.means, best)
    yield _size_shortcut(data, sizes, best)
    yield shortcut(data, "border", f"The outermost {FRAME} pixels", scan.frame, best)


def shortcut(data: Dataset, check: str, title: str, features: NDArray, best: Best | None) -> Finding:
    """How well a random forest that sees `features` (n, k) alone tells the classes, trained on train, scored on test.

    One label an image: balanced accuracy, chance is 1 / classes. Several: area under the ROC curve, mean over
    classes, chance is 0.5. The forest's settings are fixed, so scoring on test tunes nothing.
    """
    rng = np.random.default_rng(SEED)
    train, test = (_sample(data.split[part], SHORTCUT_IMAGES, rng) for part in ("train", "test"))
    truth = data.labels[test]
    if data.multilabel:
        measure, chance, value = "mean ROC area", 0.5, _roc(_forest(data, features, train), features[test], truth)
    else:
        predicted = _forest(data, features, train).predict(features[test])
        measure, chance = "balanced accuracy", 1 / len(np.unique(truth))
        value = balanced_accuracy(truth, predicted)
    aim, share, against = 1.0, HALF_WAY, "half-way to 100 %"
    if best is not None and not data.multilabel:
        aim, share = best.balanced_accuracy, NEAR_BEST
        against = f"{100 * NEAR_BEST:.0f} % of the way to {best.method}, the best method, at {_percent(aim)}"
    limit = chance + share * (aim - chance)
    status: Status = "found" if value >= limit and value > chance else "ok"
    text = (
        f"{title} alone: {_percent(value)} {measure} on {len(test):,} test images (chance {_percent(chance)}; a "
        f"warning from {_percent(limit)}, {against})."
    )
    figures = {"measure": measure, "value": value, "chance": chance, "limit": limit, "n": len(test)}
    return Finding("shortcuts", check, status, text, figures | ({"best": best.method} if best else {}))


def _size_shortcut(data: Dataset, sizes: NDArray | None, best: Best | None) -> Finding:
    if sizes is not None and len(np.unique(sizes, axis=0)) > 1:
        return shortcut(data, "image-size", "Image size", sizes.astype(np.float32), best)
    height, width = data.images.shape[2:]
    known = f"all images are {height}×{width} px" if sizes is None else "all images had one size"
    if sizes is None and any("resized" in note for note in data.info.notes):
        known = "the images were resized, and their own sizes are not known"
    return Finding("shortcuts", "image-size", "skipped", f"Image size: {known}.")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _sample(index: Index, most: int, rng: np.random.Generator) -> Index:
    return index if len(index) <= most else np.sort(rng.choice(index, most, replace=False))


def _forest(data: Dataset, features: NDArray, train: Index) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    weight = None if data.multilabel else "balanced_subsample"
    forest = RandomForestClassifier(
        TREES, min_samples_leaf=5, class_weight=weight, n_jobs=min(cores(), 8), random_state=SEED
    )
    return forest.fit(features[train], data.labels[train])


def _roc(forest: Any, features: NDArray, truth: NDArray[np.bool_]) -> float:
    """Mean over the classes that test has both kinds of; a class that train lacks says nothing, 0.5."""
    from sklearn.metrics import roc_auc_score

    areas = []
    for k, scores in enumerate(forest.predict_proba(features)):
        if truth[:, k].any() and not truth[:, k].all():
            areas.append(roc_auc_score(truth[:, k], scores[:, -1]) if scores.shape[1] > 1 else 0.5)
    return float(np.mean(areas)) if areas else 0.5
