"""A table as rows and columns of data, with one unit for each column; as text, Markdown, LaTeX, CSV or JSON."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from tabulate import tabulate

from ...core.mixed_values import Document
from ...core.text.shown_text import csv_cell, markdown
from ...core.text.words import true_minus
from ...results.rows.row import Line, columns_of
from ..paragraphs import wrapped

Embolden = Callable[[str], str]
MINUS = "$-$"  # in LaTeX, whose pdflatex has no sign for the true one
IN_LATEX = {"−": MINUS, "≈": r"$\approx$"}  # tabulate escapes dollars, so these come in after it
MISSING = "–"
WIDTH = 130
_BOLD, _END = "\ue000", "\ue001"  # private characters of width 1, whether or not tabulate finds wcwidth


@dataclass(frozen=True)
class NumberFormat:
    """How the figures of a column are printed: unit, digits and sign.

    units: (size in raw units, name), largest first; a column takes the largest that no figure but 0 is below.
    digits: the number of digits after the point; None: chosen once for the column from the size of its figures;
    'each': two significant digits for every figure. sign: '+' shows the sign of positive figures too.
    """

    units: tuple[tuple[float, str], ...] = ((1, ""),)
    digits: int | Literal["each"] | None = None
    sign: str = ""


COUNT = NumberFormat(digits=0)
PERCENT = NumberFormat(((0.01, "%"),), digits=1)
POINTS = NumberFormat(((0.01, "points"),), digits=1, sign="+")
RATIO = NumberFormat(((1, "×"),), digits="each")
SECONDS = NumberFormat(((3600, "h"), (60, "min"), (1, "s")))
IMAGE_TIME = NumberFormat(((1000, "s/image"), (1, "ms/image"), (0.001, "µs/image")))
BYTES = NumberFormat(((1e9, "GB"), (1e6, "MB")))
PARAMETERS = NumberFormat(((1e6, "million"), (1e3, "thousand"), (1, "")))


@dataclass(frozen=True)
class Column:
    """A column of a table: where its values come from, how they are printed and when it is shown.

    name: the key of the value in a row, or a function of the row. kind: how figures are printed, None for text.
    label: whether the column says what the row is, so that it is filled even where a row's figures are missing.
    spread: the value printed after ±: True: that at '<name>_sd'; a string: that at this key; or a function of the
    row. mark: a function of the row that returns a mark to print after its figure, '' for none. bold: a function that
    says whether the row's figure is printed bold.
    spare: where a table is too wide, columns with the largest number are left out first; 0: never left out.
    when: 'always'; 'any': only if any row has a value; 'varies': only if rows differ; or a function of all rows.
    """

    name: str | Callable[[Line], object]
    title: str
    kind: NumberFormat | None = None
    label: bool = False
    spread: bool | str | Callable[[Line], float | None] = False
    mark: Callable[[Line], str] | None = None
    bold: Callable[[Line], bool] | None = None
    spare: int = 0
    when: Literal["always", "any", "varies"] | Callable[[Sequence[Line]], bool] = "always"

    @property
    def title_in_line(self) -> str:
        return self.title.replace("-\n", "-").replace("\n", " ")

    def value(self, row: Line) -> Any:
        return row.get(self.name) if isinstance(self.name, str) else self.name(row)

    def shown(self, rows: Sequence[Line]) -> bool:
        if callable(self.when):
            return self.when(rows)
        values = [self.value(row) for row in rows]
        given = any(value not in (None, "") for value in values)
        return {"always": True, "any": given, "varies": len(set(values)) > 1}[self.when]


def entries(prefix: str, record: object) -> Line:
    """Return the fields of a dataclass as entries of a line, under '<prefix>_<field>'."""
    return {f"{prefix}_{name}": value for name, value in vars(record).items()}


@dataclass(frozen=True)
class Table:
    """A table as data. rows: with raw figures (fractions, seconds, bytes).

    A row's 'remark' says what its figures do not; it replaces the figures where the row's 'status' is not ok. notes:
    lines below the table.
    """

    view: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Line, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Cells:
    """One column as text: its heading and its cells, padded so that figures and their spreads align."""

    column: Column
    unit: str
    texts: list[str]

    def heading(self, lines: bool) -> str:
        title = self.column.title
        if not lines:
            return self.column.title_in_line + (f" ({self.unit})" if self.unit else "")
        if not self.unit:
            return title
        return f"{title} {self.unit}" if "\n" in title else f"{title}\n{self.unit}"

    def stands_out(self, row: Line) -> bool:
        return self.column.bold is not None and self.column.bold(row)

    @property
    def width(self) -> int:
        return max(map(len, (*self.heading(lines=True).split("\n"), *self.texts)))


def _cells(column: Column, rows: Sequence[Line]) -> _Cells:
    values = [column.value(row) for row in rows]
    if column.kind is None:
        return _Cells(column, "", [MISSING if value in (None, "") else str(value) for value in values])
    size, unit = _unit(column.kind, values)
    scaled = [None if value is None else value / size for value in values]
    digits = _digits(scaled) if column.kind.digits is None else column.kind.digits
    form = "{:" + column.kind.sign + ",.{}f}"
    texts = [MISSING if x is None else form.format(x, two_digits(x) if digits == "each" else digits) for x in scaled]
    if column.kind.sign:
        texts = [true_minus(text) for text in texts]
    if column.spread:
        spreads = [_spread(column, row) for row in rows]
        tails = ["" if sd is None else f"{sd / size:,.{digits}f}" for sd in spreads]
        width = max(map(len, tails), default=0)
        texts = [
            text + (f" ± {tail:>{width}}" if tail else " " * (3 + width) if width else "")
            for text, tail in zip(texts, tails, strict=True)
        ]
    if column.mark:
        marks = [column.mark(row) if x is not None else "" for row, x in zip(rows, scaled, strict=True)]
        width = max(map(len, marks), default=0)
        texts = [f"{text}{mark:{width}}" if width else text for text, mark in zip(texts, marks, strict=True)]
    return _Cells(column, unit, texts)


def _spread(column: Column, row: Line) -> float | None:
    if callable(column.spread):
        return column.spread(row)
    return row.get(column.spread if isinstance(column.spread, str) else f"{column.name}_sd")


def _unit(kind: NumberFormat, values: Sequence[float | None]) -> tuple[float, str]:
    smallest = min((abs(value) for value in values if value), default=kind.units[-1][0])
    return next((unit for unit in kind.units if smallest >= unit[0]), kind.units[-1])


def _digits(values: Sequence[float | None]) -> int:
    sizes = [abs(value) for value in values if value]
    low, high = min(sizes, default=1), max(sizes, default=1)
    return 0 if high >= 1000 or (low >= 10 and high >= 100) else 1 if high >= 10 else 2


def two_digits(value: float) -> int:
    """Return how many digits after the point show two significant digits, as in 30, 3.1 and 0.31."""
    return max(0, 1 - math.floor(math.log10(abs(value)))) if value else 0


def render(tables: Sequence[Table], style: str, width: int | None = None, bold: Embolden | None = None) -> str:
    """Return the tables as one text; style: one of FORMATS. The same tables give the same text.

    width, bold: for 'text' alone. width: of the terminal, in characters: columns that can be spared are left out until
    a table fits, and a note names them; None: all are shown. bold: a function that makes text bold on the terminal.
    """
    return text(tables, width, bold) if style == "text" else WRITERS[style](tables)


def text(tables: Sequence[Table], width: int | None = None, bold: Embolden | None = None) -> str:
    """Return the tables as text for a terminal; see `render`."""
    blocks = []
    for table in tables:
        columns, left_out = _fitting(table, width)
        lines, cut = _grid(table, columns, bold)
        notes = (*cut, *_note_of_left_out(left_out), *table.notes)
        title = table.title.split("\n")
        blocks.append([_all_wrapped(title, width) if width else title, lines, _all_wrapped(notes, width)])
    return "\n\n\n".join("\n\n".join("\n".join(lines) for lines in block if lines) for block in blocks)


def _all_wrapped(lines: Sequence[str], width: int | None) -> list[str]:
    return [line for text in lines for line in wrapped(text, min(width or WIDTH, WIDTH))]


def _fitting(table: Table, width: int | None) -> tuple[list["_Cells"], list[str]]:
    """Return the columns of a table that fit into `width` characters, and the titles of the columns left out."""
    columns, left_out = _shown(table), []
    while width and sum(cells.width for cells in columns) + 2 * (len(columns) - 1) > width:
        most = max((cells.column.spare for cells in columns), default=0)
        if not most:
            break
        left_out += [cells.column.title_in_line for cells in columns if cells.column.spare == most]
        columns = [cells for cells in columns if cells.column.spare < most]
    return columns, left_out


def _note_of_left_out(left_out: Sequence[str]) -> list[str]:
    return [f"Left out to fit the terminal: {', '.join(left_out)}. To see all: --wide."] if left_out else []


def _grid(table: Table, columns: Sequence["_Cells"], bold: Embolden | None) -> tuple[list[str], list[str]]:
    """Return the lines of the table, and the full text of the remarks that had to be shortened in them.

    A remark is on a line below its row, or in place of the figures where the row is not ok.
    """
    if not table.rows:
        return [], []
    heads = [cells.heading(lines=True).split("\n") for cells in columns]
    height = max(map(len, heads))
    stacks = [[""] * (height - len(head)) + head + cells.texts for head, cells in zip(heads, columns, strict=True)]
    widths = [cells.width for cells in columns]
    sides = [str.ljust if cells.column.kind is None else str.rjust for cells in columns]
    grid = [
        [side(text, w) for side, text, w in zip(sides, line, widths, strict=True)] for line in zip(*stacks, strict=True)
    ]
    lines = ["  ".join(line) for line in grid[:height]] + ["  ".join("-" * width for width in widths)]
    figures = [i for i, cells in enumerate(columns) if not cells.column.label]
    room = sum(widths[i] for i in figures) + 2 * (len(figures) - 1)
    cut = []
    for row, line in zip(table.rows, grid[height:], strict=True):
        remark = row.get("remark", "")
        failed = row.get("status", "ok") != "ok"
        if len(remark) > (room if failed else sum(widths[1:])):
            cut.append(f"{line[0].strip()}: {remark}")
        if failed:
            line = [*line[: figures[0]], _short(remark, room).ljust(room), *line[figures[-1] + 1 :]]
            remark = ""
        elif bold:
            line = [bold(x) if c.stands_out(row) else x for c, x in zip(columns, line, strict=True)]
        lines.append("  ".join(line))
        if remark:
            lines.append(" " * (widths[0] + 2) + _short(remark, sum(widths[1:])))
    return [line.rstrip() for line in lines], cut


@dataclass(frozen=True)
class PrintedColumn:
    """A column as a page shows it. title: on one line. unit: '' for none.

    label: whether the column says what the row is. figures: whether it has figures, not text. texts: as printed on a
    terminal, one for each row. values: raw, None where missing. bold: for each row, whether its figure is bold.
    """

    title: str
    unit: str
    label: bool
    figures: bool
    texts: tuple[str, ...]
    values: tuple[object, ...]
    bold: tuple[bool, ...]


def laid_out(table: Table) -> list[PrintedColumn]:
    """Return the columns that the table shows as text and values, for output that is not made by `render`."""
    return [
        PrintedColumn(
            cells.column.title_in_line,
            cells.unit,
            cells.column.label,
            cells.column.kind is not None,
            tuple(text.strip() for text in cells.texts),
            tuple(cells.column.value(row) for row in table.rows),
            tuple(cells.stands_out(row) for row in table.rows),
        )
        for cells in _shown(table)
    ]


def _markdown(tables: Sequence[Table]) -> str:
    return "\n\n".join(
        "\n\n".join(
            [
                f"**{markdown(_one_line(t.title))}**",
                *_tabulate(t, "pipe", markdown, "**", "**"),
                *(note.replace("<", r"\<") for note in t.notes),  # they have commands to copy, as code
            ]
        )
        for t in tables
    )


def _latex(tables: Sequence[Table]) -> str:
    """Return the tables as LaTeX with captions, for a document that loads booktabs."""
    return "\n\n".join(
        "\n".join(
            [
                r"\begin{table}",
                rf"\caption{{{_escape(_one_line(t.title))}}}",
                *(
                    _signs(grid.replace(_BOLD, r"\textbf{").replace(_END, "}"))  # tabulate escapes braces
                    for grid in _tabulate(t, "latex_booktabs", lambda s: _short(s, 60), _BOLD, _END)
                ),
                *(rf"\par {_escape(note)}" for note in t.notes),
                r"\end{table}",
            ]
        )
        for t in tables
    )


def _signs(text: str) -> str:
    """Return text with the signs that pdflatex lacks as commands of LaTeX."""
    for sign, command in IN_LATEX.items():
        text = text.replace(sign, command)
    return text


def _tabulate(table: Table, style: str, clean: Callable[[str], str], bold: str, end: str) -> list[str]:
    if not table.rows:
        return []
    columns = _shown(table)
    if any(row.get("remark") for row in table.rows):
        columns.append(_Cells(Column("remark", "remark"), "", [row.get("remark", "") for row in table.rows]))
    body = [
        [
            f"{bold}{clean(x).strip()}{end}" if c.stands_out(row) else clean(x)
            for c, x in zip(columns, line, strict=True)
        ]
        for row, line in zip(table.rows, zip(*(cells.texts for cells in columns), strict=True), strict=True)
    ]
    sides = ["left" if cells.column.kind is None else "right" for cells in columns]
    heads = [cells.heading(lines=False) for cells in columns]
    return [tabulate(body, heads, tablefmt=style, disable_numparse=True, colalign=sides)]


def _shown(table: Table) -> list[_Cells]:
    return [_cells(column, table.rows) for column in table.columns if column.shown(table.rows)]


def _one_line(title: str) -> str:
    return title.replace("\n", "; ")


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _escape(text: str) -> str:
    special = {character: "\\" + character for character in "&%$#_{}"}
    special |= {"\\": r"\textbackslash{}", "~": r"\~{}", "^": r"\^{}", **IN_LATEX}
    return "".join(special.get(character, character) for character in text)


def _flat(tables: Sequence[Table]) -> list[Document]:
    return [{"view": table.view, **columns_of(row)} for table in tables for row in table.rows]


def _json(tables: Sequence[Table]) -> str:
    return json.dumps(_flat(tables), indent=1, ensure_ascii=False)


def _csv(tables: Sequence[Table]) -> str:
    flat = [
        {name: csv_cell(json.dumps(cell) if isinstance(cell, dict | list) else cell) for name, cell in row.items()}
        for row in _flat(tables)
    ]
    return pd.DataFrame(flat, dtype=object).to_csv(index=False).rstrip("\n")


WRITERS: dict[str, Callable[[Sequence[Table]], str]] = {
    "text": text,
    "markdown": _markdown,
    "latex": _latex,
    "csv": _csv,
    "json": _json,
}
