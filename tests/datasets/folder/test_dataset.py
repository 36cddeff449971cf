"""A folder's images keep their values and types; broken ones are named, and an unchanged folder is read once."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from cellbench.datasets import folder
from cellbench.datasets.files import cache
from cellbench.datasets.folder import FolderOptions

from .folders import crops, load, put, refused, value, values, write_table


@pytest.mark.parametrize(("dtype", "suffix"), [(np.uint8, "png"), (np.uint16, "tif"), (np.float32, "TIFF")])
def test_alike_images_keep_size_and_type(root: Path, dtype: type, suffix: str) -> None:
    names = [f"{k}/{i}.{suffix}" for k in "ab" for i in range(5)]
    put(root, names, dtype=dtype)
    data = load(root)
    assert data.images.dtype == dtype
    assert data.images.shape == (10, 1, 12, 10)
    assert values(data) == [value(name) for name in names]


def test_mixed_sizes_are_brought_to_64_or_the_size_asked_for_and_said(root: Path) -> None:
    put(root, crops("a"))
    put(root, crops("b"), shape=(30, 44))
    data = load(root)
    assert data.images.shape == (20, 1, 64, 64)
    assert data.info.notes == ("images of 2 sizes (12×10 to 30×44 px, height×width) resized to 64×64",)
    np.testing.assert_array_equal(data.images[3], np.full((1, 64, 64), value("a/3.png")))
    assert load(root, size=20).images.shape == (20, 1, 20, 20)


def test_alike_images_are_resized_when_asked_and_said(root: Path) -> None:
    put(root, crops("a", "b"))
    data = load(root, size=16)
    assert data.images.shape == (20, 1, 16, 16)
    assert data.info.notes == ("images resized from 12×10 px to 16×16",)


def test_alpha_is_dropped_from_colour_and_said(root: Path) -> None:
    put(root, crops("a", "b"), shape=(12, 10, 4))
    data = load(root)
    assert data.channels == ("red", "green", "blue")
    assert data.images.shape == (20, 3, 12, 10)
    assert data.info.notes == ("alpha channel dropped: 20 images, the first is a/0.png",)


def test_five_channels_keep_their_order(root: Path) -> None:
    for name in (f"{k}/{i}.tif" for k in "ab" for i in range(5)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(root / name, np.stack([np.full((20, 24), 10 * c, np.uint16) for c in range(5)]))
    data = load(root)
    assert data.channels == tuple(f"channel {c}" for c in range(1, 6))
    assert data.images[7, :, 3, 3].tolist() == [0, 10, 20, 30, 40]


def test_whole_fields_of_view_are_noted(root: Path) -> None:
    put(root, crops("a", "b", n=5), shape=(520, 300))
    (note,) = load(root).info.notes
    assert note.startswith("the median image has 520×300 px, like a whole field of view; crops are expected")


def test_a_folder_is_decoded_again_only_when_a_file_or_an_option_changes(root: Path) -> None:
    put(root, crops("a", "b"))
    first = folder.prepare(root, FolderOptions())
    assert folder.prepare(root, FolderOptions()) == first
    assert folder.prepare(root, FolderOptions(split_seed=1)) != first
    os.utime(root / "a" / "0.png", ns=(1, 1))
    second = folder.prepare(root, FolderOptions())
    assert second != first
    assert cache.read(second).info.fingerprint == cache.read(first).info.fingerprint


def test_a_change_in_a_table_outside_is_seen(root: Path, tmp_path: Path) -> None:
    put(root, [f"{i}.png" for i in range(10)])
    rows = [["file", "label"], *([str(i), "ab"[i % 2]] for i in range(10))]
    table = write_table(tmp_path / "t.csv", rows)
    assert load(root, labels=table).classes == ("a", "b")
    write_table(table, [[a, "c" if b == "b" else b] for a, b in rows])
    assert load(root, labels=table).classes == ("a", "c")


def test_a_missing_folder_and_a_file_are_refused(root: Path, tmp_path: Path) -> None:
    refused(root, "my cells é does not exist; give a folder")
    (tmp_path / "x.txt").write_text("x")
    refused(tmp_path / "x.txt", r"x\.txt is a file; give a folder")


def test_a_folder_without_images_is_refused(root: Path) -> None:
    root.mkdir()
    refused(root, "holds no images; .png, ")


def test_a_class_left_with_one_readable_image_is_refused(root: Path) -> None:
    put(root, [*crops("a"), *crops("b", n=5)])
    for i in range(1, 5):
        (root / "b" / f"{i}.png").write_bytes(b"")
    refused(root, r"class 'b' has one image only \(b/0\.png\)", skip_unreadable=True)


def broken(root: Path) -> None:
    """20 images, of which three cannot be read."""
    put(root, crops("a", "b"))
    whole = (root / "a" / "0.png").read_bytes()
    (root / "a" / "1.png").write_bytes(whole[: len(whole) // 2])
    (root / "b" / "2.png").write_bytes(b"")
    (root / "b" / "3.png").write_text("not an image")


def test_unreadable_images_are_counted_and_named_with_their_reasons(root: Path) -> None:
    broken(root)
    refused(
        root,
        r"3 of 20 images cannot be read: a/1\.png, b/3\.png \(no PNG, .*\), b/2\.png \(0 bytes long\);.*"
        "--skip-unreadable",
    )


def test_an_image_without_permission_is_named_in_one_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(root, crops("a", "b"))
    read = Path.read_bytes

    def guarded(path: Path) -> bytes:
        if path.parts[-2:] == ("b", "3.png"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", guarded)  # file modes would not keep a test that root runs from reading
    refused(root, r"^1 of 20 images cannot be read: b/3\.png \(Permission denied\); replace or remove them")


def test_a_web_page_that_was_saved_as_an_image_is_called_so(root: Path) -> None:
    put(root, crops("a", "b"))
    (root / "a" / "7.png").write_text("<!DOCTYPE html>\n<html><body>Please sign in</body></html>")
    (root / "b" / "2.png").write_text("\ufeff\n <HTML lang='en'>404</HTML>", encoding="utf-8")
    refused(
        root,
        r"^2 of 20 images cannot be read: a/7\.png, b/2\.png \(a saved web page \(HTML\)\);",
    )


def test_unreadable_images_are_skipped_when_asked_counted_and_recorded(root: Path) -> None:
    broken(root)
    data = load(root, skip_unreadable=True)
    assert len(data) == 17
    assert data.info.notes == ("3 unreadable images skipped: a/1.png, b/2.png, b/3.png",)
    left = [name for name in crops("a", "b") if name not in ("a/1.png", "b/2.png", "b/3.png")]
    assert values(data) == [value(name) for name in left]
    assert data.labels.tolist() == [0] * 9 + [1] * 8


def test_skipping_a_whole_class_is_refused(root: Path) -> None:
    put(root, crops("a", "b"))
    for i in range(10):
        (root / "b" / f"{i}.png").write_bytes(b"")
    refused(root, "no readable image is left of class b", skip_unreadable=True)


def test_mixed_channels_and_depths_are_refused_with_two_names(root: Path) -> None:
    put(root, crops("a"))
    put(root, crops("b"), shape=(12, 10, 3))
    refused(
        root,
        r"a/0\.png is uint8 with 1 channel \(10 of 20\), b/0\.png is uint8 with 3 channels \(10 of 20\); save",
    )
    put(root, crops("b"), dtype=np.uint16)
    refused(root, r"a/0\.png is uint8 with 1 channel .*, b/0\.png is uint16 with 1 channel")


def huge_png(path: Path) -> None:
    """A valid PNG whose header claims 60,000×60,000 pixels."""
    import struct
    import zlib

    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)


def test_a_decompression_bomb_is_refused_by_name(root: Path) -> None:
    put(root, crops("a", "b"))
    huge_png(root / "b" / "4.png")
    refused(root, r"1 of 20 images cannot be read: b/4\.png \(.*pixels")


def test_an_array_of_each_value_survives_the_round_trip(root: Path) -> None:
    rng = np.random.default_rng(0)
    written: list[NDArray] = [rng.integers(0, 256, (9, 11, 3), dtype=np.uint8) for _ in range(10)]
    for i, array in enumerate(written):
        (root / "ab"[i // 5]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(root / "ab"[i // 5] / f"{i}.png")
    np.testing.assert_array_equal(load(root).images, np.moveaxis(np.stack(written), -1, 1))


def test_the_names_of_files_are_kept_and_said_where_an_image_is_meant(root: Path) -> None:
    names = crops("a", "b", n=6)
    put(root, names)
    Image.fromarray(np.full((12, 10), 9, np.uint8)).save(root / "a" / "0.png")
    data = load(root)
    assert data.ids is not None
    assert data.ids.tolist() == names
    assert data.name_of(7) == "b/1.png"
    assert not data.ids.flags.writeable


@pytest.mark.parametrize("odd", ["a/0.png", "b/7.png"])
def test_of_images_that_differ_in_kind_the_commonest_stays_on_request(root: Path, odd: str) -> None:
    names = crops("a", "b")
    put(root, names, (12, 10, 3))
    put(root, [odd])  # grey; also as the first image, from which the shape of all is taken
    refused(root, r"images differ in kind: .*or pass --skip-unreadable to keep only the commonest kind")
    data = load(root, skip_unreadable=True)
    assert data.ids is not None
    assert data.ids.tolist() == [name for name in names if name != odd]
    assert data.images.shape == (19, 3, 12, 10)
    assert data.images[:, 0, 0, 0].tolist() == [value(name) for name in names if name != odd]
    assert f"1 image of another kind than most skipped: {odd}" in data.info.notes
