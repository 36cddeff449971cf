"""Small tables of text as people save them: with a byte order mark or without, split by ',', ';' or a tab."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ...core.errors import DataError, did_you_mean
from .find import Blob


@dataclass(frozen=True)
class Table:
    """The cells of a table, stripped; lines[i] is the line of the file where rows[i] ends."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def find(self, usual: Iterable[str], taken: Collection[str] = ()) -> str:
        """The first of the usual names that is a column, whatever its case and separators; '' when none is.

        taken: columns that mean something else already.
        """
        free = [name for name in reversed(self.header) if name not in taken]
        plain = {re.sub(r"[\s_-]+", "", name.casefold()): name for name in free}
        return next((plain[name] for name in usual if name in plain), "")

    def column(self, name: str) -> list[str]:
        """The cells of a column; a name that is not in the header is refused."""
        if name not in self.header:
            raise DataError(f"{self.name} has no column {name!r}; {did_you_mean(name, self.header)}")
        place = self.header.index(name)
        return [row[place] for row in self.rows]


def read_table(blob: Blob, name: str) -> Table:
    """The table in a UTF-8 (or, with its mark, UTF-16) file.

    Rows of another length than the header, and a name twice in the header, are refused.
    """
    reader = csv.reader(io.StringIO(text := read_text(blob, name), newline=""), delimiter=_delimiter(text), strict=True)
    header: tuple[str, ...] = ()
    rows, lines = [], []
    try:
        for cells in reader:
            row = tuple(cell.strip() for cell in cells)
            if not any(row):
                continue
            if not header:
                header = row
                _refuse_twice(header, name)
            elif len(row) != len(header):
                raise DataError(
                    f"{name} line {reader.line_num} has {len(row)} cells, its header has {len(header)}; mend the line"
                )
            else:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{name} line {reader.line_num} cannot be read: {error}; mend the line") from error
    if not rows:
        raise DataError(f"{name} has no rows; a header line and at least one row are expected")
    return Table(name, header, tuple(rows), tuple(lines))


def read_text(blob: Blob, name: str) -> str:
    """What a UTF-8 (or, with its mark, UTF-16) file says, without its mark."""
    try:
        data = blob if isinstance(blob, bytes) else blob.read_bytes()
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{name} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror}; give a CSV file") from error


def _refuse_twice(header: Collection[str], name: str) -> None:
    """Refuse a name that two columns have; none at all is what spreadsheets leave beside a table."""
    if twice := [column for column, n in Counter(header).items() if column and n > 1]:
        raise DataError(f"{name} has several columns called {twice[0]!r}; give each its own name")


def _delimiter(text: str) -> str:
    """The separator that the header line holds most often, outside quotes."""
    header = re.sub(r'"[^"]*"', "", text.lstrip().partition("\n")[0])
    return max(",;\t", key=header.count)
