"""Reads a TIFF of one image, whatever its axes, depth and compression. A file is read whole or refused."""

import io
import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....core.errors import DataError
from .ome import read_ome
from .pixels import Picture, check_size, decode_plain, oriented, to_picture

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

MOST_BYTES = 2**29  # of one image's pixels: Pillow's limit in RGB at 16 bit
MOST_CHANNELS = 16  # an unnamed TIFF axis of at most this length may hold channels
UPRIGHT = 1  # the orientation of an image whose rows run down and whose columns run to the right
ALPHA = (1, 2)  # the kinds of extra samples that are opacity


def decode_tiff(data: bytes) -> Picture:
    """The pixels of a TIFF with one image. Its axes are those that the file names, or the only possible ones.

    Of an OME-TIFF whose channels lie in several files, the channel that this file holds.
    """
    with open_tiff(io.BytesIO(data)) as file:
        page = file.pages.first
        ome = read_ome(file.ome_metadata) if file.is_ome else read_ome(None)
        if ome.files:
            return _plane_of_several_files(data, file, ome.here, ome.channels)
        series = file.series
        if len(series) != 1:
            raise DataError(f"holds {len(series)} images of different kinds; one cell an image is expected")
        if len(file.pages) > len(series[0].pages):
            raise DataError(f"has {len(file.pages)} pages, of which its description names {len(series[0].pages)}")
        picture = _decode(data, series[0], page)
    return replace(picture, channels=ome.channels) if len(ome.channels) == len(picture.pixels) else picture


def open_tiff(source: Path | io.BytesIO) -> "TiffFile":
    """Return the tifffile.TiffFile of a source, to be closed; tifffile does not log what it dislikes."""
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # the user gets one line from us instead
    return tifffile.TiffFile(source)


def _plane_of_several_files(data: bytes, file: "TiffFile", here: tuple[int, ...], channels: tuple[str, ...]) -> Picture:
    """The only page of one of the files that an image is spread over, with the name of its channel if there is one."""
    if len(file.pages) != 1 or len(here) != 1:
        raise DataError("is one of several files of an OME-TIFF and holds several planes; save one file a cell")
    picture = _decode(data, file.pages.first, file.pages.first)
    name = channels[here[0] : here[0] + 1]
    return replace(picture, channels=name) if len(picture.pixels) == len(name) else picture


def _decode(data: bytes, source: "TiffPageSeries | TiffPage", page: "TiffPage") -> Picture:
    """The pixels of a tifffile series or page. page: its first one, which says how pixels are stored."""
    shape, axes = _squeezed(source.shape, source.axes)
    channel, remark, names = _channel_axis(shape, axes)
    check_size(*(n for i, n in enumerate(shape) if i != channel))
    if source.dtype is None:
        raise DataError(f"{page.bitspersample} bits a sample of an unknown kind; save it as 8 or 16 bit")
    if (size := math.prod(shape) * source.dtype.itemsize) > MOST_BYTES:
        raise DataError(f"says its pixels take {size:,} bytes; at most {MOST_BYTES:,} are allowed")
    kind = page.photometric.name if hasattr(page.photometric, "name") else str(page.photometric)
    orientation = int(page.tags.valueof("Orientation", UPRIGHT) or UPRIGHT)
    if _only_pillow_converts(kind, page):
        if len(shape) != (2 if page.samplesperpixel == 1 else 3):
            raise DataError(f"several pages with colours stored as {kind}; save it as grey or RGB")
        return decode_plain(data, ("TIFF",))
    if kind not in ("MINISBLACK", "MINISWHITE", "RGB", "PALETTE", "YCBCR"):
        raise DataError(f"colours stored as {kind}; save it as grey or RGB")
    array = _pixels(data, source, page).reshape(shape)
    if channel is not None:
        array = np.moveaxis(array, channel, -1)
    array = oriented(array, orientation)
    if kind == "PALETTE":
        colours = (np.asarray(page.colormap) >> 8).astype(np.uint8).T  # (entries, 3), 16 bits in the file
        if (colours == colours[:, :1]).all():
            return replace(to_picture(colours[:, 0][array], remark), channels=names)
        if array.ndim > 2:
            raise DataError(
                f"{array.shape[2]} pages of colours from a table (palette); save them as grey, or as one file a channel"
            )
        return to_picture(colours[array], remark)
    if kind == "MINISWHITE":
        array = ~array if array.dtype.kind in "bu" else -array
    if any(int(extra) in ALPHA for extra in page.extrasamples):
        array, remark = array[..., :-1], "alpha channel dropped"
        array = array[..., 0] if array.shape[-1] == 1 else array
    if orientation != UPRIGHT:
        remark = ", ".join(filter(None, (remark, "turned as its orientation tag says")))
    return replace(to_picture(array, remark), channels=names)


def _only_pillow_converts(kind: str, page: Any) -> bool:
    """Whether the colours are of a kind that Pillow turns into RGB and tifffile leaves as they are.

    page: a TiffPage, whose compression has a name, though its type is int in tifffile.
    """
    return (kind == "SEPARATED" and page.bitspersample == 8) or (kind == "YCBCR" and page.compression.name != "JPEG")


def _pixels(data: bytes, source: "TiffPageSeries | TiffPage", page: "TiffPage") -> NDArray:
    """All values that a tifffile series or page holds. Raises DataError when some lie beyond the end of the file."""
    for part in getattr(source, "pages", None) or [source]:
        ends = (start + n for start, n in zip(part.dataoffsets, part.databytecounts, strict=False))
        if (end := max(ends, default=0)) > len(data):
            raise DataError(f"truncated: its pixels end at byte {end:,}, the file at {len(data):,}")
    try:
        return np.asarray(source.asarray(maxworkers=1))
    except MemoryError:
        raise
    except Exception as error:  # codecs raise anything at all
        name = getattr(page.compression, "name", page.compression)
        why = " ".join(str(error).split())
        raise DataError(
            f"a TIFF with {name} compression, {page.bitspersample} bit, damaged or of a kind that cannot be decoded "
            f"({why}); save it again uncompressed or with LZW"
        ) from error


def _squeezed(shape: Sequence[int], axes: str) -> tuple[tuple[int, ...], str]:
    """Shape and axes without those of length 1, but always with height and width."""
    kept = [i for i, n in enumerate(shape) if n > 1 or axes[i] in "YX"]
    return tuple(shape[i] for i in kept), "".join(axes[i] for i in kept)


def _channel_axis(shape: tuple[int, ...], axes: str) -> tuple[int | None, str, tuple[str, ...]]:
    """The axis that holds channels, None for a grey image; and a remark and names where the file does not say it."""
    if len(shape) == 2:
        return None, "", ()
    if len(shape) != 3 or set(axes) & set("ZT"):
        raise DataError(f"a stack of shape {shape} (axes {axes}); project it or choose one plane")
    for named in "SC":
        if named in axes:
            return axes.index(named), "", ()
    first, last = shape[0] <= MOST_CHANNELS, shape[2] <= MOST_CHANNELS
    if first == last:
        raise DataError(f"shape {shape} without named axes: which one holds channels is open; save it as OME-TIFF")
    axis = 0 if first else 2
    remark = f"axes unnamed in the TIFF: its {shape[axis]} planes taken as channels (if they are a z-stack, project it)"
    return axis, remark, tuple(f"channel {k + 1}" for k in range(shape[axis]))
