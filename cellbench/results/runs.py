"""One run of a folder: its record, and its prediction for each image. Files are read once and kept."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.data import Labels
from ..core.records.runs import RunRecord
from ..core.records.store import Predictions, read_predictions
from ..core.records.stress import SUFFIX, StressRecord
from ..core.records.stress import read as read_stress
from ..core.records.stress_answers import Answers, read_answers
from ..core.scoring.metrics import decide, per_class
from ..core.split_names import keeps_together
from ..core.text.console import note
from .fitting_predictions import SCORED_PARTS, misfit, thresholds_of


@dataclass(frozen=True, eq=False)
class Predicted:
    """The predictions of one run on one part of the data.

    truth, predicted: labels, (n,) int64 or (n, classes) bool. scores: (n, classes) float32. thresholds: what scores had
    to exceed, (classes,), or 0. index: positions of the images in the data set, (n,). groups: (n,), or None if there
    are none or the record is of an older version.
    """

    truth: Labels
    predicted: Labels
    scores: NDArray[np.float32]
    thresholds: NDArray[np.float64] | float
    index: NDArray[np.int64]
    groups: NDArray[np.int64] | None


class Run:
    """A run in a folder of records. file: path of its record.

    The text of the record was read when the folder was, and is kept compressed: a folder may have tens of thousands.
    Predictions are read when somebody asks for them.
    """

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self._text = zlib.compress(text.encode("utf-8"), 1)

    def __repr__(self) -> str:
        return f"Run({str(self.file)!r})"

    @cached_property
    def record(self) -> RunRecord:
        return RunRecord.from_json(zlib.decompress(self._text).decode("utf-8"))

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes; empty in a record that does not have them."""
        return self.record.facts.get("classes") or ()

    @property
    def groups_unknown(self) -> bool:
        """Whether the split keeps images together, and the predictions, of an older version, do not say which."""
        found = self.predicted() if keeps_together(self.record.spec.split) else None
        return found is not None and found.groups is None

    @property
    def by_class(self) -> Mapping[str, list[float | None]] | None:
        """Precision, recall, F1 and number of images of each class on test; see `core.scoring.metrics.per_class`.

        For an older record, which lacks them, they are computed from the predictions; None without predictions.
        """
        kept = self.record.per_class.get("test")
        if kept:
            return kept
        found = self.predicted()
        return None if found is None else per_class(found.truth, found.scores, found.thresholds)

    def predicted(self, part: str = "test") -> Predicted | None:
        """Return the predictions for the images of 'val' or 'test', or None if there are none."""
        return self._predictions.get(part)

    @property
    def stress(self) -> StressRecord | None:
        """The stress test of the run's model, or None if there is none, or one that does not fit the record."""
        return self._stress[0]

    @property
    def stress_problem(self) -> str:
        """Why a stress test that lies beside the record is not used, or empty."""
        return self._stress[1]

    @cached_property
    def stress_answers(self) -> Answers | None:
        """The labels that the figures of the stress test come from, or None if there are none."""
        return None if self.stress is None else read_answers(self.file, self.stress)

    @cached_property
    def _stress(self) -> tuple[StressRecord | None, str]:
        file = self.file.with_suffix(SUFFIX)
        try:
            found = read_stress(file)
        except ValueError as error:
            return None, f"{file.name}: {error}"
        if found is None:
            return None, ""
        for name in ("method", "dataset", "fingerprint", "split", "seed"):
            if getattr(found, name) != getattr(self.record.spec, name):
                return None, f"{file.name}: its {name} is {getattr(found, name)!r}, which is not that of the record"
        if found.trained and found.trained != self.record.metrics.get("test"):
            return (
                None,
                f"{file.name}: of an earlier training of this run; test it again with: cellbench stress --force",
            )
        return found, ""

    @cached_property
    def _predictions(self) -> dict[str, Predicted]:
        if not self.file.with_suffix(".npz").exists():
            return {}
        kept = read_predictions(self.file)
        why = "they are damaged" if kept is None else misfit(kept, self.record)
        if why or not kept:
            note(f"passed over {self.file.with_suffix('.npz')}: predictions that are not those of the record, as {why}")
            return {}
        return {part: self._decided(part, kept) for part in SCORED_PARTS if f"{part}_scores" in kept}

    def _decided(self, part: str, kept: Predictions) -> Predicted:
        truth, scores = kept[f"{part}_labels"], kept[f"{part}_scores"]
        thresholds = thresholds_of(self.record, truth)
        predicted = decide(scores, truth.ndim == 2, thresholds)
        return Predicted(truth, predicted, scores, thresholds, kept[f"{part}_index"], kept.get(f"{part}_groups"))


def same_images(several: Sequence[Predicted | None]) -> bool:
    first = several[0]
    return first is not None and all(
        one is not None and np.array_equal(one.index, first.index) and np.array_equal(one.truth, first.truth)
        for one in several
    )
