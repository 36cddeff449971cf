"""A packed TIFF gives what the uncompressed one gives, in every combination of how it may be stored."""

import io
import itertools
import struct
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from cellbench.core.errors import DataError
from cellbench.datasets.files.images.decoding import decode

SIDE = (32, 48)
PACKINGS: dict[str, dict[str, Any]] = {
    "none": {},
    "lzw": {"compression": "lzw"},
    "lzw, predictor": {"compression": "lzw", "predictor": True},
    "deflate": {"compression": "adobe_deflate"},
    "deflate, predictor": {"compression": "adobe_deflate", "predictor": True},
    "zstd": {"compression": "zstd"},
    "lzma": {"compression": "lzma"},
    "packbits": {"compression": "packbits"},
    "jpeg 2000": {"compression": "jpeg2000"},  # without loss by default; whole numbers only
    "jpeg xl": {"compression": "jpegxl", "compressionargs": {"level": 101}},  # 101: without loss
}


def stored(planes: NDArray, *, planar: str, tiled: bool, order: str, **packing: Any) -> bytes:
    """A TIFF of bare pages. planes: (pages, height, width, samples)."""
    out = io.BytesIO()
    with tifffile.TiffWriter(out, byteorder=order) as writer:  # type: ignore[arg-type]
        for page in planes:
            samples = page.shape[-1]
            array = page[..., 0] if samples == 1 else np.moveaxis(page, -1, 0) if planar == "separate" else page
            writer.write(
                np.ascontiguousarray(array),
                metadata=None,
                photometric="rgb" if samples == 3 else "minisblack",
                planarconfig=None if samples == 1 else planar,  # type: ignore[arg-type]
                **({"tile": (16, 16)} if tiled else {"rowsperstrip": 8}),
                **packing,
            )
    return out.getvalue()


def noisy(dtype: str, shape: tuple[int, ...]) -> NDArray:
    """Values that fill the type's range and differ in each plane."""
    rng = np.random.default_rng(0)
    if dtype.startswith("float"):
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("packing", PACKINGS)
def test_every_way_to_store_the_pixels_gives_the_pixels(packing: str, dtype: str) -> None:
    if dtype == "float32" and packing in ("jpeg 2000", "jpeg xl"):
        pytest.skip("that compression holds whole numbers here")
    combinations = itertools.product(("contig", "separate"), (1, 3), (1, 2, 3, 4), (False, True), "<>")
    for planar, pages, samples, tiled, order in combinations:
        if packing == "jpeg xl" and samples == 4 and planar == "contig":
            continue  # its encoder takes the fourth for opacity
        if packing in ("jpeg 2000", "jpeg xl") and (dtype, order) == ("uint16", ">"):
            continue  # tifffile writes none, or wrong ones; one is made by hand below
        planes = noisy(dtype, (pages, *SIDE, samples))
        data = stored(planes, planar=planar, tiled=tiled, order=order, **PACKINGS[packing])
        where = f"{packing} {dtype} {planar} pages={pages} samples={samples} tiled={tiled} {order}"
        if pages > 1 and samples > 1:
            with pytest.raises(DataError, match="a stack of shape"):
                decode(data)
            continue
        expected = planes[..., 0] if pages > 1 else np.moveaxis(planes[0], -1, 0)
        found = decode(data).pixels
        assert found.dtype == expected.dtype, where
        np.testing.assert_array_equal(found, expected, err_msg=where)


@pytest.mark.parametrize("compression", ["jpeg2000", "jpegxl"])
def test_codecs_of_whole_images_are_read_from_a_file_of_the_other_byte_order(compression: str) -> None:
    import imagecodecs

    plane = noisy("uint16", SIDE)
    packed = (
        imagecodecs.jpeg2k_encode(plane, level=0, reversible=True)
        if compression == "jpeg2000"
        else imagecodecs.jpegxl_encode(plane, lossless=True)
    )
    out = io.BytesIO()
    with tifffile.TiffWriter(out, byteorder=">") as writer:
        writer.write(iter([packed]), shape=SIDE, dtype="uint16", compression=compression, rowsperstrip=SIDE[0])
    np.testing.assert_array_equal(decode(out.getvalue()).pixels, plane[None])


