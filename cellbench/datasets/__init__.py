"""Data sets: from any source to a Dataset. Those of cellbench are imported when one is first asked for.

sources: published sets, a file each. folder: one's own images. files: decoding, archives, downloads and the cache.
audit: what in a data set would mislead. display: pictures of its cells. At the top what they share: registry (data sets
by name), opening (a data set by its name or its folder), cached (what is prepared of each), splits and named_splits
(how images are shared out), preprocessing (what is done to them before a method sees them), inspection (a look at a
data set, with the audit), remarks (what a split leaves too little of), conformance (what every data set must be), toy
(rings for tests).
"""

from .registry import DatasetEntry, dataset, datasets

__all__ = ["DatasetEntry", "dataset", "datasets"]
