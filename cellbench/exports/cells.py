"""The scores of each image of val and test, run by run, with the image's file, label and group."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.data import Dataset, Labels
from ..core.errors import DataError, UsageError
from ..core.records.runs import canonical_text
from ..core.text.words import counted
from ..datasets.display.thumbnails import prepared_dataset
from ..results.fitting_predictions import SCORED_PARTS
from ..results.results import Results
from ..results.rows.row import Row
from ..results.runs import Predicted, Run

SCORE = "score:"  # before a class's name, the column of its scores


@dataclass(frozen=True, eq=False)
class ExportedRun:
    """A run to export. row: the row of results that it belongs to."""

    run: Run
    row: Row

    @property
    def name(self) -> str:
        """A name for a file: 'resnet18-s0-1a2b3c4d5e6f'."""
        spec = self.run.record.spec
        return f"{spec.method}-s{spec.seed}-{spec.key}".replace(":", "-")


@dataclass(eq=False)
class Selection:
    """The runs to export, and the data sets that know their images' files. notes: for the user, in order."""

    runs: list[ExportedRun]
    notes: list[str]
    _data: dict[str, Dataset | None] = field(default_factory=dict)

    @classmethod
    def of(cls, results: Results, conditions: Sequence[str]) -> "Selection":
        """Select the runs with results of the rows for which the conditions hold; see `Results.where`.

        Raises UsageError if there is none.
        """
        rows = results.where(conditions)
        runs = [ExportedRun(run, row) for row in rows for run in row.runs]
        if not runs:
            raise UsageError(f"no run in {str(results.folder)!r} has results to export; see them with: cellbench table")
        lost = sum(row["n_runs"] for row in rows) - len(runs)
        notes = [f"{counted(lost, 'run')} without results left out"] if lost else []
        return cls(runs, notes)

    def data(self, run: Run) -> Dataset | None:
        """Return the prepared data set of a run, or None, with a note, where it is not on this machine."""
        spec = run.record.spec
        if spec.fingerprint not in self._data:
            self._data[spec.fingerprint] = None
            try:
                data = self._data[spec.fingerprint] = prepared_dataset(spec.dataset, spec.fingerprint)
                if data.ids is None:
                    self.notes.append(f"no names of files: {spec.dataset!r} as it is prepared here does not know them")
            except DataError as error:
                self.notes.append(f"no names of files: {error}")
        return self._data[spec.fingerprint]

    def check_classes(self) -> None:
        """Raise UsageError if the classes of two runs differ, as their scores then do not fit into one table."""
        first = self.runs[0]
        for other in self.runs[1:]:
            if list(other.run.classes) != list(first.run.classes):
                raise UsageError(
                    f"{first.row.dataset} and {other.row.dataset} have other classes, so their scores do not fit into "
                    f"one table; choose one of them, such as --where dataset={first.row.dataset}"
                )

    @property
    def several_labels(self) -> bool:
        return any(one.row.several_labels for one in self.runs)

    def leave_out_unpredicted(self) -> None:
        """Leave out runs that kept no predictions, and note them by data set. Raises UsageError if none is left."""
        kept = [one for one in self.runs if any(one.run.predicted(part) is not None for part in SCORED_PARTS)]
        if not kept:
            raise UsageError("none of these runs has its predictions beside its record; nothing can be exported")
        lost = Counter(one.row.dataset for one in self.runs if one not in kept)
        for dataset, n in lost.items():
            self.notes.append(f"{counted(n, 'run')} on {dataset} without predictions beside the record left out")
        self.runs = kept

    def frames(self, parts: Sequence[str] = SCORED_PARTS) -> Iterator[pd.DataFrame]:
        """Yield the frame of each run that kept predictions of these parts; see `frame`."""
        for one in self.runs:
            if (found := self.frame(one, parts)) is not None:
                yield found

    def frame(self, one: ExportedRun, parts: Sequence[str] = SCORED_PARTS) -> pd.DataFrame | None:
        """Return a row for each image: the run's facts, the image's file, group and label, prediction and all scores.

        label, predicted: a class's name, or a list of them where images have several labels. None if the run kept no
        predictions.
        """
        data = self.data(one.run)
        frames = [
            _frame(one, part, predicted, None if data is None else data.ids)
            for part in parts
            if (predicted := one.run.predicted(part)) is not None
        ]
        return pd.concat(frames, ignore_index=True) if frames else None


def _frame(one: ExportedRun, part: str, predicted: Predicted, ids: NDArray[np.str_] | None) -> pd.DataFrame:
    spec, classes = one.run.record.spec, one.run.classes
    n = len(predicted.index)
    facts: dict[str, object] = {
        "run": spec.key,
        "machine": one.row.machine,
        "dataset": spec.dataset,
        "split": spec.split,
        "method": spec.method,
        "settings": canonical_text(one.run.record.overrides),
        "limit": spec.limit,
        "seed": spec.seed,
        "part": part,
    }
    columns: dict[str, object] = {name: [value] * n for name, value in facts.items()}
    columns["limit"] = pd.array([spec.limit] * n, "Int64")
    columns["index"] = predicted.index
    columns["id"] = [None] * n if ids is None else [_valid(name) for name in ids[predicted.index].tolist()]
    columns["group"] = pd.array([None] * n if predicted.groups is None else predicted.groups.tolist(), "Int64")
    columns["label"] = names_of(predicted.truth, classes)
    columns["predicted"] = names_of(predicted.predicted, classes)
    columns["correct"] = (predicted.truth == predicted.predicted).reshape(n, -1).all(1)
    columns |= {f"{SCORE}{name}": predicted.scores[:, k] for k, name in enumerate(classes)}
    return pd.DataFrame(columns)


def names_of(labels: Labels, classes: Sequence[str]) -> list[str] | list[list[str]]:
    """Return the class's name of each image, or a list of names where images have several labels."""
    if labels.ndim == 1:
        return [classes[k] for k in labels.tolist()]
    return [[classes[k] for k in np.flatnonzero(row).tolist()] for row in labels]


def _valid(name: str) -> str:
    return name.encode("utf-8", "replace").decode()
