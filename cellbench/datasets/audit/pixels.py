"""One pass over the images, chunk by chunk, that keeps a few hundred numbers of each."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...core.data import Dataset
from ...core.machine.memory import release_pages

CHUNK = 2**22  # pixel values held as float32 at a time
THUMB = 12  # side of the thumbnails that are compared
FRAME, SEGMENTS = 2, 8  # the border: its width in pixels, and the number of means along each line of it
FLOAT_SAMPLE = 2_000_000  # pixels of each channel from which quantiles of float images are computed


@dataclass(frozen=True, eq=False)
class Scan:
    """What one pass over n images keeps.

    digests: (n,) a hash of each image's pixels. means: (n, channels) the mean of each channel. deviation: (n,) the
    standard deviation, averaged over channels. thumbs: (n, THUMB, THUMB) thumbnails, averaged over channels. frame:
    (n, features) that describe the border, see `_frame`. levels: each channel's range and quantiles over all images.
    """

    digests: NDArray[np.uint64]
    means: NDArray[np.float32]
    deviation: NDArray[np.float32]
    thumbs: NDArray[np.float32]
    frame: NDArray[np.float32]
    levels: tuple[Mapping[str, float], ...]


def scan(data: Dataset) -> Scan:
    """Read all images in chunks, so that little memory is needed whatever their number."""
    n, channels = data.images.shape[:2]
    digests = np.empty(n, np.uint64)
    means, deviation = np.empty((n, channels), np.float32), np.empty(n, np.float32)
    thumbs = np.empty((n, THUMB, THUMB), np.float32)
    frame: list[NDArray[np.float32]] = []
    tally = _Tally(data.images)
    for rows, raw in _chunks(data.images):
        digests[rows] = [int.from_bytes(hashlib.blake2b(image.data, digest_size=8).digest(), "big") for image in raw]
        values = raw.astype(np.float32)
        means[rows] = values.mean((2, 3))
        deviation[rows] = values.std((2, 3)).mean(1)
        thumbs[rows] = shrunk(values.mean(1), THUMB)
        frame.append(_frame(values))
        tally.add(raw)
    return Scan(digests, means, deviation, thumbs, np.concatenate(frame), tally.levels())


def _chunks(array: NDArray) -> Iterator[tuple[slice, NDArray]]:
    """Yield the rows of each chunk and its images, so that the whole never has to fit in memory."""
    step = max(1, CHUNK // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, len(array), step):
        rows = slice(start, min(start + step, len(array)))
        yield rows, np.ascontiguousarray(array[rows])
        release_pages(array)


def shrunk(planes: NDArray, side: int) -> NDArray[np.float32]:
    """(…, height, width) → (…, side, side) float32. Each new pixel is the mean of the area that it covers."""
    height, width = planes.shape[-2:]
    return _averaging(height, side) @ planes.astype(np.float32) @ _averaging(width, side).T


def _averaging(size: int, n: int) -> NDArray[np.float32]:
    """(n, size) weights: row i averages the pixels in the i-th of n equal stretches of a line of `size` pixels."""
    edges = np.arange(n + 1)[:, None] * size / n
    covered = np.clip(edges - np.arange(size), 0, 1)
    return (np.diff(covered, axis=0) * n / size).astype(np.float32)


def _frame(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return features of each channel's outermost pixels, (n, features): means along lines, deviation, extremes."""
    across = [values[:, :, row] for depth in range(FRAME) for row in (depth, -1 - depth)]
    down = [values[..., column] for depth in range(FRAME) for column in (depth, -1 - depth)]
    pixels = np.concatenate(across + down, 2)
    steps = [line @ _averaging(line.shape[2], SEGMENTS).T for line in across + down]
    spread = np.stack([pixels.std(2), pixels.min(2), pixels.max(2)], 2)
    return np.concatenate([*steps, spread], 2).reshape(len(values), -1)


class _Tally:
    """Counts the grey levels of each channel: of all pixels of integer images, of an even sample of float ones."""

    def __init__(self, array: NDArray) -> None:
        self._levels = np.iinfo(array.dtype).max + 1 if array.dtype.kind == "u" else 0
        channels = array.shape[1]
        self._counts = np.zeros((channels, self._levels), np.int64)
        self._sample: list[NDArray] = []
        self._step = max(1, array.size // channels // FLOAT_SAMPLE)
        self._low, self._high = np.full(channels, np.inf), np.full(channels, -np.inf)

    def add(self, raw: NDArray) -> None:
        """Count the pixels of a chunk."""
        planes = np.moveaxis(raw, 1, 0).reshape(raw.shape[1], -1)
        self._low, self._high = np.minimum(self._low, planes.min(1)), np.maximum(self._high, planes.max(1))
        if self._levels:
            self._counts += [np.bincount(plane, minlength=self._levels) for plane in planes]
        else:
            self._sample.append(planes[:, :: self._step].copy())

    def levels(self) -> tuple[Mapping[str, float], ...]:
        """Return each channel's range, its quantiles, and the shares of its saturated and black pixels."""
        sample = np.concatenate(self._sample, 1) if self._sample else None
        found = []
        for k, (low, high) in enumerate(zip(self._low, self._high, strict=True)):
            if sample is None:
                total = self._counts[k].cumsum()
                quantiles = [int(np.searchsorted(total, share * total[-1])) for share in (0.01, 0.5, 0.99)]
                bits = used_bits(np.dtype("uint8" if self._levels == 256 else "uint16"), self._high.max())
                saturated, dark = (self._counts[k, level] / total[-1] for level in (2**bits - 1, 0))
            else:
                quantiles = np.quantile(sample[k], (0.01, 0.5, 0.99)).tolist()
                saturated, dark = np.mean(sample[k] == high), np.mean(sample[k] == 0)
            names = ("min", "p1", "median", "p99", "max", "saturated", "zero")
            values = (low, *quantiles, high, saturated, dark)
            found.append(dict(zip(names, map(float, values), strict=True)))
        return tuple(found)


def used_bits(dtype: np.dtype, top: float) -> int:
    """How many bits the values use. A camera of 12 bits writes files of 16 bits, and is saturated at 4,095."""
    if dtype == np.uint16:
        return next(bits for bits in (8, 10, 12, 14, 16) if top < 2**bits)
    return 8 * dtype.itemsize
