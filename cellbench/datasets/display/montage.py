"""The montage: some cells of each class on one sheet, to look at before anything is trained."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset
from .colours import channel_colours, to_rgb, usual_ranges
from .sheet import (
    EMPTY,
    GAP,
    GREY,
    INK,
    MARGIN,
    PAPER,
    TILE,
    Fonts,
    draw_heading,
    heading,
    heading_end,
    heading_height,
    save_picture,
    tile,
)

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

COLUMNS = {"train": 6, "val": 3, "test": 3}  # cells a row by part, so that parts can be compared
PART_GAP = 16  # pixels between parts
SEED = 0


def example_images(data: Dataset, k: int) -> dict[str, NDArray[np.int64]]:
    """Return the positions of the images of class k to show, by part; they are the same each time."""
    rng = np.random.default_rng([SEED, k])
    found = {}
    for part, most in COLUMNS.items():
        labels = data.labels[data.split[part]]
        of_class = data.split[part][labels[:, k] if data.multilabel else labels == k]
        found[part] = np.sort(rng.choice(of_class, min(most, len(of_class)), replace=False))
    return found


def montage(data: Dataset) -> "Image.Image":
    """Draw a PIL image with a row for each class: name and counts at the left, then cells of train, val and test."""
    from PIL import Image, ImageDraw

    fonts, lines, counts = Fonts.found(), heading(data), _counts(data)
    labels_end = max(*(fonts.plain.getlength(n) for n in data.classes), *(fonts.small.getlength(n) for n in counts))
    starts, cells_end = _columns(MARGIN + 18 + int(labels_end))
    top = heading_height(lines) + 34
    height = top + len(data.classes) * (TILE + GAP) - GAP + MARGIN
    picture = Image.new("RGB", (max(cells_end, heading_end(data.name, lines, fonts)) + MARGIN, height), PAPER)
    draw = ImageDraw.Draw(picture)
    draw_heading(draw, data.name, lines, fonts)
    for part in PARTS:
        draw.text((starts[part], top - 26), part, GREY, fonts.small)
    usual = usual_ranges(data)
    for k, name in enumerate(data.classes):
        y = top + k * (TILE + GAP)
        draw.text((MARGIN, y + TILE // 2 - 20), name, INK, fonts.plain)
        draw.text((MARGIN, y + TILE // 2 + 4), counts[k], GREY, fonts.small)
        _draw_cells(picture, draw, data, k, starts, y, usual)
    return picture


def _draw_cells(
    picture: "Image.Image",
    draw: "ImageDraw.ImageDraw",
    data: Dataset,
    k: int,
    starts: Mapping[str, int],
    y: int,
    usual: NDArray,
) -> None:
    """Put cells of class k side by side at height `y`, a pale square where a part has too few."""
    colours = channel_colours(data.channels)
    for part, index in example_images(data, k).items():
        for column in range(COLUMNS[part]):
            x = starts[part] + column * (TILE + GAP)
            if column < len(index):
                picture.paste(tile(to_rgb(data.images[index[column]], colours, usual)), (x, y))
            else:
                draw.rectangle((x, y, x + TILE - 1, y + TILE - 1), EMPTY)


def _counts(data: Dataset) -> list[str]:
    """Return, for each class, a text with the number of its images in each part: 'train 80 · val 20'."""
    counts = data.class_counts()
    return [
        " · ".join(f"{part} {counts[part][k]:,}" for part in PARTS if counts[part][k]) for k in range(len(data.classes))
    ]


def _columns(left: int) -> tuple[dict[str, int], int]:
    """Return the x at which each part's cells begin, the first at `left`, and the x at which the last one ends."""
    starts: dict[str, int] = {}
    x = left
    for part, n in COLUMNS.items():
        starts[part] = x
        x += n * (TILE + GAP) - GAP + PART_GAP
    return starts, x - PART_GAP


def save(data: Dataset, path: Path) -> None:
    """Write the montage as PNG, whole or not at all. Raises UsageError when it can't be written."""
    save_picture(montage(data), path)
