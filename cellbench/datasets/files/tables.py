"""Small tables of text as people save them: with or without a byte order mark, separated by ',', ';' or tabs."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ...core.errors import DataError, did_you_mean
from ...core.machine.files import check_regular
from .find import Blob
from .records import JSON_LINES, PARQUET, read_json_lines, read_parquet

LARGEST_TABLE = 1e9  # bytes of a file

TABLE_SUFFIXES = (".csv", ".tsv", *JSON_LINES, *PARQUET)


@dataclass(frozen=True)
class TextTable:
    """A table whose cells are stripped of spaces; lines[i] is the line of the file where rows[i] ends."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def find(self, usual: Iterable[str], taken: Collection[str] = ()) -> str:
        """The first of the usual names that a column has, apart from case, spaces, '_' and '-'; '' when there is none.

        taken: columns that already have another meaning.
        """
        free = [name for name in reversed(self.header) if name not in taken]
        plain = {re.sub(r"[\s_-]+", "", name.casefold()): name for name in free}
        return next((plain[name] for name in usual if name in plain), "")

    def column(self, name: str) -> list[str]:
        """The cells of a column. Raises DataError when the header has no such name."""
        if name not in self.header:
            raise DataError(f"{self.name} has no column {name!r}; {did_you_mean(name, self.header)}")
        place = self.header.index(name)
        return [row[place] for row in self.rows]


def read_table(blob: Blob, name: str) -> TextTable:
    """Return the table in a file of text (UTF-8, or UTF-16 with a byte order mark), of JSON lines or of Parquet.

    Raises DataError for a row with more or fewer cells than the header, and for a name that the header has twice.
    """
    if name.lower().endswith(PARQUET):
        return _of_rows(name, *read_parquet(blob, name))
    text = read_text(blob, name)
    if name.lower().endswith(JSON_LINES):
        return _of_rows(name, *read_json_lines(text, name))
    text, above = _without_head(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header: tuple[str, ...] = ()
    rows, lines = [], []
    try:
        for cells in reader:
            row = tuple(cell.strip() for cell in cells)
            if not any(row):
                continue
            if not header:
                header = row
                _refuse_repeated(header, name)
            elif len(row) != len(header):
                line = above + reader.line_num
                raise DataError(f"{name} line {line} has {len(row)} cells, its header has {len(header)}; mend the line")
            else:
                rows.append(row)
                lines.append(above + reader.line_num)
    except csv.Error as error:
        raise DataError(f"{name} line {above + reader.line_num} cannot be read: {error}; mend the line") from error
    if not rows:
        raise DataError(f"{name} has no rows; a header line and at least one row are expected")
    return TextTable(name, header, tuple(rows), tuple(lines))


def _of_rows(name: str, header: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> TextTable:
    if not rows:
        raise DataError(f"{name} has no rows; at least one is expected")
    return TextTable(name, header, rows, tuple(range(1, len(rows) + 1)))


def read_text(blob: Blob, name: str) -> str:
    """The text of a UTF-8 file, or of a UTF-16 file with a byte order mark; the mark is left out."""
    data = read_bytes(blob, name)
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{name} is not UTF-8 text; save it as UTF-8") from None


def read_bytes(blob: Blob, name: str) -> bytes:
    """Return the content of a table's file. Raises DataError if it cannot be read."""
    try:
        if isinstance(blob, bytes):
            return blob
        check_regular(blob, LARGEST_TABLE)
        return blob.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror or error}; give a CSV file") from error


def _refuse_repeated(header: Collection[str], name: str) -> None:
    """Raise DataError for a name that two columns have; several may be empty, as spreadsheets leave such columns."""
    if twice := [column for column, n in Counter(header).items() if column and n > 1]:
        raise DataError(f"{name} has several columns called {twice[0]!r}; give each its own name")


def _without_head(text: str) -> tuple[str, int]:
    """Return the table in a text without what Harmony and Columbus write above it, and the number of lines of that.

    That ends in a line that is '[Data]'.
    """
    head, mark, table = text.partition("[Data]\n") if "\r" not in text else text.partition("[Data]\r\n")
    if not mark or (head and not head.endswith("\n")):
        return text, 0
    return table, head.count("\n") + 1


def _delimiter(text: str) -> str:
    """The separator that occurs most often in the header line, outside quotes."""
    header = re.sub(r'"[^"]*"', "", text.lstrip().partition("\n")[0])
    return max(",;\t", key=header.count)
