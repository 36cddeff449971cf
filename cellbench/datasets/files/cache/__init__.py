"""The cache: data sets that were decoded once, and downloaded files, in one folder of the user's.

places: where things are. prepared: data sets written and read back. scratch: how they are written whole or not at all.
contents: what there is, and how it is cleaned.
"""

from ..locking import in_use
from .contents import CacheItem, contents, remove, size_of, sweep
from .places import DOWNLOADS, FORMAT, IMAGES, is_ready, location, meta
from .prepared import fingerprint, prepare, read

__all__ = [
    "DOWNLOADS",
    "FORMAT",
    "IMAGES",
    "CacheItem",
    "contents",
    "fingerprint",
    "in_use",
    "is_ready",
    "location",
    "meta",
    "prepare",
    "read",
    "remove",
    "size_of",
    "sweep",
]
