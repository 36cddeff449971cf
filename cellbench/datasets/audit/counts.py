"""How many images of each class and of what size, and whether the split leaves classes empty or tears groups."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset
from ...core.errors import DataError
from ...core.mixed_values import Facts
from ...core.text.words import plural
from .. import remarks
from ..files import parallel
from ..files.find import find_files
from ..files.names import first_few
from ..folder.contents import read_contents
from ..folder.decoding import read_picture
from ..folder.options import FolderOptions
from ..remarks import FEWEST_IMAGES, FEWEST_UNITS
from .pixels import used_bits
from .result import CheckResult


def facts(data: Dataset, levels: Sequence[Mapping[str, float]]) -> Facts:
    """Return facts about a data set for a report: numbers of images, sizes, intensities, licence and citation.

    levels: the statistics of each channel, as in `Scan.levels`.
    """
    top = max(level["max"] for level in levels)
    height, width = data.images.shape[2:]
    return {
        "images": len(data),
        "channels": list(data.channels),
        "height": height,
        "width": width,
        "dtype": str(data.images.dtype),
        "bits": used_bits(data.images.dtype, top),
        "multilabel": data.multilabel,
        "synthetic": data.info.synthetic,
        "licence": data.info.licence,
        "citation": data.info.citation,
        "notes": list(data.info.notes),
        "parts": {part: len(data.split[part]) for part in PARTS},
        "counts": {part: dict(zip(data.classes, n, strict=True)) for part, n in data.class_counts().items()},
        "groups": data.unit_counts(),
        "intensity": dict(zip(data.channels, (dict(level) for level in levels), strict=True)),
    }


def original_sizes(path: Path, options: FolderOptions, n: int) -> NDArray[np.int64] | None:
    """Return height and width, (n, 2), of the images in a folder; None when their number differs from `n`."""
    contents = read_contents(path, find_files(path), options)

    def size(name: str) -> tuple[int, ...]:
        try:
            return read_picture(contents.planes[name]).pixels.shape[1:]
        except DataError:
            return ()  # one that was left out with --skip-unreadable

    found = [shape for shape in parallel.in_order(size, contents.listing.files) if shape]
    return np.array(found, dtype=np.int64) if len(found) == n else None


def empty_classes(data: Dataset) -> CheckResult:
    """Check whether every part has images of every class; one without images is neither learned nor measured there."""
    absent = [
        f"{name} in {part}"
        for part, counts in data.class_counts().items()
        for name, n in zip(data.classes, counts, strict=True)
        if not n
    ]
    if absent:
        text = f"No image of {first_few(absent)}: what has no image there is neither learned nor measured."
        return CheckResult("labels", "empty-classes", "found", text, {"absent": absent})
    return CheckResult("labels", "empty-classes", "ok", f"All {len(data.classes)} classes have images in every part.")


def rare_classes(data: Dataset) -> CheckResult:
    """Check whether test has so few images of a class that figures of it rest on chance."""
    figures = {"fewest": FEWEST_IMAGES, "n": dict(zip(data.classes, data.class_counts()["test"], strict=True))}
    if text := remarks.rare_classes(data):
        return CheckResult("test", "rare-classes", "found", text, figures)
    text = f"No class has fewer than {FEWEST_IMAGES} test images."
    return CheckResult("test", "rare-classes", "ok", text, figures)


def test_groups(data: Dataset) -> CheckResult:
    """Check whether test has so few groups, or blocks, that no difference between methods can be shown."""
    found = data.unit_counts()
    if found is None:
        text = "No groups are known, so figures are taken to be as certain as images are many."
        return CheckResult("test", "test-groups", "skipped", text)
    figures = {"fewest": FEWEST_UNITS, "n": found["test"]}
    if text := remarks.few_units(data):
        return CheckResult("test", "test-groups", "found", text, figures)
    text = f"Test has {found['test']:,} {plural(data.unit)}, which figures are as certain as."
    return CheckResult("test", "test-groups", "ok", text, figures)


def groups(data: Dataset) -> CheckResult:
    """Check whether a well, slide or patient has images in more than one part."""
    if data.groups is None:
        text = "No groups are known, so whether wells, slides or patients straddle the split can't be told."
        return CheckResult("leakage", "groups", "skipped", text)
    members = {part: np.unique(data.groups[data.split[part]]) for part in PARTS}
    everyone, counts = np.unique(np.concatenate(list(members.values())), return_counts=True)
    torn = everyone[counts > 1]
    figures: dict[str, int | None] = {"groups": len(everyone), "in_several_parts": len(torn), "example": None}
    if not len(torn):
        return CheckResult("leakage", "groups", "ok", f"None of {len(everyone):,} groups is in two parts.", figures)
    earlier = np.union1d(members["train"], members["val"])
    test = int(np.isin(data.groups[data.split["test"]], earlier).sum())
    text = (
        f"{len(torn):,} of {len(everyone):,} groups are in more than one part: {test:,} of "
        f"{len(data.split['test']):,} test images have relatives in train or val. Split with groups kept whole."
    )
    return CheckResult("leakage", "groups", "found", text, {**figures, "test": test, "example": int(torn[0])})
