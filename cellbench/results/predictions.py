"""What a run said of each image: the arrays beside its record, decided at its thresholds."""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.metrics import decide
from ..core.metrics import per_class as figures_of
from ..core.runs import RunRecord
from ..core.store import read_predictions

KEPT = 256  # files in memory: a row is compared with many others


@dataclass(frozen=True, eq=False)
class Predicted:
    """One part of one run: truth and predicted, (n,) int64 or (n, classes) bool; scores (n, classes) float32 and
    the thresholds that decided; index: positions in the data set (n,); groups (n,), or None where there are none or the
    record is of an older version."""

    truth: NDArray
    predicted: NDArray
    scores: NDArray[np.float32]
    thresholds: NDArray | float
    index: NDArray[np.int64]
    groups: NDArray[np.int64] | None


def read(file: str | Path, part: str = "test") -> Predicted | None:
    """What the run whose record is `file` said of the images of 'val' or 'test'; None without predictions."""
    arrays = Path(file).with_suffix(".npz")
    return _read(str(file), part, arrays.stat().st_mtime_ns) if arrays.is_file() else None


@functools.lru_cache(maxsize=KEPT)
def _read(file: str, part: str, written: int) -> Predicted | None:
    kept = read_predictions(Path(file))
    if kept is None or f"{part}_scores" not in kept:
        return None
    truth, scores = kept[f"{part}_labels"], kept[f"{part}_scores"]
    several = truth.ndim == 2
    thresholds = (
        np.array(json.loads(Path(file).read_text("utf-8")).get("chosen", {}).get("thresholds", 0.0)) if several else 0.0
    )
    predicted = decide(scores, several, thresholds)
    return Predicted(truth, predicted, scores, thresholds, kept[f"{part}_index"], kept.get(f"{part}_groups"))


def same_images(several: Sequence[Predicted | None]) -> bool:
    first = several[0]
    return first is not None and all(
        one is not None and np.array_equal(one.index, first.index) and np.array_equal(one.truth, first.truth)
        for one in several
    )


def figures_by_class(file: str) -> dict[str, list] | None:
    """By class on test: from the record, or from the predictions beside one that was written before it had them."""
    kept = json.loads(Path(file).read_text("utf-8")).get("per_class", {}).get("test")
    if kept:
        return kept
    told = read(file)
    return None if told is None else figures_of(told.truth, told.scores, told.thresholds)


def record_of(file: str) -> RunRecord:
    return RunRecord.from_json(Path(file).read_text(encoding="utf-8"))
