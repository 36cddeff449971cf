"""What every data set must be: our own tests check it, and so does `cellbench check`."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core.conformance import broken, raised, require
from ..core.data import PARTS, Dataset, absent_classes
from .files import cache
from .registry import DatasetEntry

COMPARED_IMAGES = 50  # images that are compared with each other; a docstring below names the number


def check_says_what_it_is(entry: DatasetEntry, data: Dataset) -> None:
    """It has the name that it is registered by, a summary, a size and a licence."""
    require(data.name == entry.name, f"it is registered as {entry.name!r} and built as {data.name!r}")
    for fact in ("summary", "size", "licence"):
        require(bool(getattr(entry, fact)), f"its {fact} is empty")


def check_lists_what_it_has(entry: DatasetEntry, data: Dataset) -> None:
    """Its classes and channels are those that lists tell of before it is prepared, where they tell any."""
    for fact in ("classes", "channels"):
        listed, found = tuple(getattr(entry, fact)), getattr(data, fact)
        require(listed in ((), found), f"its {fact} are {', '.join(found)}, and lists tell of {', '.join(listed)}")


def check_every_class_in_every_part(entry: DatasetEntry, data: Dataset) -> None:
    """Every part has images of every class."""
    for part, counts in data.class_counts().items():
        lacking = absent_classes(data.classes, counts)
        require(not lacking, f"the {part} part has no image of {', '.join(lacking)}")


def check_groups_are_kept_whole(entry: DatasetEntry, data: Dataset) -> None:
    """No group has images in two parts."""
    if data.groups is not None:
        groups = [set(data.groups[data.split[part]]) for part in PARTS]
        torn = sum(map(len, groups)) - len(set.union(*groups))
        require(not torn, f"{torn} groups have images in several parts")


def check_images_differ(entry: DatasetEntry, data: Dataset) -> None:
    """No two of its first 50 images are equal."""
    some = data.images[:COMPARED_IMAGES]
    different = len(np.unique(some.reshape(len(some), -1), axis=0))
    require(different == len(some), f"of the first {len(some)} images {different} are different")


def check_same_again(entry: DatasetEntry, data: Dataset) -> None:
    """Made again it is the same, to the last pixel; only where it needs no files."""
    if entry.made_on_demand:
        with tempfile.TemporaryDirectory() as scratch:
            again = cache.fingerprint(entry.factory(Path(scratch), None))
        require(again == data.info.fingerprint, "the second time it had other images, labels or parts")


CHECKS = (
    check_says_what_it_is,
    check_lists_what_it_has,
    check_every_class_in_every_part,
    check_groups_are_kept_whole,
    check_images_differ,
    check_same_again,
)


def conformance(entry: DatasetEntry) -> Iterator[tuple[str, str]]:
    """Yield a pair for every check: the rule, and what is wrong ('' where the rule is kept)."""
    try:
        data = cache.read(entry.prepare())
    except Exception as error:  # whatever a stranger's function raises is a finding
        yield "It can be prepared, and its parts fit together.", raised(error)
        return
    yield from broken(CHECKS, entry, data)
