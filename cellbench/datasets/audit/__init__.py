"""What is in a data set, and what in it could flatter every method: leaks across its split, and shortcuts.

One pass over the images, a chunk at a time, keeps a few hundred numbers an image (`Scan`); each check then reads
those, the labels, the groups and the split, and says what it found in one sentence (`Finding`). docs/inspect.md has the
methods and their limits.
"""

from collections.abc import Iterator

from numpy.typing import NDArray

from ...core.data import Dataset
from . import counts, duplicates, order, pixels, shortcuts
from .finding import Audit, Finding, Say
from .pixels import Scan
from .shortcuts import Best


def audit(data: Dataset, sizes: NDArray | None = None, best: Best | None = None, say: Say = lambda text: None) -> Audit:
    """Look at every image once, and check the split and the labels.

    sizes: (n, 2) height and width that the images had before they were resized, where that is known.
    say: hears what is being done, for long looks.
    """
    say(f"reading {len(data):,} images")
    found = pixels.scan(data)
    return Audit(
        name=data.name,
        split=data.split.name,
        fingerprint=data.info.fingerprint,
        facts=counts.facts(data, found.levels),
        findings=tuple(_checks(data, found, sizes, best, say)),
    )


def _checks(data: Dataset, scan: Scan, sizes: NDArray | None, best: Best | None, say: Say) -> Iterator[Finding]:
    yield counts.empty_classes(data)
    yield duplicates.exact_duplicates(data, scan.digests)
    yield duplicates.conflicting_labels(data, scan.digests)
    say("comparing thumbnails across parts")
    yield duplicates.near_duplicates(data, scan)
    yield counts.groups(data)
    say("testing neighbours in file order")
    yield order.order_leakage(data, order.order_features(scan))
    say("looking for shortcuts")
    yield from shortcuts.all_shortcuts(data, scan, sizes, best)
