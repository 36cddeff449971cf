"""A gallery: single cells in rows, each with lines of text below it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...core.data import Dataset
from .colours import channel_colours, to_rgb, usual_ranges
from .sheet import (
    GREY,
    INK,
    MARGIN,
    PAPER,
    TILE,
    Fonts,
    Line,
    draw_heading,
    heading,
    heading_end,
    heading_height,
    tile,
)

if TYPE_CHECKING:
    from PIL import Image

    from .sheet import Font

COLUMNS = 6
CELL, SPACE, LINE = 172, 12, 19  # pixels: width of a cell's place, between places, height of a line below a cell


def gallery(
    data: Dataset, title: str, cells: Sequence[tuple[int, Sequence[str]]], lines: Sequence[Line] = ()
) -> "Image.Image":
    """Draw a PIL image of single cells, each with its lines of text below it; the first line is the darkest.

    cells: the position of each cell and its text. lines: added to the heading, which says how cells are drawn.
    """
    from PIL import Image, ImageDraw

    fonts, shown = Fonts.found(), [*lines, *heading(data)]
    below = LINE * max((len(text) for _, text in cells), default=0)
    top, step = heading_height(shown) + 12, TILE + 6 + below + SPACE
    rows = -(-len(cells) // COLUMNS)
    width = max(MARGIN + COLUMNS * (CELL + SPACE) - SPACE, heading_end(title, shown, fonts)) + MARGIN
    picture = Image.new("RGB", (width, top + rows * step - SPACE + MARGIN), PAPER)
    draw = ImageDraw.Draw(picture)
    draw_heading(draw, title, shown, fonts)
    colours, usual = channel_colours(data.channels), usual_ranges(data)
    for number, (position, text) in enumerate(cells):
        x, y = MARGIN + number % COLUMNS * (CELL + SPACE), top + number // COLUMNS * step
        picture.paste(tile(to_rgb(data.images[position], colours, usual)), (x, y))
        for row, line in enumerate(text):
            draw.text((x, y + TILE + 4 + LINE * row), _fitted(line, fonts.small), GREY if row else INK, fonts.small)
    return picture


def _fitted(text: str, font: "Font") -> str:
    """Return the text, without as much of its beginning as does not fit below a cell: ends of file names tell more."""
    if font.getlength(text) <= CELL:
        return text
    start = next((k for k in range(len(text)) if font.getlength("…" + text[k:]) <= CELL), len(text))
    return "…" + text[start:]
