"""The montage: some cells of each class on one sheet, to look at before anything is trained."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset
from ...core.errors import UsageError
from ...core.store import write_whole
from .colours import HIGH, LOW, WHITE, Colour, channel_colours, to_rgb, usual_ranges

COLUMNS = {"train": 6, "val": 3, "test": 3}  # cells a row by part, so that parts can be compared
TILE, GAP, PART_GAP, MARGIN = 96, 4, 16, 28  # pixels
LINE = 24  # height of a line of the heading
SEED = 0
# Fonts that are looked for on the machine, those with the most letters first.
FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf")
FONTS_BOLD = ("DejaVuSans-Bold.ttf", "NotoSans-Bold.ttf", "LiberationSans-Bold.ttf", "Arial Bold.ttf")
INK, GREY, PAPER, EMPTY = (25, 28, 33), (110, 116, 125), (255, 255, 255), (240, 241, 243)


def example_images(data: Dataset, k: int) -> dict[str, NDArray[np.int64]]:
    """Return the positions of the images of class k to show, by part; they are the same each time."""
    rng = np.random.default_rng([SEED, k])
    found = {}
    for part, most in COLUMNS.items():
        labels = data.labels[data.split[part]]
        of_class = data.split[part][labels[:, k] if data.multilabel else labels == k]
        found[part] = np.sort(rng.choice(of_class, min(most, len(of_class)), replace=False))
    return found


def montage(data: Dataset) -> Any:
    """Draw a PIL image with a row for each class: name and counts at the left, then cells of train, val and test."""
    from PIL import Image, ImageDraw

    fonts = Fonts(title=_font(26, bold=True), plain=_font(18), small=_font(14))
    heading, counts = _heading(data), _counts(data)
    labels_end = max(*(fonts.plain.getlength(n) for n in data.classes), *(fonts.small.getlength(n) for n in counts))
    starts, cells_end = _columns(MARGIN + 18 + int(labels_end))
    heading_end = MARGIN + max(fonts.title.getlength(data.name), *(fonts.small.getlength(line) for line, _ in heading))
    top = MARGIN + 40 + LINE * len(heading) + 34
    height = top + len(data.classes) * (TILE + GAP) - GAP + MARGIN
    picture = Image.new("RGB", (int(max(cells_end, heading_end)) + MARGIN, height), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((MARGIN, MARGIN - 4), data.name, INK, fonts.title)
    for row, (line, colours) in enumerate(heading):
        _draw_line(draw, (MARGIN, MARGIN + 38 + LINE * row), line, colours, fonts.small)
    for part in PARTS:
        draw.text((starts[part], top - 26), part, GREY, fonts.small)
    usual = usual_ranges(data)
    for k, name in enumerate(data.classes):
        y = top + k * (TILE + GAP)
        draw.text((MARGIN, y + TILE // 2 - 20), name, INK, fonts.plain)
        draw.text((MARGIN, y + TILE // 2 + 4), counts[k], GREY, fonts.small)
        _draw_cells(picture, draw, data, k, starts, y, usual)
    return picture


@dataclass(frozen=True)
class Fonts:
    """PIL fonts of the title, of the names of classes, and of all else."""

    title: Any
    plain: Any
    small: Any


def _draw_cells(
    picture: Any, draw: Any, data: Dataset, k: int, starts: Mapping[str, int], y: int, usual: NDArray
) -> None:
    """Put cells of class k side by side at height `y`, a pale square where a part has too few."""
    colours = channel_colours(data.channels)
    for part, index in example_images(data, k).items():
        for column in range(COLUMNS[part]):
            x = starts[part] + column * (TILE + GAP)
            if column < len(index):
                picture.paste(_tile(to_rgb(data.images[index[column]], colours, usual)), (x, y))
            else:
                draw.rectangle((x, y, x + TILE - 1, y + TILE - 1), EMPTY)


def _counts(data: Dataset) -> list[str]:
    """Return, for each class, a text with the number of its images in each part: 'train 80 · val 20'."""
    counts = data.class_counts()
    return [
        " · ".join(f"{part} {counts[part][k]:,}" for part in PARTS if counts[part][k]) for k in range(len(data.classes))
    ]


def save(data: Dataset, path: Path) -> None:
    """Write the montage as PNG, whole or not at all. Raises UsageError when it can't be written."""
    picture = montage(data)
    try:
        write_whole(path, lambda file: picture.save(file, "PNG"))
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}; give another place with -o or leave it out with "
            "--no-montage"
        ) from error


def _heading(data: Dataset) -> list[tuple[str, list[Colour]]]:
    """The lines below the title, each with the colours of its squares ■, one for each channel that it names."""
    height, width = data.images.shape[2:]
    kind = "simulated images" if data.info.synthetic else "images"
    facts = f"{len(data):,} {kind} of {height}×{width} px, {data.images.dtype}; split {data.split.name}"
    named = "   ".join(f"■ {name}" for name in data.channels)
    what = "each image" if len(data.channels) == 1 else "each channel of each image"
    dimmed = "; all but green dimmed" if len(data.channels) > 3 else ""
    stretch = f"{what} stretched between its percentiles {LOW:g} and {HIGH:g}{dimmed}"
    return [(facts, []), (f"{named}   ({stretch})", channel_colours(data.channels))]


def _draw_line(draw: Any, at: tuple[int, int], text: str, colours: Sequence[Colour], font: Any) -> None:
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


def _columns(left: int) -> tuple[dict[str, int], int]:
    """Return the x at which each part's cells begin, the first at `left`, and the x at which the last one ends."""
    starts: dict[str, int] = {}
    x = left
    for part, n in COLUMNS.items():
        starts[part] = x
        x += n * (TILE + GAP) - GAP + PART_GAP
    return starts, x - PART_GAP


def _tile(pixels: NDArray[np.uint8]) -> Any:
    """Return a PIL image of TILE × TILE pixels with the whole cell in it, scaled to fit."""
    from PIL import Image

    image = Image.fromarray(pixels)
    scale = TILE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    tile = Image.new("RGB", (TILE, TILE), (0, 0, 0))
    tile.paste(image.resize(size, Image.Resampling.BICUBIC), ((TILE - size[0]) // 2, (TILE - size[1]) // 2))
    return tile


def _font(size: int, bold: bool = False) -> Any:
    """A font of this machine with the letters of many languages; else Pillow's, which has Latin ones."""
    from PIL import ImageFont

    for name in FONTS_BOLD if bold else FONTS:
        with suppress(OSError):
            return ImageFont.truetype(name, size)
    return ImageFont.load_default(size)
