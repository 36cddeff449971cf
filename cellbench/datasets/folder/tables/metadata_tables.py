"""Tables called 'metadata' beside the images, one in each folder, as Hugging Face's image folders have them."""

from collections.abc import Mapping
from pathlib import Path

from ....core.errors import DataError
from ...files.tables import TABLE_SUFFIXES, TextTable, read_table

FILE_COLUMN = "file_name"
JOINED = "metadata"  # what the table is called that several were joined to


def joined_metadata(files: Mapping[str, Path]) -> TextTable | None:
    """Return one table of all tables called 'metadata' in sub-folders, with the folder before each file's name.

    Return None if there are none. Raises DataError when their columns differ.
    """
    tables = [read_table(files[name], name) for name in files if "/" in name and is_metadata(name)]
    if not tables or any(FILE_COLUMN not in table.header for table in tables):
        return None
    first = tables[0]
    for table in tables[1:]:
        if set(table.header) != set(first.header):
            raise DataError(f"{first.name} and {table.name} have different columns; give all of them the same")
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    for table in tables:
        folder = table.name.rpartition("/")[0]
        columns = [table.column(name) for name in first.header]
        file = first.header.index(FILE_COLUMN)
        columns[file] = [f"{folder}/{cell}" for cell in columns[file]]
        rows += list(zip(*columns, strict=True))
        lines += table.lines
    return TextTable(JOINED, first.header, tuple(rows), tuple(lines))


def is_metadata(name: str) -> bool:
    """Whether a file is a table called 'metadata'."""
    last = name.rpartition("/")[2].lower()
    return last.startswith("metadata.") and last.endswith(TABLE_SUFFIXES)
