"""Tables that are no text in columns: JSON lines and Parquet, as header and rows of text."""

import io
import json
from collections.abc import Mapping, Sequence

from ...core.errors import DataError
from ...core.extras import EXTRAS
from ...core.mixed_values import Facts
from .find import Blob

JSON_LINES, PARQUET = (".jsonl", ".ndjson"), (".parquet",)
Rows = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]  # header, and the cells of each row


def read_json_lines(text: str, name: str) -> Rows:
    """Return header and rows of a file with one JSON object a line; a list becomes its members, joined by ';'."""
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise DataError(f"{name} line {number} is no JSON: {error}; mend the line") from error
        if not isinstance(record, dict):
            raise DataError(f"{name} line {number} is {type(record).__name__}; one object a line is expected")
        records.append(record)
    return _rows(records)


def read_parquet(blob: Blob, name: str) -> Rows:
    """Return header and rows of a Parquet file. Raises DataError when pyarrow is not installed or cannot read it."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise DataError(f"{name} is Parquet, which takes pyarrow: {EXTRAS['parquet'].command}") from None
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(blob) if isinstance(blob, bytes) else blob)
        return _rows(table.to_pylist())
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{name} cannot be read as Parquet: {str(error).splitlines()[0]}") from error


def _rows(records: Sequence[Facts]) -> Rows:
    header = tuple(dict.fromkeys(str(key) for record in records for key in record))
    return header, tuple(tuple(_cell(record.get(key)) for key in header) for record in records)


def _cell(value: object) -> str:
    """Return a value as it stands in a cell of a text table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list | tuple):
        return ";".join(map(_cell, value))
    if isinstance(value, Mapping):  # an image that lies in the table itself: its path
        return _cell(value.get("path"))
    return str(value).strip()
