"""Tensors of torch: from arrays, and to files."""

import warnings
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def as_tensor(images: Tensor | NDArray[np.generic]) -> Tensor:
    """Return images as a tensor, which must not be written to.

    Arrays that torch cannot share (not contiguous, big-endian, in memory that is read-only as that of a memory map) are
    copied. A read-only view of memory that can be written is shared.
    """
    if isinstance(images, np.ndarray):
        images = np.ascontiguousarray(images, images.dtype.newbyteorder("="))
        with warnings.catch_warnings(action="ignore"):  # that the tensor could be written to, and the array could not
            return torch.from_numpy(images if _owner(images).flags.writeable else images.copy())
    return images


def lacks_memory(error: Exception) -> bool:
    """Whether torch raised the error because memory did not suffice; on the CPU that is a plain RuntimeError."""
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


class NoTensorsError(ValueError):
    """A file that is damaged, or holds more than tensors, numbers and text."""


def load_tensors(path: Path, *, mmap: bool = False) -> Any:
    """Return what `save_tensors` or torch.save wrote to a file, on the CPU, without executing any code in it.

    mmap: leave the tensors in the file until they are used.

    Raises OSError for a file that cannot be opened, NoTensorsError for one with other or damaged content, and
    MemoryError or torch's RuntimeError where memory does not suffice.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of how the file was pickled, when it is none of ours
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # torch, zipfile and pickle raise any: KeyError for text, IndexError for a few bytes
        if lacks_memory(error):
            raise
        raise NoTensorsError("it is damaged, or no file of tensors and numbers alone") from None


def save_tensors(value: object, file: IO[bytes]) -> None:
    """Write tensors, numbers, text, and lists and mappings of them, as torch.save does.

    Raises the OSError of a disk that is full, which torch.save hides behind a RuntimeError.
    """
    writer = _Writer(file)
    try:
        torch.save(value, writer)  # type: ignore[arg-type]
    except RuntimeError:
        if writer.error:
            raise writer.error from None
        raise


class _Writer:
    """Passes on what is written to a file, and keeps the error of the first failure."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = self.error or error
            raise

    def flush(self) -> None:
        self._file.flush()


def _owner(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return the array that the memory of an array belongs to."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
