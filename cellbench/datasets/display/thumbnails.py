"""Thumbnails: single cells of prepared data sets, as a report shows them."""

import io
from collections.abc import Iterable

import numpy as np

from ...core.data import Dataset
from ...core.errors import DataError
from ...core.records.heatmaps import Heatmaps
from ..files import cache
from ..registry import datasets
from .colours import WHITE, channel_colours, to_rgb, usual_ranges
from .montage import example_images

SIDE = 128  # pixels at most
QUALITY = 88
HOT = (255, 40, 0)  # red, green and blue where a net looks
HEAT = 0.7  # of the colour where it looks most


def prepared_dataset(name: str, fingerprint: str) -> Dataset:
    """The prepared data set `name` whose content has this fingerprint.

    Raises DataError that says how to prepare it when it isn't there.
    """
    for item in cache.contents():
        if item.kind == "prepared" and cache.meta(item.name).get("info", {}).get("fingerprint") == fingerprint:
            return cache.read(item.path)
    if name not in datasets:
        plain = name.removeprefix("folder:")
        raise DataError(
            f"the images of {plain!r} are not prepared here; type: cellbench prepare FOLDER, that of {plain!r}"
        )
    if datasets[name].made_on_demand:
        data = cache.read(datasets[name].prepare())
        if data.info.fingerprint == fingerprint:
            return data
    if datasets[name].ready:
        raise DataError(f"{name!r} as prepared here has another content than that of the runs ({fingerprint[:8]})")
    raise DataError(f"{name!r} is not prepared here; {datasets[name].how_to_prepare}")


def jpegs(data: Dataset, index: Iterable[int]) -> dict[int, bytes]:
    """A JPEG file of each image at `index`, by position: coloured as in the montage, at most SIDE pixels large."""
    from PIL import Image

    colours, usual = channel_colours(data.channels), usual_ranges(data)
    found = {}
    for i in sorted(set(index)):
        image = Image.fromarray(to_rgb(np.asarray(data.images[i]), colours, usual))
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        (image.convert("L") if len(colours) == 1 else image).save(file, "JPEG", quality=QUALITY, subsampling=0)
        found[i] = file.getvalue()
    return found


def heatmap_files(data: Dataset, heatmaps: Heatmaps, index: Iterable[int]) -> dict[int, bytes]:
    """A JPEG file of each image at `index` that has a heatmap, by position: grey, and red where the net looks."""
    from PIL import Image

    place_of = {int(i): k for k, i in enumerate(heatmaps.index)}
    grey, found = [WHITE] * len(data.channels), {}
    for i in sorted(set(index) & place_of.keys()):
        cell = Image.fromarray(to_rgb(np.asarray(data.images[i]), grey))
        heat = Image.fromarray(heatmaps.maps[place_of[i]]).resize(cell.size, Image.Resampling.BILINEAR)
        weight = np.asarray(heat, np.float32)[..., None] / 255 * HEAT
        mixed = np.asarray(cell, np.float32) * (1 - weight) + np.array(HOT, np.float32) * weight
        image = Image.fromarray(np.rint(mixed).astype(np.uint8))
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=QUALITY)
        found[i] = file.getvalue()
    return found


def examples(data: Dataset, most: int = 6) -> list[tuple[str, list[int]]]:
    """Return each class's name with the positions of up to `most` of its training images, the same ones each time."""
    return [(name, example_images(data, k)["train"][:most].tolist()) for k, name in enumerate(data.classes)]


def channels(data: Dataset) -> list[tuple[str, str]]:
    """Each channel's name and its colour as '#rrggbb'."""
    colours = channel_colours(data.channels)
    return [
        (name, "#" + "".join(f"{255 * part:02x}" for part in colour))
        for name, colour in zip(data.channels, colours, strict=True)
    ]
