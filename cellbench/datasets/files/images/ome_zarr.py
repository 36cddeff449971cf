"""Decoding OME-Zarr: an image as a folder that ends in .zarr, of versions 0.1 to 0.5 of its format.

Source: Moore et al., "OME-NGFF: a next-generation file format for expanding bioimaging data-access strategies", Nature
Methods 18, 2021, and the specification at ngff.openmicroscopy.org.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ....core.errors import DataError
from ....core.extras import EXTRAS
from ....core.mixed_values import Facts
from ....core.text.words import file_size
from .pixels import LARGEST_IMAGE, Picture, check_size, to_picture

if TYPE_CHECKING:
    import zarr

SUFFIX = ".zarr"
TYPES = ("uint8", "uint16", "float32", "float64")  # of microscopes' pixels; others may be objects to unpickle
MOST_CHANNELS = 64  # more are no channels of a microscope
USUAL_AXES = "tczyx"  # of versions before 0.3, which have no names for them
SINGLE = {"t": "points in time", "z": "planes in depth"}


def is_zarr(path: Path) -> bool:
    """Whether a path is a folder that holds an image as OME-Zarr, going by its name."""
    return path.name.lower().endswith(SUFFIX) and path.is_dir()


def decode_zarr(path: Path) -> Picture:
    """Return the pixels of an OME-Zarr at its full resolution, (channels, height, width).

    Raises DataError, with only the reason, for one that cannot be read, or that has several planes.
    """
    try:
        import zarr
    except ImportError:
        raise DataError(f"OME-Zarr, which takes the package zarr: {EXTRAS['zarr'].command}") from None
    try:
        group = zarr.open_group(path, mode="r")
    except (FileNotFoundError, ValueError, KeyError, zarr.errors.BaseZarrError):
        raise DataError("no OME-Zarr: the folder holds no group of zarr") from None
    facts: Facts = group.attrs.asdict()
    facts = facts.get("ome", facts)  # since version 0.5
    image = _image(facts)
    array: Any = group[_full_resolution(image)]
    axes = _axes(image, len(array.shape))
    _check(array, axes)
    pixels = np.asarray(array[...])
    order = sorted(range(len(axes)), key=lambda k: "tzyxc".index(axes[k]))  # channels last
    pixels = pixels.transpose(order)
    pixels = pixels.reshape(pixels.shape[sum(name in SINGLE for name in axes) :])
    picture = to_picture(pixels, _missing(array))
    return replace(picture, channels=_channels(facts, len(picture.pixels)))


def _image(facts: Facts) -> Facts:
    """Return the description of the image. Raises DataError if there is none."""
    if "plate" in facts or "well" in facts:
        what = "plate" if "plate" in facts else "well"
        raise DataError(f"the OME-Zarr of a {what}; images of single cells are expected: cut them out first")
    try:
        return facts["multiscales"][0]
    except (KeyError, IndexError, TypeError):
        raise DataError("no OME-Zarr image: its attributes have no 'multiscales'") from None


def _full_resolution(image: Facts) -> str:
    try:
        return str(image["datasets"][0]["path"])
    except (KeyError, IndexError, TypeError):
        raise DataError("an OME-Zarr whose 'multiscales' name no array") from None


def _axes(image: Facts, n: int) -> str:
    """Return the names of the array's axes, such as 'cyx'. Raises DataError for others than t, c, z, y, x."""
    named = image.get("axes") or list(USUAL_AXES)
    axes = "".join(str(axis["name"] if isinstance(axis, Mapping) else axis).lower() for axis in named)
    axes = axes if image.get("axes") else axes[-n:]
    if len(axes) != n or len(set(axes)) != n or not {"y", "x"} <= set(axes) <= set(USUAL_AXES):
        raise DataError(f"an OME-Zarr with {n} axes that are called {', '.join(axes)}; t, c, z, y, x are read")
    return axes


def _check(array: "zarr.Array", axes: str) -> None:
    """Raise DataError, before anything is read, for several planes, numbers of no TYPES, and a size too large."""
    if array.dtype.name not in TYPES:
        raise DataError(f"values of type {array.dtype}; {', '.join(TYPES)} are read: save it as one of them")
    size = dict(zip(axes, array.shape, strict=True))
    for axis, what in SINGLE.items():
        if size.get(axis, 1) != 1:
            raise DataError(f"{size[axis]} {what}; one is expected: save one, or their maximum, as an image")
    if not all(array.shape):
        raise DataError(f"an empty array of shape {array.shape}")
    check_size(size["y"], size["x"])
    if size.get("c", 1) > MOST_CHANNELS:
        raise DataError(f"says it has {size['c']:,} channels; at most {MOST_CHANNELS} are read")
    for shape in (array.shape, array.chunks, array.shards or ()):  # a chunk is decoded as a whole
        if (needed := math.prod(shape) * array.dtype.itemsize) > LARGEST_IMAGE:
            raise DataError(f"says it has {file_size(needed)} of pixels; at most {file_size(LARGEST_IMAGE)} are read")


def _missing(array: "zarr.Array") -> str:
    """Return a remark if chunks have no file, which zarr reads as its fill value. Raises DataError if none has one."""
    there, of = array.nchunks_initialized, array.nchunks
    if not there:
        raise DataError("an OME-Zarr without a single chunk of pixels; copy it again")
    return f"parts of the image have no file and are read as {array.fill_value}" if there < of else ""


def _channels(facts: Facts, n: int) -> tuple[str, ...]:
    """Return the channels' names, if each has another one."""
    try:
        names = tuple(str(channel["label"]) for channel in facts["omero"]["channels"])
    except (KeyError, TypeError):
        return ()
    return names if len(names) == len(set(names)) == n and all(names) else ()
