"""Reads and writes the file to which `cellbench bench -o` adds its measurements."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ...core.errors import DataError, UsageError, cannot_write
from ...core.machine.files import read_text
from ...core.records.store import write_whole
from .measure import Measurement

LARGEST_HISTORY = 64e6  # bytes
FORMAT = "cellbench bench 1"


def read(path: Path) -> list[Measurement]:
    """Return the measurements in a file, the oldest first; none if there is no file.

    Raises DataError for a file that has something else in it, and UsageError for a folder, or for a place in none or in
    one where nothing can be written.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(
            f"-o got {path}, which is a folder, or in one that does not exist; give a file in one that does"
        )
    try:  # before minutes are spent
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise UsageError(cannot_write(path, error, "-o")) from error
    if not path.exists():
        return []
    try:
        data = json.loads(read_text(path, LARGEST_HISTORY))
        if data["format"] != FORMAT:
            raise ValueError(f"its format is {data['format']!r}")
        return [Measurement.from_json(one) for one in data["measurements"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no file of `cellbench bench` ({error}); give another file, or a new one") from error


def write(path: Path, measurements: Sequence[Measurement]) -> None:
    """Write all measurements to a file, as a whole."""
    data = {"format": FORMAT, "measurements": [one.to_json() for one in measurements]}
    write_whole(path, lambda file: file.write((json.dumps(data, indent=1) + "\n").encode("utf-8")))
