"""Keeping large arrays out of this process's memory."""

import mmap

import numpy as np
from numpy.typing import NDArray


def release_pages(array: NDArray[np.generic]) -> None:
    """Drop a memory map's pages from this process's memory; they stay in the file and are read again on demand.

    An array that is no memory map, nor a part of one, is left as it is.
    """
    base = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
