"""Pictures of single cells of prepared data sets, as a report shows them."""

import io
from collections.abc import Iterable

import numpy as np

from ...core.data import Dataset
from ...core.errors import DataError
from ..files import cache
from ..registry import datasets
from . import montage

SIDE = 128  # pixels at most
QUALITY = 88


def prepared(name: str, fingerprint: str) -> Dataset:
    """The prepared data set of this very content. Raises DataError that says how to prepare it when it isn't there."""
    for kept in cache.contents():
        if kept.kind == "prepared" and cache.meta(kept.name).get("info", {}).get("fingerprint") == fingerprint:
            return cache.read(kept.path)
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
    raise DataError(f"{name!r} is not prepared here; {datasets[name].how}")


def jpegs(data: Dataset, index: Iterable[int]) -> dict[int, bytes]:
    """By position a JPEG file: channels as colours, each stretched, as in the montage; at most SIDE pixels large."""
    from PIL import Image

    tints, usual = montage.colours(data.channels), montage.usual_ranges(data)
    found = {}
    for i in sorted(set(index)):
        image = Image.fromarray(montage.coloured(np.asarray(data.images[i]), tints, usual))
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        (image.convert("L") if len(tints) == 1 else image).save(file, "JPEG", quality=QUALITY, subsampling=0)
        found[i] = file.getvalue()
    return found


def examples(data: Dataset, most: int = 6) -> list[tuple[str, list[int]]]:
    """Of each class the positions of some training images, the same ones each time."""
    return [(name, montage.chosen(data, k)["train"][:most].tolist()) for k, name in enumerate(data.classes)]


def channels(data: Dataset) -> list[tuple[str, str]]:
    """Name and colour '#rrggbb' of each channel."""
    tints = montage.colours(data.channels)
    return [
        (name, "#" + "".join(f"{255 * part:02x}" for part in tint))
        for name, tint in zip(data.channels, tints, strict=True)
    ]