@pytest.mark.parametrize("samples", [1, 3])
def test_a_jpeg_in_tiff_by_pillow_is_read_as_pillow_reads_it(samples: int) -> None:
    smooth = np.add.outer(np.arange(32) * 3, np.arange(48) * 2).astype(np.uint8)
    array = smooth if samples == 1 else np.stack([smooth, smooth // 2, 255 - smooth], -1)  # stored as YCbCr
    out = io.BytesIO()
    Image.fromarray(array).save(out, "TIFF", compression="jpeg", quality=98)
    with Image.open(out) as image:
        expected = np.atleast_3d(np.asarray(image)).transpose(2, 0, 1)
    assert np.abs(decode(out.getvalue()).pixels.astype(int) - expected).max() <= 4  # chroma is smoothed, or is not


@pytest.mark.parametrize(("photometric", "samples"), [("minisblack", 1), ("rgb", 3)])
def test_jpeg_in_tiff_is_read_within_its_losses_on_every_page(photometric: str, samples: int) -> None:
    smooth = np.add.outer(np.arange(32) * 3, np.arange(48) * 2).astype(np.uint8)
    colours = np.stack([smooth, smooth // 2, 255 - smooth], -1)[..., :samples]
    for tiled, pages in itertools.product((False, True), (1, 3)):
        if pages > 1 and samples > 1:
            continue
        out = io.BytesIO()
        with tifffile.TiffWriter(out) as writer:
            for k in range(pages):
                writer.write(
                    (colours if samples == 3 else smooth) // (k + 1),
                    metadata=None,
                    photometric=photometric,  # type: ignore[arg-type]
                    compression="jpeg",
                    compressionargs={"level": 98},
                    **({"tile": (16, 16)} if tiled else {}),
                )
        expected = [smooth // (k + 1) for k in range(3)] if pages > 1 else np.moveaxis(colours, -1, 0)
        found = decode(out.getvalue()).pixels
        assert found.shape == np.shape(expected)
        assert np.abs(found.astype(int) - np.array(expected, int)).max() <= (3 if samples == 1 else 12)


def test_a_packed_ome_tiff_keeps_all_channels_and_their_names() -> None:
    planes = noisy("uint16", (3, *SIDE))
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "Actin", "Marker"]}}
    out = io.BytesIO()
    tifffile.imwrite(out, planes, ome=True, photometric="minisblack", compression="lzw", metadata=metadata)
    found = decode(out.getvalue())
    np.testing.assert_array_equal(found.pixels, planes)
    assert found.channels == ("DAPI", "Actin", "Marker")


def test_pages_that_pillow_wrote_with_lzw_are_all_read() -> None:
    planes = noisy("uint8", (3, *SIDE))
    out = io.BytesIO()
    first, *others = (Image.fromarray(plane) for plane in planes)
    first.save(out, "TIFF", save_all=True, append_images=others, compression="tiff_lzw")
    found = decode(out.getvalue())
    np.testing.assert_array_equal(found.pixels, planes)
    assert found.channels == ("channel 1", "channel 2", "channel 3")  # not red, green, blue
    assert "if they are a z-stack, project it" in found.remark


def test_12_bits_packed_into_bytes_are_unpacked() -> None:
    values = np.random.default_rng(0).integers(0, 4096, (6, 8))
    bits = "".join(f"{value:012b}" for value in values.ravel())
    pixels = bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits), 8))
    # width, height, bits, compression (none), black is 0, where pixels start, samples, rows a strip, bytes
    tags = [(256, 8), (257, 6), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 6), (279, len(pixels))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    data = struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels + struct.pack("<H", len(tags)) + entries + bytes(4)
    found = decode(data).pixels
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found[0], values)


@pytest.mark.parametrize("packing", [name for name in PACKINGS if name != "none"])
def test_a_packed_tiff_that_was_cut_or_damaged_is_refused(packing: str) -> None:
    planes = noisy("uint8", (3, *SIDE, 1))
    whole = stored(planes, planar="contig", tiled=False, order="<", **PACKINGS[packing])
    for data in (whole[: len(whole) // 2], whole[:-100], whole[:9]):
        with pytest.raises(DataError) as error:
            decode(data)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("compression", [None, "lzw", "adobe_deflate"])
def test_orientation_is_applied_alike_in_every_kind_of_file(compression: str | None) -> None:
    """Against Pillow, which turns images by their EXIF tag."""
    from PIL import ImageOps

    array = noisy("uint8", (6, 9))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        out = io.BytesIO()
        Image.fromarray(array).save(out, "PNG", exif=exif)
        with Image.open(out) as image:
            expected = np.asarray(ImageOps.exif_transpose(image))
        png = decode(out.getvalue())
        out = io.BytesIO()
        tag = (274, 3, 1, orientation, True)
        tifffile.imwrite(out, array, metadata=None, extratags=[tag], compression=compression)
        tiff = decode(out.getvalue())
        for found in (png, tiff):
            np.testing.assert_array_equal(found.pixels[0], expected)
            assert found.remark == ("turned as its orientation tag says" if orientation > 1 else "")


def test_pages_with_a_table_of_colours_are_refused_and_with_one_of_greys_read() -> None:
    planes = noisy("uint8", (3, *SIDE))
    green, grey = np.zeros((3, 256), np.uint16), np.tile(np.arange(255, -1, -1, dtype=np.uint16) * 257, (3, 1))
    green[1] = np.arange(256) * 257
    out = io.BytesIO()
    tifffile.imwrite(out, planes, photometric="palette", colormap=green)
    with pytest.raises(DataError, match="3 pages of colours from a table"):
        decode(out.getvalue())
    out = io.BytesIO()
    tifffile.imwrite(out, planes, photometric="palette", colormap=grey)
    np.testing.assert_array_equal(decode(out.getvalue()).pixels, 255 - planes)


def test_a_plane_of_an_ome_tiff_in_several_files_is_only_its_own_channel() -> None:
    plane = noisy("uint16", SIDE)
    ids = ["urn:uuid:00000000-0000-0000-0000-000000000001", "urn:uuid:00000000-0000-0000-0000-000000000002"]
    planes = "".join(
        f'<TiffData FirstC="{c}" IFD="0" PlaneCount="1"><UUID FileName="cell_C{c}.ome.tif">{ids[c]}</UUID></TiffData>'
        for c in range(2)
    )
    description = (
        f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{ids[1]}"><Image ID="Image:0">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="{SIDE[1]}" SizeY="{SIDE[0]}" SizeC="2" '
        f'SizeZ="1" SizeT="1"><Channel ID="Channel:0:0" Name="DAPI"/><Channel ID="Channel:0:1" Name="GFP"/>{planes}'
        "</Pixels></Image></OME>"
    )
    out = io.BytesIO()
    tifffile.imwrite(out, plane, description=description, metadata=None, photometric="minisblack")
    found = decode(out.getvalue())
    np.testing.assert_array_equal(found.pixels, plane[None])
    assert found.channels == ("GFP",)
