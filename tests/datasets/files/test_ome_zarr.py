"""OME-Zarr: every version and order of axes gives the array that was written, and what is no such image is refused."""

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from cellbench.core.errors import DataError
from cellbench.datasets.files.images.decoding import decode

from ..folder.folders import load, put

PIXELS = np.random.default_rng(0).integers(0, 60000, (2, 20, 30), np.uint16)


def write(
    path: Path, array: NDArray, axes: str = "cyx", version: str = "0.4", names: tuple[str, ...] = (), chunk: int = 16
) -> Path:
    """Write an image by zarr alone, as the specification of the version has it."""
    group = zarr.open_group(path, mode="w", zarr_format=3 if version == "0.5" else 2)
    chunks = tuple(min(chunk, n) or 1 for n in array.shape)
    stored = group.create_array("0", shape=array.shape, chunks=chunks, dtype=array.dtype)
    if array.size:
        stored[...] = array
    group.create_array("1", shape=(1,), dtype=array.dtype)  # a smaller copy, which nobody wants
    kinds = {"c": "channel", "t": "time"}
    named: Any = [{"name": axis, "type": kinds.get(axis, "space")} for axis in axes]
    named = list(axes) if version == "0.3" else named
    image = {"datasets": [{"path": "0"}, {"path": "1"}], "version": version}
    image |= {"axes": named} if version not in ("0.1", "0.2") else {}
    facts: dict[str, Any] = {"multiscales": [image]}
    if names:
        facts["omero"] = {"channels": [{"label": name} for name in names]}
    group.attrs.update({"ome": facts} if version == "0.5" else facts)
    return path


@pytest.mark.parametrize("version", ["0.1", "0.3", "0.4", "0.5"])
@pytest.mark.parametrize("axes", ["tczyx", "czyx", "cyx", "yx"])
def test_every_version_gives_the_array_whatever_axes_of_one_plane_there_are(
    tmp_path: Path, version: str, axes: str
) -> None:
    pixels = PIXELS if "c" in axes else PIXELS[:1]
    array = pixels.reshape([{"t": 1, "z": 1, "c": 2, "y": 20, "x": 30}[axis] for axis in axes])
    if version == "0.1" and axes in ("czyx", "cyx"):
        pytest.skip("it has no names for axes, and five of them")
    picture = decode(write(tmp_path / "cell.ome.zarr", array, axes, version))
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert (picture.pixels.dtype, picture.remark, picture.channels) == (np.uint16, "", ())


def test_channels_last_big_endian_and_names_are_read(tmp_path: Path) -> None:
    array = np.moveaxis(PIXELS, 0, -1).astype(">u2")
    picture = decode(write(tmp_path / "a.zarr", array, "yxc", names=("DAPI", "GFP")))
    np.testing.assert_array_equal(picture.pixels, PIXELS)
    assert picture.channels == ("DAPI", "GFP")
    assert decode(write(tmp_path / "b.zarr", PIXELS, names=("DAPI", "DAPI"))).channels == ()


def test_a_folder_of_them_is_a_data_set_that_is_read_again_when_pixels_change(tmp_path: Path) -> None:
    root = tmp_path / "cells"
    for name in "ab":
        for i in range(10):
            write(root / name / f"{i}.zarr", PIXELS + np.uint16(i), names=("DAPI", "GFP"))
    data = load(root)
    assert (data.channels, data.classes) == (("DAPI", "GFP"), ("a", "b"))
    np.testing.assert_array_equal(data.images[13], PIXELS + 3)
    assert data.ids is not None
    assert data.ids[13] == "b/3.zarr"
    write(root / "b" / "3.zarr", PIXELS * 0 + np.uint16(7), names=("DAPI", "GFP"))
    assert (load(root).images[13] == 7).all()


