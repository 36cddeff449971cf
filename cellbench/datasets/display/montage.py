"""A picture of some cells of each class, to look at before anything is trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.data import PARTS, Dataset
from ...core.errors import UsageError
from ...core.store import write_whole

COLUMNS = {"train": 6, "val": 3, "test": 3}  # cells a row by part, so that parts can be compared
TILE, GAP, PART_GAP, MARGIN = 96, 4, 16, 28
LOW, HIGH = 1.0, 99.8  # percentiles between which an image's channel is stretched
WEAKEST = 1 / 6  # of the channel's usual range: an image that spans less stays dim, so that noise isn't blown up
SEED = 0
INK, GREY, PAPER, EMPTY = (25, 28, 33), (110, 116, 125), (255, 255, 255), (240, 241, 243)

RED, GREEN, BLUE, YELLOW = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)
MAGENTA, CYAN, WHITE = (1, 0, 1), (0, 1, 1), (1, 1, 1)
BY_PLACE = (RED, GREEN, BLUE, YELLOW, MAGENTA, CYAN)
BY_NAME = {
    **dict.fromkeys(("red", "microtubules"), RED),
    **dict.fromkeys(("green", "protein"), GREEN),
    **dict.fromkeys(("blue", "nucleus"), BLUE),
    **dict.fromkeys(("yellow", "er"), YELLOW),
}
# Of four channels the protein, green as a rule, is what the classes differ in; yellow feeds red and green.
DIMMED = {RED: 0.6, BLUE: 0.8, YELLOW: 0.35, MAGENTA: 0.35, CYAN: 0.35, WHITE: 0.35}


def colours(channels: Sequence[str]) -> list[tuple[int, int, int]]:
    """The colour of each channel: grey alone, else by name when all are known and differ, else by place."""
    if len(channels) == 1:
        return [WHITE]
    named = [BY_NAME.get(name.lower()) for name in channels]
    known = [colour for colour in named if colour]
    if len(set(known)) == len(channels):
        return known
    return [BY_PLACE[k] if k < len(BY_PLACE) else WHITE for k in range(len(channels))]


def strengths(tints: Sequence[tuple[int, int, int]]) -> list[float]:
    """How bright each channel is drawn: four or more cover each other, so all but green step back there."""
    return [DIMMED.get(tint, 1.0) if len(tints) > 3 else 1.0 for tint in tints]


def coloured(pixels: NDArray, tints: Sequence[tuple[int, int, int]], usual: NDArray | None = None) -> NDArray[np.uint8]:
    """(channels, height, width) of any number type → RGB (height, width, 3), each channel stretched and tinted.

    usual: the range (channels,) that channels commonly span; see WEAKEST.
    """
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    low, high = np.percentile(flat, (LOW, HIGH), axis=1)
    span = np.maximum(high - low, 1e-6 if usual is None else np.maximum(WEAKEST * usual, 1e-6))
    light = np.clip((flat - low[:, None]) / span[:, None], 0, 1) * np.array(strengths(tints), np.float32)[:, None]
    mixed = 1 - np.prod(1 - light[:, :, None] * np.array(tints, np.float32)[:, None], axis=0)  # as slides on one screen
    return np.rint(255 * mixed).astype(np.uint8).reshape(*pixels.shape[1:], 3)


def chosen(data: Dataset, k: int) -> dict[str, NDArray[np.int64]]:
    """Images of class k to show, by part; the same ones each time."""
    rng = np.random.default_rng([SEED, k])
    found = {}
    for part, most in COLUMNS.items():
        labels = data.labels[data.split[part]]
        own = data.split[part][labels[:, k] if data.multilabel else labels == k]
        found[part] = np.sort(rng.choice(own, min(most, len(own)), replace=False))
    return found


def montage(data: Dataset) -> Any:
    """A PIL image: a row a class, its name and counts at the left, cells of train, val and test side by side."""
    from PIL import Image, ImageDraw

    title, plain, small = (_font(size, bold) for size, bold in ((26, True), (18, False), (14, False)))
    counts = data.class_counts()
    notes = [
        " · ".join(f"{part} {counts[part][k]:,}" for part in PARTS if counts[part][k]) for k in range(len(data.classes))
    ]
    left = MARGIN + 18 + int(max(*(plain.getlength(n) for n in data.classes), *(small.getlength(t) for t in notes)))
    starts, right = _columns(left)
    head = _heading(data)
    top = MARGIN + 40 + 24 * len(head) + 34
    height = top + len(data.classes) * (TILE + GAP) - GAP + MARGIN
    needed = MARGIN + max(title.getlength(data.name), *(small.getlength(text) for text, _ in head))
    picture = Image.new("RGB", (int(max(right, needed)) + MARGIN, height), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((MARGIN, MARGIN - 4), data.name, INK, title)
    for row, (text, tints) in enumerate(head):
        _line(draw, (MARGIN, MARGIN + 38 + 24 * row), text, tints, small)
    for part in PARTS:
        draw.text((starts[part], top - 26), part, GREY, small)
    tints, usual = colours(data.channels), usual_ranges(data)
    for k, name in enumerate(data.classes):
        y = top + k * (TILE + GAP)
        draw.text((MARGIN, y + TILE // 2 - 20), name, INK, plain)
        draw.text((MARGIN, y + TILE // 2 + 4), notes[k], GREY, small)
        for part, index in chosen(data, k).items():
            for column in range(COLUMNS[part]):
                x = starts[part] + column * (TILE + GAP)
                if column < len(index):
                    picture.paste(_tile(coloured(data.images[index[column]], tints, usual)), (x, y))
                else:
                    draw.rectangle((x, y, x + TILE - 1, y + TILE - 1), EMPTY)
    return picture


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


def _heading(data: Dataset) -> list[tuple[str, list[tuple[int, int, int]]]]:
    """Lines below the title, with a colour for each channel that a line names."""
    height, width = data.images.shape[2:]
    kind = "simulated images" if data.info.synthetic else "images"
    facts = f"{len(data):,} {kind} of {height}×{width} px, {data.images.dtype}; split {data.split.name}"
    named = "   ".join(f"■ {name}" for name in data.channels)
    what = "each image" if len(data.channels) == 1 else "each channel of each image"
    dimmed = "; all but green dimmed" if len(data.channels) > 3 else ""
    stretch = f"{what} stretched between its percentiles {LOW:g} and {HIGH:g}{dimmed}"
    return [(facts, []), (f"{named}   ({stretch})", colours(data.channels))]


def _line(draw: Any, at: tuple[int, int], text: str, tints: Sequence[tuple[int, int, int]], font: Any) -> None:
    """Text in grey whose squares ■ show the channels' colours; a white channel's square is grey."""
    x, y = at
    for k, piece in enumerate(text.split("■")):
        if k:
            tint = tints[k - 1]
            shade = GREY if tint == WHITE else tuple(int(215 * value) for value in tint)
            draw.rectangle((x, y + 3, x + 11, y + 14), shade)
            x += 14
        draw.text((x, y), piece, GREY, font)
        x += font.getlength(piece)


def _columns(left: int) -> tuple[dict[str, int], int]:
    """Where each part's cells begin, and where the last one ends."""
    starts, x = {}, left
    for part, n in COLUMNS.items():
        starts[part] = x
        x += n * (TILE + GAP) - GAP + PART_GAP
    return starts, x - PART_GAP


def usual_ranges(data: Dataset) -> NDArray:
    """The median over some images of what each channel spans, (channels,)."""
    some = np.linspace(0, len(data) - 1, min(len(data), 200)).astype(int)
    flat = data.images[some].reshape(len(some), data.images.shape[1], -1).astype(np.float32)
    low, high = np.percentile(flat, (LOW, HIGH), axis=2)
    return np.median(high - low, axis=0)


def _tile(pixels: NDArray[np.uint8]) -> Any:
    """A square of TILE pixels with the whole cell in it."""
    from PIL import Image

    image = Image.fromarray(pixels)
    scale = TILE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    tile = Image.new("RGB", (TILE, TILE), (0, 0, 0))
    tile.paste(image.resize(size, Image.Resampling.BICUBIC), ((TILE - size[0]) // 2, (TILE - size[1]) // 2))
    return tile


def _font(size: int, bold: bool) -> Any:
    """DejaVu Sans, which comes with matplotlib and has the letters of most languages."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
