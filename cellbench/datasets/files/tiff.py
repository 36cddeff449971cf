"""Decoding a TIFF of one image, whatever its axes, depth and compression."""

import io
import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import DataError
from .pixels import Picture, check_size, decode_plain, to_picture

MOST_BYTES = 2**29  # of one image's pixels: Pillow's limit in RGB at 16 bit
MOST_CHANNELS = 16  # an unnamed TIFF axis of at most this length may hold channels


def decode_tiff(data: bytes) -> Picture:
    """The pixels of a TIFF with one image. Its axes are those that the file names, or the only possible ones."""
    import tifffile

    # tifffile logs what it dislikes; the user gets one line from us instead
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        series, page = file.series, file.pages.first
        if len(series) != 1:
            raise DataError(f"holds {len(series)} images of different kinds; one cell an image is expected")
        shape, axes = _squeezed(series[0].shape, series[0].axes)
        channel, remark = _channel_axis(shape, axes)
        check_size(*(n for i, n in enumerate(shape) if i != channel))
        if (size := math.prod(shape) * series[0].dtype.itemsize) > MOST_BYTES:
            raise DataError(f"says its pixels take {size:,} bytes; at most {MOST_BYTES:,} are allowed")
        kind = page.photometric.name if hasattr(page.photometric, "name") else str(page.photometric)
        if not _tifffile_decodes(page):
            return _decode_packed(data, page, kind)
        if kind == "SEPARATED" and page.bitspersample == 8:
            return decode_plain(data, ("TIFF",))
        if kind not in ("MINISBLACK", "MINISWHITE", "RGB", "PALETTE"):
            raise DataError(f"colours stored as {kind}; save it as grey or RGB")
        array: NDArray = np.asarray(series[0].asarray()).reshape(shape)
        if kind == "PALETTE":
            colours = (np.asarray(page.colormap) >> 8).astype(np.uint8).T  # (entries, 3), 16 bits in the file
            grey = (colours == colours[:, :1]).all()
            return to_picture(colours[array][..., 0] if grey else colours[array])
        if kind == "MINISWHITE":
            array = ~array if array.dtype.kind in "bu" else -array
        if channel is not None:
            array = np.moveaxis(array, channel, -1)
        if any(int(extra) in (1, 2) for extra in page.extrasamples):  # associated and unassociated alpha
            array, remark = array[..., :-1], "alpha channel dropped"
        names = _ome_channels(file.ome_metadata) if file.is_ome else ()
    picture = to_picture(array, remark)
    return replace(picture, channels=names) if len(names) == len(picture.pixels) else picture


def _ome_channels(description: str | None) -> tuple[str, ...]:
    """The channel names in an OME-TIFF's description; none unless every channel has a different one."""
    from xml.etree import ElementTree

    found = [
        node.get("Name", "") for node in ElementTree.fromstring(description or "<none/>").iterfind(".//{*}Channel")
    ]
    return tuple(found) if all(found) and len(set(found)) == len(found) else ()


def _tifffile_decodes(page: Any) -> bool:
    """Whether tifffile can decompress the page with the packages that are installed."""
    import tifffile

    try:
        return page.compression == 1 or tifffile.TIFF.DECOMPRESSORS[page.compression] is not None
    except KeyError:
        return False


def _decode_packed(data: bytes, page: Any, kind: str) -> Picture:
    """Decode with Pillow a TIFF whose compression tifffile can't read without the package imagecodecs.

    Raises DataError where Pillow would lose bits or doesn't know the kind of colour.
    """
    whole = page.bitspersample <= 8 or (page.bitspersample == 16 and page.samplesperpixel == 1)
    if whole and kind in ("MINISBLACK", "RGB", "PALETTE", "YCBCR", "SEPARATED"):
        return decode_plain(data, ("TIFF",))
    raise DataError(f"{page.bitspersample}-bit {kind} with {page.compression.name} compression; save it uncompressed")


def _squeezed(shape: Sequence[int], axes: str) -> tuple[tuple[int, ...], str]:
    """Shape and axes without those of length 1, but always with height and width."""
    kept = [i for i, n in enumerate(shape) if n > 1 or axes[i] in "YX"]
    return tuple(shape[i] for i in kept), "".join(axes[i] for i in kept)


def _channel_axis(shape: tuple[int, ...], axes: str) -> tuple[int | None, str]:
    """The axis that holds channels, None for a grey image; and a remark when the file does not say it."""
    if len(shape) == 2:
        return None, ""
    if len(shape) != 3 or set(axes) & set("ZT"):
        raise DataError(f"a stack of shape {shape} (axes {axes}); project it or choose one plane")
    for named in "SC":
        if named in axes:
            return axes.index(named), ""
    first, last = shape[0] <= MOST_CHANNELS, shape[2] <= MOST_CHANNELS
    if first == last:
        raise DataError(f"shape {shape} without named axes: which one holds channels is open; save it as OME-TIFF")
    return (0 if first else 2), f"axes unnamed in the TIFF: its {shape[0 if first else 2]} planes taken as channels"
