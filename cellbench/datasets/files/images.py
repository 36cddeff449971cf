"""Finding image files, in folders and archives, and decoding them."""

import io
import logging
import math
import os
import re
import warnings
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import DataError
from . import archives
from .download import is_web_page

Blob = Path | bytes  # a file on disk, or the content of an archive's member

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
JUNK = {"__macosx", "thumbs.db", "desktop.ini"}
MOST_BYTES = 2**29  # of one image's pixels: Pillow's limit in RGB at 16 bit
MOST_CHANNELS = 16  # an unnamed TIFF axis of at most this length may hold channels
PNG_DEPTH, PNG_COLOUR = 24, 25  # where a PNG's header says its bits and its kind of colour
GREY_ONLY, RGB_ONLY, GREY_ALPHA = 0, 2, 4


# --- names


def natural(text: str) -> tuple[list[str | int], str]:
    """A sort key that puts '2' before '10'."""
    parts = re.split(r"(\d+)", text)
    return [int(part) if i % 2 else part.casefold() for i, part in enumerate(parts)], text


def is_junk(name: str) -> bool:
    """Whether a path is hidden or what an operating system leaves behind."""
    return any(part.startswith(".") or part.lower() in JUNK for part in name.split("/"))


def is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def few(names: Sequence[str], most: int = 5) -> str:
    """The first names, and '…' when there are more."""
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])


# --- folders and archives


def stream(source: Path, names: Container[str] | None = None) -> Iterator[tuple[str, Blob]]:
    """Path inside ('/'-separated) and content of the files of a folder or archive, or of those in `names`.

    Junk is left out. Files come one by one, so that an archive never has to fit in memory; of one that an archive
    holds twice the later one counts.
    """
    for name, blob in _entries(source, lambda name: names is None or name in names):
        if blob is not None:
            yield name, blob


def survey(source: Path, keep: Callable[[str], bool]) -> tuple[list[str], dict[str, Blob]]:
    """Paths of the images in a folder or archive, and the other files whose name without folders `keep` takes."""
    pictures: dict[str, None] = {}
    kept: dict[str, Blob] = {}
    for name, blob in _entries(source, lambda name: not is_image(name) and keep(name.rpartition("/")[2])):
        if is_image(name):
            pictures[name] = None
        elif blob is not None:
            kept[name] = blob
    return list(pictures), kept


def _entries(source: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Blob | None]]:
    """Every file that is no junk; None for the content of those that aren't wanted."""
    if source.is_dir():
        for name, path in find_files(source).items():
            yield name, path if wanted(name) else None
    elif source.exists():
        for name, data in archives.read(source, lambda name: wanted(name) and not is_junk(name)):
            if not is_junk(name):
                yield name, data
    else:
        raise DataError(f"{source} does not exist; give a folder, a .tar, .tar.gz or .zip archive")


def find_files(folder: Path) -> dict[str, Path]:
    """Every file below `folder` by its path inside, in natural order; hidden files and junk left out.

    Links to folders are followed. Raises DataError for one that leads back up or to a folder that was read already:
    its images would count twice, and maybe under two labels.
    """
    found: dict[str, Path] = {}
    paths: dict[Path, str] = {}  # of folders, by where they really are

    def walk(directory: str, prefix: str, above: tuple[Path, ...]) -> None:
        real = Path(os.path.realpath(directory))
        if any(upper.is_relative_to(real) for upper in above):
            raise DataError(f"{directory} links to {real}, a folder that it lies in; remove the link")
        if real in paths:
            raise DataError(f"{paths[real]} and {directory} are one folder, so its images count twice; remove the link")
        paths[real] = directory
        try:
            entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
        except OSError as error:
            raise DataError(f"cannot read the folder {directory}: {error.strerror}") from error
        for entry in entries:
            if is_junk(entry.name):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError as error:  # a link to itself
                raise DataError(f"cannot follow {entry.path}: {error.strerror}; remove the link") from error
            if is_folder:
                walk(entry.path, f"{prefix}{entry.name}/", (*above, real))
            elif entry.is_file() or entry.is_symlink():  # a broken link counts: decoding will name it
                found[prefix + entry.name] = Path(entry.path)

    walk(str(folder), "", ())
    return {name: found[name] for name in sorted(found, key=natural)}


# --- pixels


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded image: pixels (channels, height, width) uint8, uint16 or float32.

    remark: what was decided on the way. channels: their names where the file gives them (OME-TIFF). shape: of the
    pixels as they were in the file, when they were resized.
    """

    pixels: NDArray
    remark: str = ""
    channels: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()


def decode(blob: Blob) -> Picture:
    """The pixels of a PNG, JPEG, BMP or TIFF, told apart by content; alpha is dropped and remarked.

    Raises DataError with the reason alone: the caller knows the name.
    """
    from PIL import UnidentifiedImageError

    try:
        data = blob if isinstance(blob, bytes) else blob.read_bytes()
        if not data:
            raise DataError("0 bytes long")
        is_tiff = data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
        return _decode_tiff(data) if is_tiff else _decode_plain(data, ("PNG", "JPEG", "BMP"))
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


def _decode_plain(data: bytes, formats: tuple[str, ...]) -> Picture:
    """What Pillow reads, at the file's own depth."""
    from PIL import Image

    # Pillow warns of what _check_pixels refuses. A filter for good: catch_warnings is not safe in threads.
    if not any(rule[:3] == ("ignore", None, Image.DecompressionBombWarning) for rule in warnings.filters):
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    image = Image.open(io.BytesIO(data), formats=formats)
    _check_pixels(image.width, image.height)
    alpha = "A" in image.mode or "transparency" in image.info
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
        return _settled(np.asarray(image.convert("RGB")), "CMYK turned into RGB, without a colour profile")
    else:
        raise DataError(f"colours stored as {image.mode}; save it as grey or RGB")
    return _settled(array, "alpha channel dropped" if alpha else "")


