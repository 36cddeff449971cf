"""Runs as AnnData files, one a run: what the classifier saw of each image, its scores, and where all of it is from."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.errors import DataError
from ..core.extras import EXTRAS
from ..core.mixed_values import Document
from ..core.records.store import write_whole_folder
from .cells import SCORE, ExportedRun, Selection

if TYPE_CHECKING:
    from anndata import AnnData

OF_THE_RUN = (
    "run",
    "machine",
    "dataset",
    "split",
    "method",
    "settings",
    "limit",
    "seed",
)  # columns that all cells share


def write_anndata(selection: Selection, output: Path) -> None:
    """Write a file for each run into the folder `output`. Raises BackendError if anndata is missing.

    X holds what the classifier saw (see exports.features) if the run saved its model and its data set is prepared
    here, else the scores; `uns["X"]` says which.
    """
    EXTRAS["anndata"].require("--to anndata")
    selection.leave_out_unpredicted()
    with write_whole_folder(output) as folder:
        for one in selection.runs:
            if (frame := selection.frame(one)) is not None:
                _annotated(selection, one, frame).write_h5ad(folder / f"{one.name}.h5ad")


def _annotated(selection: Selection, one: ExportedRun, frame: pd.DataFrame) -> "AnnData":
    import anndata

    classes = list(one.run.classes)
    scores = frame[[f"{SCORE}{name}" for name in classes]].to_numpy(np.float32)
    what, features = _features(selection, one, frame["index"].to_numpy()) or ("scores of the classes", scores)
    named = classes if features is scores else [f"feature {k + 1}" for k in range(features.shape[1])]
    return anndata.AnnData(
        X=features,
        obs=_observations(frame, classes),
        var=pd.DataFrame(index=pd.Index(named, dtype=object)),
        obsm={"scores": scores},
        uns={"X": what, "classes": np.array(classes, dtype=object), "provenance": _provenance(selection, one)},
    )


def _observations(frame: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Return what is known of each cell, by a name of its own: its file's, or its position in the data set."""
    known = frame["id"].notna().all() and frame["id"].is_unique
    names = frame["id"].tolist() if known else [f"image {at}" for at in frame["index"]]
    cells = frame.drop(
        columns=[*OF_THE_RUN, "id", *(name for name in frame.columns.astype(str) if name.startswith(SCORE))]
    )
    for name in ("label", "predicted"):
        if isinstance(cells[name].iloc[0], list):
            cells[name] = [";".join(each) for each in cells[name]]
        else:
            cells[name] = pd.Categorical(cells[name], categories=classes)
    cells["part"] = pd.Categorical(cells["part"])
    cells = cells.drop(columns="group") if cells["group"].isna().any() else cells.astype({"group": "int64"})
    return cells.set_index(pd.Index(names, dtype=object))


def _features(
    selection: Selection, one: ExportedRun, index: NDArray[np.int64]
) -> tuple[str, NDArray[np.float32]] | None:
    """Return what X is and X itself, from the run's saved model; None if there is no such model or no images."""
    from ..running.saved_models import models
    from .features import seen_by_classifier

    file, data = one.run.file.with_suffix(models.SUFFIX), selection.data(one.run)
    if data is None or not file.is_file():
        selection.notes.append(f"{one.name}: X is its scores, as no model was saved with it or its images are not here")
        return None
    try:
        model = models.load(file)
        return seen_by_classifier(model, models.restore(model, "cpu"), data, index)
    except DataError as error:
        selection.notes.append(f"{one.name}: X is its scores: {error}")
        return None


def _provenance(selection: Selection, one: ExportedRun) -> Document:
    """Return where the numbers are from, as text and mappings of text and numbers, which is what such files hold."""
    record, data = one.run.record, selection.data(one.run)
    return {
        "run": record.spec.key,
        "machine": one.row.machine,
        "spec": json.dumps(record.spec.form, ensure_ascii=False),
        "metrics": {part: dict(figures) for part, figures in record.metrics.items()},
        "chosen": json.dumps(record.chosen, ensure_ascii=False),
        "synthetic": bool(record.facts.get("synthetic")),
        "licence": str(record.facts.get("licence", "")),
        "citation": "" if data is None else data.info.citation,
        "cellbench": record.version,
    }
