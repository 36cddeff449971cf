"""The labels of new images as a table: CSV, Parquet or JSON, written a batch at a time."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np

from ...core.extras import EXTRAS
from ...core.mixed_values import Document, Facts
from ...core.text.shown_text import csv_cell
from .labelling import Batch, Tally
from .models import Model

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 1
FACTS = ("method", "dataset", "split", "synthetic", "seed", "limit", "metrics", "version")  # of a model, in JSON


@dataclass(frozen=True)
class LabelColumns:
    """What to show of each image: the `top` likeliest labels, and with `every_score` the scores of all classes."""

    top: int = 1
    every_score: bool = False


@dataclass(frozen=True, eq=False)
class LabelTable:
    """All that a table is written from. batches: the images with their scores, which `tally` counts as they come."""

    model: Model
    batches: Iterable[Batch]
    tally: Tally
    shown: LabelColumns

    @property
    def figure(self) -> str:
        """What the scores that are shown are called."""
        return "probability" if self.model.has_probabilities else "decision_value"

    def rows(self, batch: Batch) -> Iterator[Document]:
        """Yield of each image the file, labels and their scores, the layout's places, and perhaps all scores."""
        model = self.model
        figures, decided = model.figures(batch.scores), model.decided(batch.scores)
        # stable, so that among equal scores the first class comes first, as when the label is decided
        order = np.argsort(-batch.scores, axis=1, kind="stable")[:, : self.shown.top]
        for i, file in enumerate(batch.files):
            chosen = np.flatnonzero(decided[i]) if model.multilabel else order[i]
            row: Document = {
                "file": file,
                "labels": [model.classes[k] for k in chosen],
                "scores": [rounded(figures[i, k]) for k in chosen],
            }
            if batch.places[i]:
                row["places"] = batch.places[i]
            if self.shown.every_score:
                row["all"] = {name: rounded(figures[i, k]) for k, name in enumerate(model.classes)}
            yield row

    def cells(self, row: Facts) -> Document:
        """Return a row as cells by column; of several labels an image, those of one cell are in a list."""
        labels, scores = row["labels"], row["scores"]
        cells: Document = {"file": row["file"], **row.get("places", {})}
        if self.model.multilabel:
            cells |= {"label": labels, self.figure: scores}
        else:
            for k, pair in enumerate(zip(labels, scores, strict=True), 1):
                end = "" if k == 1 else f"_{k}"
                cells |= dict(zip((f"label{end}", self.figure + end), pair, strict=True))
        return cells | {f"{self.figure}:{name}": score for name, score in row.get("all", {}).items()}


def rounded(figure: float) -> float:
    """Return a figure with six significant digits."""
    return float(f"{figure:.6g}")


def write_csv(answer: LabelTable, out: IO[bytes]) -> None:
    """Write a line an image; several labels of an image, and their scores, are joined by ';'."""
    begun = False
    for batch in answer.batches:
        text = io.StringIO()
        write = csv.writer(text, lineterminator="\n").writerow
        for cells in map(answer.cells, answer.rows(batch)):
            if not begun:
                write(cells)
                begun = True
            write(
                [
                    csv_cell(_joined(cell) if isinstance(cell, list) else cell, bytes_stay=True)
                    for cell in cells.values()
                ]
            )
        out.write(text.getvalue().encode("utf-8", "surrogateescape"))


def write_parquet(answer: LabelTable, out: IO[bytes]) -> None:
    """Write a row an image; several labels of an image, and their scores, are lists. Raises BackendError."""
    EXTRAS["parquet"].require("Parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for batch in answer.batches:
        cells = [answer.cells(row) for row in answer.rows(batch)]
        columns = {name: pa.array([_valid(row[name]) for row in cells], _type(cells, name)) for name in cells[0]}
        table = pa.table(columns).replace_schema_metadata({"cellbench": json.dumps(_model(answer.model))})
        writer = writer or pq.ParquetWriter(out, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def write_json(answer: LabelTable, out: IO[bytes]) -> None:
    """Write one object, which docs/predict.md describes. All of it is held in memory."""
    model = answer.model
    images = [row for batch in answer.batches for row in answer.rows(batch)]
    thresholds = model.figures(np.array([model.thresholds], np.float32))[0] if model.multilabel else []
    document = {
        "schema_version": SCHEMA_VERSION,
        "model": _model(model),
        "scores_are": answer.figure,
        "calibrated": bool(model.calibration),
        "classes": model.classes,
        "thresholds": [rounded(each) for each in thresholds],
        "images": images,
        "unreadable": [{"file": name, "reason": reason} for name, reason in answer.tally.unreadable],
    }
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    out.write(text.encode("utf-8", "surrogateescape"))


FORMATS: Mapping[str, Callable[[LabelTable, IO[bytes]], None]] = {
    "csv": write_csv,
    "parquet": write_parquet,
    "json": write_json,
}


def _model(model: Model) -> Document:
    return {name: getattr(model, name) for name in FACTS}


def _joined(cells: Iterable[str | float]) -> str:
    return ";".join(cell if isinstance(cell, str) else f"{cell:g}" for cell in cells)


def _type(rows: list[Document], name: str) -> "pa.DataType":
    """The type of a column. It is the same in every batch, even where no image of it has a label."""
    import pyarrow as pa

    several = isinstance(rows[0][name], list)
    is_score = name.startswith(("probability", "decision_value"))
    one = pa.float64() if is_score else pa.string()
    return pa.list_(one) if several else one


def _valid(cell: object) -> object:
    """A file's name whose bytes are no UTF-8 gets question marks, as Parquet has no other text."""
    return cell.encode("utf-8", "replace").decode() if isinstance(cell, str) else cell
