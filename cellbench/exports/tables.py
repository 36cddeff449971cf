"""Scores of images as one CSV or Parquet file, written run by run."""

from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from ..core.extras import EXTRAS
from ..core.records.store import write_whole
from ..core.text.shown_text import csv_cell
from .cells import Selection

if TYPE_CHECKING:
    import pyarrow as pa


def write_csv(selection: Selection, output: Path) -> None:
    """Write a line for each run and image; several labels of an image are joined by ';'."""
    selection.leave_out_unpredicted()
    selection.check_classes()

    def write(file: IO[bytes]) -> None:
        for number, frame in enumerate(selection.frames()):
            for name in ("label", "predicted") if selection.several_labels else ():
                frame[name] = [";".join(names) for names in frame[name]]
            texts = [str(name) for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
            frame[texts] = frame[texts].map(csv_cell)
            file.write(frame.to_csv(index=False, header=not number).encode("utf-8"))

    write_whole(output, write)


def write_parquet(selection: Selection, output: Path) -> None:
    """Write a row for each run and image; several labels of an image are a list.

    Raises BackendError if pyarrow is missing.
    """
    EXTRAS["parquet"].require("--to parquet")
    selection.leave_out_unpredicted()
    selection.check_classes()
    write_whole(output, lambda file: parquet(selection.frames(), file))


def parquet(frames: Iterable[pd.DataFrame], file: Path | IO[bytes]) -> None:
    """Write frames with the same columns to one Parquet file. file: a path, or a binary file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for frame in frames:
        table = pa.table({name: pa.array(frame[name], _type_of(str(name), frame[name])) for name in frame})
        if writer is None:
            writer = pq.ParquetWriter(file, table.schema)
        writer.write_table(table.cast(writer.schema))
    if writer is not None:
        writer.close()


def _type_of(name: str, values: "pd.Series[Any]") -> "pa.DataType | None":
    """Return the Arrow type of a column of texts or lists of texts, which has none of its own if all are empty."""
    import pyarrow as pa

    if name not in ("id", "label", "predicted"):
        return None
    return pa.list_(pa.string()) if len(values) and isinstance(values.iloc[0], list) else pa.string()
