"""Heatmaps of a run: where its net looked on some images. They lie beside the record, as predictions do."""

import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..machine.files import check_regular
from .store import LARGEST_PREDICTIONS, write_whole

ENDING = ".heatmaps.npz"


@dataclass(frozen=True, eq=False)
class Heatmaps:
    """Where a net looked on some images of its data set.

    index: positions of the images, (n,). maps: (n, height, width) uint8, of each image 255 where the net looked most.
    layer: the layer of the net that was asked.
    """

    index: NDArray[np.int64]
    maps: NDArray[np.uint8]
    layer: str

    def on_border(self, pixels: int) -> tuple[float, float]:
        """Return the share of the light of all maps that lies in the outermost pixels, and these pixels' share."""
        inner = self.maps[:, pixels:-pixels, pixels:-pixels]
        total = float(self.maps.sum(dtype=np.float64)) or 1.0
        return 1 - float(inner.sum(dtype=np.float64)) / total, 1 - inner.size / self.maps.size


def save_heatmaps(record: Path, heatmaps: Heatmaps) -> Path:
    """Write the heatmaps beside the record of their run, whole or not at all, and return their file."""
    arrays = {**vars(heatmaps), "record": _digest(record)}
    path = record.with_suffix(ENDING)
    write_whole(path, lambda file: np.savez_compressed(file, **arrays))
    return path


def read_heatmaps(record: Path) -> Heatmaps | None:
    """Return the heatmaps beside a record; None if there are none, or those of an earlier attempt at the run."""
    try:
        check_regular(record.with_suffix(ENDING), LARGEST_PREDICTIONS)
        with np.load(record.with_suffix(ENDING)) as kept:
            if str(kept["record"]) != _digest(record):
                return None
            return Heatmaps(kept["index"], kept["maps"], str(kept["layer"]))
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        return None


def _digest(record: Path) -> str:
    return hashlib.sha256(record.read_bytes()).hexdigest()[:16]
