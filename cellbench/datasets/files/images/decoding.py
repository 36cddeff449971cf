"""Decoding an image file of any kind that is read, and resizing what came out."""

import numpy as np
from numpy.typing import NDArray

from ....core.errors import DataError
from ....core.machine.files import check_regular
from ..download import is_web_page
from ..find import Blob
from .ome_zarr import decode_zarr, is_zarr
from .pixels import LARGEST_IMAGE, Picture, decode_plain
from .tiff import decode_tiff


def decode(blob: Blob) -> Picture:
    """The pixels of a PNG, JPEG, BMP or TIFF, whatever the file is called, or of a folder that is an OME-Zarr.

    An alpha channel is dropped, with a remark.

    Raises DataError that has only the reason: the caller knows the file's name.
    """
    from PIL import UnidentifiedImageError

    try:
        if not isinstance(blob, bytes) and is_zarr(blob):
            return decode_zarr(blob)
        if not isinstance(blob, bytes):
            check_regular(blob, LARGEST_IMAGE)
        data = blob if isinstance(blob, bytes) else blob.read_bytes()
        if not data:
            raise DataError("0 bytes long")
        is_tiff = data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
        return decode_tiff(data) if is_tiff else decode_plain(data, ("PNG", "JPEG", "BMP"))
    except DataError:
        raise
    except UnidentifiedImageError:
        what = "a saved web page (HTML)" if is_web_page(data) else "no PNG, JPEG, BMP or TIFF image"
        raise DataError(what) from None
    except OSError as error:  # the system's, or Pillow's own, which has no number
        raise DataError(error.strerror or " ".join(str(error).split())) from error
    except Exception as error:  # a broken file makes the parsers raise anything at all
        raise DataError(" ".join(str(error).split()) or type(error).__name__) from error


def resized(pixels: NDArray, size: int) -> NDArray:
    """(channels, height, width) → (channels, size, size), bilinear and antialiased, dtype kept."""
    from PIL import Image

    if pixels.shape[1:] == (size, size):
        return pixels
    wide = pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32)
    new = np.stack([np.asarray(Image.fromarray(c).resize((size, size), Image.Resampling.BILINEAR)) for c in wide])
    if pixels.dtype == np.uint16:
        new = np.clip(np.rint(new), 0, 65535)
    return new.astype(pixels.dtype)