def _deep_png(data: bytes) -> NDArray[np.uint16]:
    """A 16-bit PNG with colour or alpha, (height, width[, 3]) without the alpha.

    Pillow keeps the high bytes only; told that the byte order is the other one, it keeps the low bytes.
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


def _decode_tiff(data: bytes) -> Picture:
    """A TIFF of one image; its axes are those that the file names, or the only ones that can be meant."""
    import tifffile

    # tifffile logs what it dislikes; the user gets one line from us instead
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        series, page = file.series, file.pages.first
        if len(series) != 1:
            raise DataError(f"holds {len(series)} images of different kinds; one cell an image is expected")
        shape, axes = _squeezed(series[0].shape, series[0].axes)
        channel, remark = _channel_axis(shape, axes)
        _check_pixels(*(n for i, n in enumerate(shape) if i != channel))
        if (size := math.prod(shape) * series[0].dtype.itemsize) > MOST_BYTES:
            raise DataError(f"says its pixels take {size:,} bytes; at most {MOST_BYTES:,} are allowed")
        kind = page.photometric.name if hasattr(page.photometric, "name") else str(page.photometric)
        if not _tifffile_decodes(page):
            return _decode_packed(data, page, kind)
        if kind == "SEPARATED" and page.bitspersample == 8:
            return _decode_plain(data, ("TIFF",))
        if kind not in ("MINISBLACK", "MINISWHITE", "RGB", "PALETTE"):
            raise DataError(f"colours stored as {kind}; save it as grey or RGB")
        array: NDArray = np.asarray(series[0].asarray()).reshape(shape)
        if kind == "PALETTE":
            colours = (np.asarray(page.colormap) >> 8).astype(np.uint8).T  # (entries, 3), 16 bits in the file
            grey = (colours == colours[:, :1]).all()
            return _settled(colours[array][..., 0] if grey else colours[array])
        if kind == "MINISWHITE":
            array = ~array if array.dtype.kind in "bu" else -array
        if channel is not None:
            array = np.moveaxis(array, channel, -1)
        if any(int(extra) in (1, 2) for extra in page.extrasamples):  # associated and unassociated alpha
            array, remark = array[..., :-1], "alpha channel dropped"
        names = _ome_channels(file.ome_metadata) if file.is_ome else ()
    picture = _settled(array, remark)
    return replace(picture, channels=names) if len(names) == len(picture.pixels) else picture


def _ome_channels(description: str | None) -> tuple[str, ...]:
    """The names that an OME-TIFF gives its channels; none unless every channel has its own."""
    from xml.etree import ElementTree

    found = [
        node.get("Name", "") for node in ElementTree.fromstring(description or "<none/>").iterfind(".//{*}Channel")
    ]
    return tuple(found) if all(found) and len(set(found)) == len(found) else ()


def _tifffile_decodes(page: Any) -> bool:
    """Whether tifffile can undo the page's compression with what is installed."""
    import tifffile

    try:
        return page.compression == 1 or tifffile.TIFF.DECOMPRESSORS[page.compression] is not None
    except KeyError:
        return False


def _decode_packed(data: bytes, page: Any, kind: str) -> Picture:
    """A TIFF with a compression that tifffile leaves to `imagecodecs`; Pillow reads those that it doesn't reduce."""
    whole = page.bitspersample <= 8 or (page.bitspersample == 16 and page.samplesperpixel == 1)
    if whole and kind in ("MINISBLACK", "RGB", "PALETTE", "YCBCR", "SEPARATED"):
        return _decode_plain(data, ("TIFF",))
    raise DataError(f"{page.bitspersample}-bit {kind} with {page.compression.name} compression; save it uncompressed")


def _squeezed(shape: Sequence[int], axes: str) -> tuple[tuple[int, ...], str]:
    """Shape and axes without the axes of length 1 that are not height or width."""
    kept = [i for i, n in enumerate(shape) if n > 1 or axes[i] in "YX"]
    return tuple(shape[i] for i in kept), "".join(axes[i] for i in kept)


def _channel_axis(shape: tuple[int, ...], axes: str) -> tuple[int | None, str]:
    """Which axis holds channels (None for grey), with a remark when the file does not say so itself."""
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


def _check_pixels(height: int, width: int) -> None:
    """Refuse what claims to be so large that decoding would fill the memory; the limit is Pillow's."""
    from PIL import Image

    if height * width > (Image.MAX_IMAGE_PIXELS or height * width):
        raise DataError(f"says it has {height * width:,} pixels; at most {Image.MAX_IMAGE_PIXELS:,} are allowed")


def _settled(array: NDArray, remark: str = "") -> Picture:
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
