"""Results of slow searches through images, kept as JSON files in the cache folder.

The name of a file is a hash of everything that the result depends on: images, split, settings and version.
"""

import contextlib
import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...core.errors import CellbenchError
from ...core.machine.environment import cache_folder
from ...core.machine.files import read_text
from ...core.mixed_values import Document
from ...core.records.store import write_whole

LARGEST = 100e6  # bytes of what is kept


def place(kind: str, settings: object, *arrays: NDArray[np.generic]) -> Path:
    """Return the file for what follows from the settings, this version of cellbench and the arrays.

    kind: name of a folder in the cache.
    """
    digest = hashlib.sha256(repr((__version__, settings)).encode())
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode() + np.ascontiguousarray(array).tobytes())
    return cache_folder() / kind / f"{digest.hexdigest()[:32]}.json"


def read(file: Path) -> Document | None:
    """Return what the file keeps; None if there is no such file, or it holds no JSON object."""
    try:
        found = json.loads(read_text(file, LARGEST))
    except (OSError, CellbenchError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def write(file: Path, found: Document) -> None:
    """Keep what was found. A cache that cannot be written to costs time alone."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, lambda part: part.write(json.dumps(found).encode()))
