"""Decoding what Pillow reads (PNG, JPEG, BMP), and one form for the pixels of any image."""

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.errors import DataError

LARGEST_IMAGE = 4e9  # bytes of a file, or of an OME-Zarr's pixels
PNG_DEPTH, PNG_COLOUR = 24, 25  # where a PNG's header says its bits and its kind of colour
GREY_ONLY, RGB_ONLY, GREY_ALPHA = 0, 2, 4
ORIENTATION = 274  # the tag of TIFF and EXIF that says how a camera was held


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded image: pixels (channels, height, width) uint8, uint16 or float32.

    remark: a decision that was made in reading, '' when there was none to make. channels: their names, where the file
    has them (OME-TIFF). shape: the pixels' shape in the file, when they were resized.
    """

    pixels: NDArray
    remark: str = ""
    channels: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()


def decode_plain(data: bytes, formats: tuple[str, ...]) -> Picture:
    """The pixels of a file that Pillow can read, at the depth that they have in the file."""
    from PIL import Image

    # Pillow warns of what check_size refuses. A filter for good: catch_warnings is not safe in threads.
    if not any(rule[:3] == ("ignore", None, Image.DecompressionBombWarning) for rule in warnings.filters):
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    image = Image.open(io.BytesIO(data), formats=formats)
    check_size(image.width, image.height)
    alpha = "A" in image.mode or "transparency" in image.info
    # Pillow turns a TIFF by itself
    turn = 1 if image.format == "TIFF" else int(image.getexif().get(ORIENTATION, 1) or 1)
    if image.format == "PNG" and data[PNG_DEPTH] == 16 and data[PNG_COLOUR] != GREY_ONLY:
        array = _deep_png(data)
    elif image.mode in ("P", "PA"):
        array = np.asarray(image.convert("RGB"))
        palette = np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
        if (palette == palette[:, :1]).all():
            array = array[..., 0]
    elif image.mode in ("1", "L", "LA", "RGB", "RGBA", "RGBX", "I", "F") or image.mode.startswith("I;16"):
        array = np.asarray(image)
        if array.ndim == 3:
            array = array[..., : 1 if image.mode == "LA" else 3]
    elif image.mode == "CMYK":
        array = np.asarray(image.convert("RGB"))
    else:
        raise DataError(f"colours stored as {image.mode}; save it as grey or RGB")
    remarks = {
        "CMYK turned into RGB, without a colour profile": image.mode == "CMYK",
        "alpha channel dropped": alpha,
        "turned as its orientation tag says": turn != 1,
    }
    return to_picture(oriented(array, turn), ", ".join(remark for remark, made in remarks.items() if made))


def oriented(array: NDArray, orientation: int) -> NDArray:
    """Return an image (height, width, …) upright. orientation: 1 to 8 as TIFF 6.0 defines it; others change nothing."""
    if orientation in (5, 6, 7, 8):  # rows and columns are exchanged
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def _deep_png(data: bytes) -> NDArray[np.uint16]:
    """A 16-bit PNG with colour or alpha, (height, width[, 3]) without the alpha.

    Pillow keeps only the high bytes; when it is made to read the other byte order, it keeps the low bytes.
    """
    from PIL import Image

    def raw(layout: str) -> NDArray[np.uint16]:
        image: Any = Image.open(io.BytesIO(data), formats=("PNG",))
        image.tile = [(*image.tile[0][:3], layout)]
        return np.asarray(image).astype(np.uint16)

    if data[PNG_COLOUR] == GREY_ALPHA:  # its four bytes a pixel are read as if they were four channels
        pair = raw("RGBA")
        return pair[..., 0] << np.uint16(8) | pair[..., 1]
    mode = "RGB" if data[PNG_COLOUR] == RGB_ONLY else "RGBA"
    return (raw(f"{mode};16B") << np.uint16(8) | raw(f"{mode};16L"))[..., :3]


def check_size(height: int, width: int) -> None:
    """Raise DataError for more pixels than Pillow allows: decoding so large an image could fill the memory."""
    from PIL import Image

    if height * width > (Image.MAX_IMAGE_PIXELS or height * width):
        raise DataError(f"says it has {height * width:,} pixels; at most {Image.MAX_IMAGE_PIXELS:,} are allowed")


def to_picture(array: NDArray, remark: str = "") -> Picture:
    """(height, width) or (height, width, channels) of any number type → a Picture, values unchanged."""
    kind = array.dtype.kind
    if kind == "b":
        array = array.astype(np.uint8) * np.uint8(255)
    elif kind in "iu" and array.dtype not in (np.uint8, np.uint16):
        if array.min() < 0 or array.max() > 65535:
            raise DataError(f"values from {array.min()} to {array.max()}; whole numbers must lie in 0 to 65535")
        array = array.astype(np.uint16)
    elif kind == "f":
        array = array.astype(np.float32)
        if not np.isfinite(array).all():
            raise DataError("values that are not finite numbers")
    elif kind not in "iu":
        raise DataError(f"values of type {array.dtype}; whole or real numbers are expected")
    planes = array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)
    return Picture(np.ascontiguousarray(planes, dtype=array.dtype.newbyteorder("=")), remark)
