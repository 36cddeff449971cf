"""Each image file is read to the values it was written from, or refused with its reason."""

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from cellbench.core.errors import DataError
from cellbench.datasets.files.images.decoding import decode, resized

GREY = (np.arange(20 * 30).reshape(20, 30) % 251).astype(np.uint8)
RGB = np.stack([GREY, GREY[::-1], 255 - GREY], -1)
DEEP = np.random.default_rng(0).integers(0, 65536, (20, 30, 4), dtype=np.uint16)


def saved(array: NDArray, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind, **options)
    return out.getvalue()


def tiff(array: NDArray, **options: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def deep_png(array: NDArray[np.uint16], width: int = 0) -> bytes:
    """A 16-bit PNG written by hand: Pillow writes none in colour. Another `width` makes its header lie."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[array.shape[2]]
    header = struct.pack(">IIBBBBB", width or array.shape[1], width or array.shape[0], 16, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def palette(colours: NDArray[np.uint8], indices: NDArray[np.uint8], kind: str = "PNG") -> bytes:
    image = Image.fromarray(indices)
    image.putpalette(colours.ravel().tolist())
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_grey_and_colour_keep_their_values(kind: str) -> None:
    grey, colour = decode(saved(GREY, kind)).pixels, decode(saved(RGB, kind)).pixels
    assert grey.dtype == colour.dtype == np.uint8
    np.testing.assert_array_equal(grey, GREY[None])
    np.testing.assert_array_equal(colour, np.moveaxis(RGB, -1, 0))


def test_jpeg_is_read_within_its_losses() -> None:
    smooth = np.tile(np.arange(0, 240, 4, dtype=np.uint8), (32, 1))
    found = decode(saved(smooth, "JPEG", quality=95)).pixels
    assert found.shape == (1, 32, 60)
    assert np.abs(found[0].astype(int) - smooth).max() <= 3


def test_alpha_is_dropped_and_said() -> None:
    rgba = np.dstack([RGB, np.full_like(GREY, 7)])
    for data in (saved(rgba, "PNG"), saved(rgba, "TIFF"), tiff(rgba, photometric="rgb", extrasamples=["unassalpha"])):
        found = decode(data)
        np.testing.assert_array_equal(found.pixels, np.moveaxis(RGB, -1, 0))
        assert found.remark == "alpha channel dropped"
    grey = decode(saved(np.dstack([GREY, GREY]), "PNG"))
    np.testing.assert_array_equal(grey.pixels, GREY[None])
    assert grey.remark == "alpha channel dropped"


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_one_bit_images_become_0_and_255(kind: str) -> None:
    bits = GREY % 3 == 0
    np.testing.assert_array_equal(decode(saved(bits, kind)).pixels, bits[None] * np.uint8(255))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_palette_images_show_their_colours_and_a_grey_palette_is_grey(kind: str) -> None:
    indices = (GREY % 4).astype(np.uint8)
    colours = np.array([[0, 0, 0], [200, 10, 0], [0, 99, 0], [1, 2, 3]], np.uint8)
    greys = np.repeat(np.array([[9], [50], [100], [0]], np.uint8), 3, 1)
    np.testing.assert_array_equal(decode(palette(colours, indices, kind)).pixels, np.moveaxis(colours[indices], -1, 0))
    np.testing.assert_array_equal(decode(palette(greys, indices, kind)).pixels, greys[indices][None, ..., 0])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_png_keeps_all_16_bits(channels: int) -> None:
    found = decode(deep_png(DEEP[..., :channels])).pixels
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, np.moveaxis(DEEP[..., : {1: 1, 2: 1, 3: 3, 4: 3}[channels]], -1, 0))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_tiff_of_either_byte_order_keeps_its_depth(order: str, dtype: type) -> None:
    array = DEEP[..., 0].astype(dtype) / (1 if dtype is np.uint16 else 3)
    found = decode(tiff(array.astype(dtype), byteorder=order, compression="zlib")).pixels
    assert found.dtype == dtype
    assert found.dtype.isnative
    np.testing.assert_array_equal(found[0], array.astype(dtype))


def test_an_lzw_tiff_is_read() -> None:
    for array in (GREY, RGB, DEEP[..., 0]):
        planes = array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)
        np.testing.assert_array_equal(decode(saved(array, "TIFF", compression="tiff_lzw")).pixels, planes)


def test_a_tiff_that_counts_white_as_0_is_turned_round() -> None:
    np.testing.assert_array_equal(decode(tiff(255 - GREY, photometric="miniswhite")).pixels, GREY[None])


def test_tiff_channels_are_found_first_or_last_and_a_guess_is_said() -> None:
    five = np.stack([GREY + k for k in range(5)])
    first, last = decode(tiff(five)), decode(tiff(np.moveaxis(five, 0, -1)))
    np.testing.assert_array_equal(first.pixels, five)
    np.testing.assert_array_equal(last.pixels, five)
    assert (
        first.remark
        == last.remark
        == "axes unnamed in the TIFF: its 5 planes taken as channels (if they are a z-stack, project it)"
    )
    named = decode(tiff(five, ome=True, metadata={"axes": "CYX"}))
    np.testing.assert_array_equal(named.pixels, five)
    assert named.remark == ""


def test_a_png_under_another_suffix_is_told_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.TIF").write_bytes(saved(GREY, "PNG"))
    np.testing.assert_array_equal(decode(tmp_path / "a.TIF").pixels, GREY[None])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes"),
        (b"these are words, not pixels", "no PNG, JPEG, BMP or TIFF image"),
        (saved(DEEP[..., 0], "PNG")[:600], "truncated"),
        (saved(np.tile(RGB, (4, 4, 1)), "JPEG")[:3000], "truncated"),
        (saved(GREY, "BMP")[:-50], "truncated"),
        (tiff(DEEP[..., 0])[:-50], "truncated"),
        (tiff(DEEP[..., 0], compression="zlib")[:-50], "truncated"),
        (deep_png(DEEP, width=60_000), "pixels"),
        (tiff(np.zeros((9, 9, 9), np.uint8)), "which one holds channels is open"),
        (tiff(np.zeros((20, 30, 40), np.uint8)), "which one holds channels is open"),
        (tiff(np.zeros((3, 20, 30), np.uint8), imagej=True, metadata={"axes": "ZYX"}), "a stack"),
        (tiff(np.full((20, 30), 70_000, np.uint32)), "70000"),
        (tiff(np.full((20, 30), np.nan, np.float32)), "finite"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason) as error:
        decode(data)
    assert "\n" not in str(error.value)


def test_a_png_that_says_it_is_large_is_refused_without_a_warning() -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with pytest.raises(DataError, match="says it has 100,000,000 pixels; at most 89,478,485 are allowed"):
            decode(deep_png(DEEP, width=10_000))
    assert heard == []


OME = """<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="64" SizeY="64" SizeC="200000" SizeZ="1" SizeT="1">
<TiffData IFD="0" PlaneCount="1"/></Pixels></Image></OME>"""


@pytest.mark.parametrize("description", [OME, '{"shape": [200000, 64, 64], "axes": "CYX"}'])
def test_a_tiff_that_says_it_has_very_many_channels_is_refused_before_it_is_read(description: str) -> None:
    data = tiff(np.zeros((64, 64), np.uint8), description=description, metadata=None)
    with pytest.raises(DataError, match="says its pixels take 819,200,000 bytes; at most 536,870,912 are allowed"):
        decode(data)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "TIFF packed"])
def test_cmyk_becomes_rgb_and_is_said(kind: str) -> None:
    out = io.BytesIO()
    compression = {"compression": "tiff_lzw"} if "packed" in kind else {}
    Image.new("CMYK", (16, 16), (255, 0, 0, 51)).save(out, kind[:4], **compression)
    picture = decode(out.getvalue())
    assert picture.pixels.shape == (3, 16, 16)
    assert picture.pixels.dtype == np.uint8
    assert np.abs(picture.pixels[:, 8, 8].astype(int) - (0, 204, 204)).max() <= 3 * (kind == "JPEG")  # (1 - C)(1 - K)
    assert picture.remark == "CMYK turned into RGB, without a colour profile"


def ome(axes: str, shape: tuple[int, ...], names: tuple[str, ...] = ()) -> bytes:
    out = io.BytesIO()
    array = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    channels = {"Channel": {"Name": list(names)}} if names else {}
    tifffile.imwrite(out, array, ome=True, photometric="minisblack", metadata={"axes": axes, **channels})
    return out.getvalue()


def test_ome_channel_names_are_read_and_unclear_ones_are_not() -> None:
    assert decode(ome("CYX", (2, 9, 11), ("DAPI", "Golgi"))).channels == ("DAPI", "Golgi")
    assert decode(ome("CYX", (2, 9, 11), ("DAPI", "DAPI"))).channels == ()
    assert decode(ome("CYX", (2, 9, 11))).channels == ()


@pytest.mark.parametrize(
    ("axes", "shape", "channel"), [("CYX", (20, 9, 11), 0), ("ZCYX", (1, 3, 9, 11), 1), ("TCZYX", (1, 3, 1, 9, 11), 1)]
)
def test_ome_tiff_channels_are_read_by_name_at_16_bit(axes: str, shape: tuple[int, ...], channel: int) -> None:
    picture = decode(ome(axes, shape))
    n = shape[channel]
    assert picture.pixels.dtype == np.uint16
    assert np.array_equal(picture.pixels, np.arange(n * 99).reshape(n, 9, 11))
    assert picture.remark == ""


@pytest.mark.parametrize(("axes", "shape"), [("ZYX", (3, 9, 11)), ("TCYX", (2, 3, 9, 11)), ("TCZYX", (2, 3, 4, 9, 11))])
def test_an_ome_stack_in_depth_or_time_is_refused(axes: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="project it or choose one plane"):
        decode(ome(axes, shape))


def test_pages_of_one_kind_are_channels_and_that_is_said_and_float_stays_float() -> None:
    out = io.BytesIO()
    planes = np.random.default_rng(0).random((4, 9, 30)).astype(np.float32)
    with tifffile.TiffWriter(out) as writer:
        for plane in planes:
            writer.write(plane, metadata=None)
    picture = decode(out.getvalue())
    assert picture.pixels.dtype == np.float32
    assert np.array_equal(picture.pixels, planes)
    assert (
        picture.remark == "axes unnamed in the TIFF: its 4 planes taken as channels (if they are a z-stack, project it)"
    )


@pytest.mark.parametrize(
    ("metadata", "reason"), [({}, r"a stack of shape \(2, 3, 4, 90, 110\) \(axes QQQYX\)"), (None, "shape .* is open")]
)
def test_five_dimensions_without_axes_are_refused(metadata: dict[str, str] | None, reason: str) -> None:
    """As tifffile describes them, or as 24 bare pages."""
    out = io.BytesIO()
    tifffile.imwrite(out, np.zeros((2, 3, 4, 90, 110), np.uint8), metadata=metadata, photometric="minisblack")
    with pytest.raises(DataError, match=reason):
        decode(out.getvalue())


def test_nan_in_a_float_tiff_is_refused() -> None:
    out = io.BytesIO()
    tifffile.imwrite(out, np.array([[0.0, np.nan]] * 2, np.float32))
    with pytest.raises(DataError, match="not finite"):
        decode(out.getvalue())


def test_a_two_page_tiff_of_different_sizes_is_refused() -> None:
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as writer:
        writer.write(GREY, metadata=None)
        writer.write(GREY[:9], metadata=None)
    with pytest.raises(DataError, match="2 images of different kinds"):
        decode(out.getvalue())


def test_resizing_averages_when_it_shrinks_and_keeps_the_type() -> None:
    stripes = np.tile(np.array([0, 200], np.uint8), (1, 64, 32))
    for dtype in map(np.dtype, (np.uint8, np.uint16, np.float32)):
        small = resized(stripes.astype(dtype), 16)
        assert small.shape == (1, 16, 16)
        assert small.dtype == dtype
        assert np.abs(small[0, 2:-2, 2:-2].astype(float) - 100).max() <= 1  # without antialias: 0 or 200
    deep = np.full((2, 10, 10), 60_000, np.uint16)
    np.testing.assert_array_equal(resized(deep, 20), np.full((2, 20, 20), 60_000, np.uint16))