def test_what_is_truncated_empty_huge_or_something_else_is_refused_in_a_line(tmp_path: Path) -> None:
    def refusal(path: Path) -> str:
        with pytest.raises(DataError) as caught:
            decode(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    cut = write(tmp_path / "cut.zarr", PIXELS)
    chunk = next(path for path in sorted((cut / "0").rglob("*")) if path.is_file() and not path.name.startswith("."))
    chunk.write_bytes(chunk.read_bytes()[:10])
    assert refusal(cut)
    (tmp_path / "empty.zarr").mkdir()
    assert refusal(tmp_path / "empty.zarr") == "no OME-Zarr: the folder holds no group of zarr"
    bare = tmp_path / "bare.zarr"
    zarr.open_group(bare, mode="w")
    assert refusal(bare) == "no OME-Zarr image: its attributes have no 'multiscales'"
    none = write(tmp_path / "none.zarr", PIXELS)
    for path in (none / "0").rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            path.unlink()
    assert refusal(none) == "an OME-Zarr without a single chunk of pixels; copy it again"
    assert refusal(write(tmp_path / "z.zarr", PIXELS[:, None].repeat(5, 1), "czyx")).startswith(
        "5 planes in depth; one"
    )
    assert "empty array of shape (2, 0, 30)" in refusal(write(tmp_path / "0.zarr", PIXELS[:, :0]))
    assert "axes that are called q, y, x" in refusal(write(tmp_path / "q.zarr", PIXELS, "qyx"))
    assert "values of type complex64" in refusal(write(tmp_path / "c.zarr", PIXELS.astype(np.complex64)))
    huge = zarr.open_group(tmp_path / "huge.zarr", mode="w", zarr_format=2)
    huge.create_array("0", shape=(10**6, 10**6), chunks=(64, 64), dtype="uint8")
    huge.attrs["multiscales"] = [{"datasets": [{"path": "0"}], "axes": ["y", "x"]}]
    assert refusal(tmp_path / "huge.zarr").startswith("says it has 1,000,000,000,000 pixels; at most")
    deep = zarr.open_group(tmp_path / "deep.zarr", mode="w", zarr_format=2)
    deep.create_array("0", shape=(64, 9000, 9000), chunks=(1, 64, 64), dtype="uint8")
    deep.attrs["multiscales"] = [{"datasets": [{"path": "0"}], "axes": ["c", "y", "x"]}]
    assert refusal(tmp_path / "deep.zarr") == "says it has 5.2 GB of pixels; at most 4.0 GB are read"
    broad = write(tmp_path / "broad.zarr", PIXELS)
    change(broad, chunks=[2, 10**5, 10**5])
    assert refusal(broad) == "says it has 40.0 GB of pixels; at most 4.0 GB are read"
    plate = zarr.open_group(tmp_path / "plate.zarr", mode="w")
    plate.attrs["ome"] = {"plate": {}}
    assert refusal(tmp_path / "plate.zarr").startswith("the OME-Zarr of a plate; images of single cells are expected")


def change(path: Path, **facts: Any) -> None:
    """Change what an image of version 0.4 says of its array."""
    file = path / "0" / ".zarray"
    file.write_text(json.dumps(json.loads(file.read_text()) | facts))


@pytest.mark.parametrize("dtype", ["|u1", "|O"])
@pytest.mark.parametrize("place", [{"filters": [{"id": "pickle"}]}, {"filters": None, "compressor": {"id": "pickle"}}])
def test_what_is_pickled_is_never_loaded(tmp_path: Path, dtype: str, place: dict[str, Any]) -> None:
    class Touch:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "was-here",)

    path = write(tmp_path / "a.zarr", PIXELS[:, :4, :4].astype(np.uint8))
    change(path, **{"dtype": dtype, "compressor": None, "fill_value": 0, **place})
    for chunk in (path / "0").glob("[0-9]*"):
        chunk.write_bytes(pickle.dumps(Touch()))
    with pytest.raises(DataError):
        decode(path)
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize("dtype", ["int16", "uint32", "bool", "float16", "complex64", "S3"])
def test_other_types_of_values_are_refused_before_they_are_read(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(DataError, match=r"values of type .*; uint8, uint16, float32, float64 are read: save it as one"):
        decode(write(tmp_path / "a.zarr", PIXELS.astype(dtype)))
    pixels = PIXELS.astype("float64") / 7
    np.testing.assert_array_equal(decode(write(tmp_path / "b.zarr", pixels)).pixels, pixels.astype("float32"))


def test_parts_without_a_file_are_black_and_that_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zarr", PIXELS)
    (path / "0" / "0.0.0").unlink()  # the first chunk: both channels have their own
    picture = decode(path)
    assert picture.remark == "parts of the image have no file and are read as 0"
    assert (picture.pixels[:, :16, :16] == 0).all()
    np.testing.assert_array_equal(picture.pixels[:, 16:], PIXELS[:, 16:])


def test_without_zarr_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.zarr", PIXELS)
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(DataError, match=r'takes the package zarr: pip install "cellbench\[zarr\]"'):
        decode(path)


def test_a_file_called_zarr_is_no_image(tmp_path: Path) -> None:
    root = tmp_path / "cells"
    put(root, [f"{name}/{i}.png" for name in "ab" for i in range(8)])
    (root / "a" / "x.zarr").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"1 of 17 images cannot be read: a/x\.zarr \(no PNG"):
        load(root)
