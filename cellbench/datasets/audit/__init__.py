"""The audit: what is in a data set, and what in it makes every method look better than it is.

pixels: one pass over the images that keeps a few hundred numbers of each. The checks read those numbers, the labels,
the groups and the split: counts (empty classes, torn groups), duplicates, order (with the statistics in likeness) and
shortcuts (held against best_result, the best on record). For duplicates: near_pairs finds near ones, moved_copies those
that were shifted or cropped, by registration and orientation (how one image lies over another); kept keeps what these
searches found. result: what a check says, in one sentence. docs/inspect.md has the methods and their limits.
"""

from collections.abc import Iterator

from numpy.typing import NDArray

from ...core.data import Dataset
from . import counts, duplicates, order, pixels, shortcuts
from .pixels import Scan
from .result import Audit, CheckResult, ProgressText
from .shortcuts import BestResult


def audit(
    data: Dataset,
    sizes: NDArray | None = None,
    best: BestResult | None = None,
    progress: ProgressText = lambda text: None,
) -> Audit:
    """Read every image once, and check the split and the labels.

    sizes: (n, 2) height and width that the images had before they were resized, where that is known. best: the result
    of the best method on this data, which makes the check for shortcuts stricter. progress: is called with what is
    being done.
    """
    progress(f"reading {len(data):,} images")
    scan = pixels.scan(data)
    return Audit(
        name=data.name,
        split=data.split.name,
        fingerprint=data.info.fingerprint,
        facts=counts.facts(data, scan.levels),
        checks=tuple(_checks(data, scan, sizes, best, progress)),
    )


def _checks(
    data: Dataset, scan: Scan, sizes: NDArray | None, best: BestResult | None, progress: ProgressText
) -> Iterator[CheckResult]:
    """Yield the results of all checks, in the order in which they are shown."""
    yield counts.empty_classes(data)
    yield counts.rare_classes(data)
    yield counts.test_groups(data)
    yield duplicates.exact_duplicates(data, scan.digests)
    yield duplicates.conflicting_labels(data, scan.digests)
    progress("comparing thumbnails across parts")
    yield duplicates.near_duplicates(data, scan)
    yield counts.groups(data)
    progress("testing neighbours in file order")
    yield order.order_leakage(data, order.order_features(scan))
    progress("looking for shortcuts")
    yield from shortcuts.all_shortcuts(data, scan, sizes, best)
