"""Text and tables wrapped to the width of the terminal, between words; only a word longer than a line is broken."""

import textwrap
from collections.abc import Sequence

from ..reporting.paragraphs import filled
from .options import terminal_width

WIDEST = 110  # longer lines are hard to read
NARROWEST = 12  # of a wrapped column
WIDE = 40  # characters: a longer cell doesn't widen its column


def paragraph(text: str, indent: str = "", first: str | None = None) -> str:
    """Return text wrapped to the terminal, each line after `indent`, the first one after `first` if that is given."""
    return "\n".join(filled(text, room(), indent, indent if first is None else first, break_long_words=True))


def room() -> int:
    """Return how many characters a line may have."""
    return min(terminal_width() or WIDEST, WIDEST)


def wrapped_rows(rows: Sequence[Sequence[str]], titles: Sequence[str]) -> list[str]:
    """Return a table of text as its heading, its rule, and one text a row; the last column is wrapped to the terminal.

    A text has as many lines as the last cell of its row takes; that stands below, where another cell is very wide.
    """
    columns = zip(titles[:-1], *(row[:-1] for row in rows), strict=True)
    widths = [max(len(cell) for cell in column if len(cell) <= WIDE) for column in columns]
    before = sum(widths) + 2 * len(widths)
    last = max(room() - before, NARROWEST)
    heading, *texts = (_row(row, widths, last) for row in (titles, *rows))
    return [heading, "-" * (before + last), *texts]


def _row(row: Sequence[str], widths: Sequence[int], last: int) -> str:
    start = "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=False))
    before = sum(widths) + 2 * len(widths)
    lines = textwrap.wrap(row[-1], last, break_on_hyphens=False) or [""]
    if len(start) > before:
        lines.insert(0, "")
    return "\n".join([(start + lines[0]).rstrip(), *(" " * before + line for line in lines[1:])])
