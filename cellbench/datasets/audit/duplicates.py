"""The same cell twice: images whose pixels are the same, or nearly."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset
from ...core.mixed_values import Document
from ...core.text.words import counted
from .near_pairs import ALIKE, first_of_part, near_pairs
from .orientation import way_name
from .pixels import Scan
from .result import CheckResult, part_codes


def exact_duplicates(data: Dataset, digests: NDArray[np.uint64]) -> CheckResult:
    """Check whether images in different parts are the same, byte by byte."""
    codes = part_codes(data)
    home = first_of_part(digests, codes)
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


def near_duplicates(data: Dataset, scan: Scan) -> CheckResult:
    """Check whether images in different parts are nearly the same; see `near_pairs`."""
    near = near_pairs(data, scan)
    pairs, compared = [*near.pairs["test"], *near.pairs["val"]], near.compared
    counts = {part: len(near.pairs[part]) for part in ("val", "test")}
    whole = all(compared[part] == len(data.split[part]) for part in counts)
    sampled = "" if whole else f" A fixed sample was compared: {_of_parts(compared)}."
    figures: Document = {**counts, "turned": sum(way != 0 for *_, way in pairs), "moved": near.moved}
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
