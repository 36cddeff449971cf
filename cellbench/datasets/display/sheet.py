"""What the pictures of cells share: fonts, colours, a heading, and the tile that shows one cell."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...core.data import Dataset
from ...core.errors import UsageError
from ...core.records.store import write_whole
from .colours import HIGH, LOW, WHITE, Colour, channel_colours

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

    Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

TILE, GAP, MARGIN = 96, 4, 28  # pixels
LINE = 24  # height of a line of the heading
# Fonts that are looked for on the machine, those with the most letters first.
FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf")
FONTS_BOLD = ("DejaVuSans-Bold.ttf", "NotoSans-Bold.ttf", "LiberationSans-Bold.ttf", "Arial Bold.ttf")
INK, GREY, PAPER, EMPTY = (25, 28, 33), (110, 116, 125), (255, 255, 255), (240, 241, 243)

Line = tuple[str, list[Colour]]  # a line of a heading, and a colour for each square ■ in it


@dataclass(frozen=True)
class Fonts:
    """PIL fonts of the title, of the names of classes, and of all else."""

    title: "Font"
    plain: "Font"
    small: "Font"

    @classmethod
    def found(cls) -> "Fonts":
        """Return the fonts of this machine."""
        return cls(title=_font(26, bold=True), plain=_font(18), small=_font(14))


def heading(data: Dataset) -> list[Line]:
    """The lines below the title, each with the colours of its squares ■, one for each channel that it names."""
    height, width = data.images.shape[2:]
    kind = "simulated images" if data.info.synthetic else "images"
    facts = f"{len(data):,} {kind} of {height}×{width} px, {data.images.dtype}; split {data.split.name}"
    named = "   ".join(f"■ {name}" for name in data.channels)
    what = "each image" if len(data.channels) == 1 else "each channel of each image"
    dimmed = "; all but green dimmed" if len(data.channels) > 3 else ""
    stretch = f"{what} stretched between its percentiles {LOW:g} and {HIGH:g}{dimmed}"
    return [(facts, []), (f"{named}   ({stretch})", channel_colours(data.channels))]


def heading_height(lines: Sequence[Line]) -> int:
    """Return the height in pixels that the title and these lines take, the margin above them included."""
    return MARGIN + 40 + LINE * len(lines)


def heading_end(title: str, lines: Sequence[Line], fonts: Fonts) -> int:
    """Return the x at which the longest line of the heading ends."""
    return int(MARGIN + max(fonts.title.getlength(title), *(fonts.small.getlength(line) for line, _ in lines)))


def draw_heading(draw: "ImageDraw.ImageDraw", title: str, lines: Sequence[Line], fonts: Fonts) -> None:
    """Write a title with lines below it at the top of a picture."""
    draw.text((MARGIN, MARGIN - 4), title, INK, fonts.title)
    for row, (line, colours) in enumerate(lines):
        _draw_line(draw, (MARGIN, MARGIN + 38 + LINE * row), line, colours, fonts.small)


def tile(pixels: NDArray[np.uint8]) -> "Image.Image":
    """Return a PIL image of TILE × TILE pixels with the whole cell in it, scaled to fit."""
    from PIL import Image

    image = Image.fromarray(pixels)
    scale = TILE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    square = Image.new("RGB", (TILE, TILE), (0, 0, 0))
    square.paste(image.resize(size, Image.Resampling.BICUBIC), ((TILE - size[0]) // 2, (TILE - size[1]) // 2))
    return square


def save_picture(picture: "Image.Image", path: Path) -> None:
    """Write a picture as PNG, whole or not at all. Raises UsageError when it can't be written."""
    try:
        write_whole(path, lambda file: picture.save(file, "PNG"))
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}; give another place with -o or leave it out with "
            "--no-montage"
        ) from error


def _draw_line(
    draw: "ImageDraw.ImageDraw", at: tuple[float, float], text: str, colours: Sequence[Colour], font: "Font"
) -> None:
    """Write a line in grey, its squares ■ in the channels' colours; a white one would not show on paper and is grey."""
    x, y = at
    for k, piece in enumerate(text.split("■")):
        if k:
            colour = colours[k - 1]
            shade = GREY if colour == WHITE else tuple(int(215 * value) for value in colour)
            draw.rectangle((x, y + 3, x + 11, y + 14), shade)
            x += 14
        draw.text((x, y), piece, GREY, font)
        x += font.getlength(piece)


def _font(size: int, bold: bool = False) -> "Font":
    """A font of this machine with the letters of many languages; else Pillow's, which has Latin ones."""
    from PIL import ImageFont

    for name in FONTS_BOLD if bold else FONTS:
        with suppress(OSError):
            return ImageFont.truetype(name, size)
    return ImageFont.load_default(size)
