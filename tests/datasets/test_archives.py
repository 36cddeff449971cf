"""An archive is read whole and nothing in it reaches outside, or it is refused by name."""

import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cellbench.core.errors import DataError
from cellbench.datasets import archives
from cellbench.datasets.archives import read

NOISE = {f"a/{k}.png": np.random.default_rng(k).bytes(3000) for k in range(9)}
KINDS = ["x.tar", "x.tar.gz", "x.tar.xz", "x.zip"]


def archive_of(path: Path, members: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in members.items():
                entry = zipfile.ZipInfo("placeholder")
                entry.filename, entry.compress_type = name, zipfile.ZIP_DEFLATED
                file.writestr(entry, data)
        return path
    with tarfile.open(path, f"w:{path.suffix[1:]}" if path.suffix != ".tar" else "w") as file:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return path


def tar_with(path: Path, name: str, kind: bytes, target: str = "") -> Path:
    with tarfile.open(path, "w") as file:
        inside = tarfile.TarInfo("a.png")
        inside.size = 1
        file.addfile(inside, io.BytesIO(b"x"))
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        file.addfile(member)
    return path


def zip_with(path: Path, name: str, mode: int, content: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.png", b"x")
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (mode | 0o644) << 16
        file.writestr(entry, content)
    return path


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_gives_the_same_files_as_they_stand_there(tmp_path: Path, name: str) -> None:
    whole = {"b c/ä.csv": b"1,2\n", "empty.png": b"", **NOISE}
    assert list(read(archive_of(tmp_path / name, whole))) == list(whole.items())


@pytest.mark.parametrize("name", KINDS)
def test_what_is_not_wanted_is_named_and_not_read(tmp_path: Path, name: str) -> None:
    found = dict(read(archive_of(tmp_path / name, NOISE), lambda name: name == "a/3.png"))
    assert found == {name: data if name == "a/3.png" else None for name, data in NOISE.items()}


def test_an_archive_is_told_by_its_content(tmp_path: Path) -> None:
    for name in KINDS:
        assert dict(read(archive_of(tmp_path / name, NOISE).rename(tmp_path / "cells.download"))) == NOISE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", ["../evil.png", "/tmp/evil.png", "a/../../evil.png", "C:\\evil.png", "a\\..\\evil.png"]
)
def test_a_member_outside_is_refused_by_name(tmp_path: Path, kind: str, name: str) -> None:
    with pytest.raises(DataError, match=r"evil.png' points outside the archive; the archive is refused"):
        list(read(archive_of(tmp_path / kind, {"a.png": b"x", name: b"x"})))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret"])
@pytest.mark.parametrize(
    "make",
    [
        lambda path, target: tar_with(path / "x.tar", "a/link.png", tarfile.SYMTYPE, target),
        lambda path, target: tar_with(path / "x.tar", "a/link.png", tarfile.LNKTYPE, target),
        lambda path, target: zip_with(path / "x.zip", "a/link.png", stat.S_IFLNK, target),
    ],
)
def test_a_link_out_is_refused_by_name(tmp_path: Path, make: Callable[[Path, str], Path], target: str) -> None:
    with pytest.raises(DataError, match=r"'a/link.png' links to '.*', outside the archive"):
        list(read(make(tmp_path, target)))


@pytest.mark.parametrize(
    "make",
    [
        lambda path: tar_with(path / "x.tar", "b/link.png", tarfile.SYMTYPE, "../a.png"),
        lambda path: tar_with(path / "x.tar", "b/link.png", tarfile.LNKTYPE, "a.png"),
        lambda path: zip_with(path / "x.zip", "b/link.png", stat.S_IFLNK, "../a.png"),
    ],
)
def test_a_link_inside_has_its_targets_content_and_comes_last(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    assert list(read(make(tmp_path))) == [("a.png", b"x"), ("b/link.png", b"x")]


@pytest.mark.parametrize(
    "make",
    [
        lambda path: tar_with(path / "x.tar", "pipe", tarfile.FIFOTYPE),
        lambda path: tar_with(path / "x.tar", "pipe", tarfile.BLKTYPE),
        lambda path: zip_with(path / "x.zip", "pipe", stat.S_IFIFO),
    ],
)
def test_a_device_is_refused_by_name(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(DataError, match="'pipe' is a device"):
        list(read(make(tmp_path)))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_an_archive_cut_short_is_refused_by_name(tmp_path: Path, name: str, part: float) -> None:
    archive = archive_of(tmp_path / name, NOISE)
    whole = archive.read_bytes()
    size = 9 * (512 + 3072) if name == "x.tar" else len(whole)  # a tar is padded at its end
    archive.write_bytes(whole[: int(size * part)])
    for wanted in (lambda name: True, lambda name: False):
        with pytest.raises(DataError, match=rf"{name} cannot be read as a (tar|zip) archive: .*cut short"):
            list(read(archive, wanted))


def test_an_archive_cut_between_two_members_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "x.tar", {"a.png": bytes(512), "b.png": bytes(512)})
    archive.write_bytes(archive.read_bytes()[:1024])
    with pytest.raises(DataError, match="its end is missing"):
        list(read(archive))


def test_a_damaged_zip_is_noticed_by_its_sum(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "x.zip", NOISE)
    data = bytearray(archive.read_bytes())
    data[1000] ^= 255
    archive.write_bytes(data)
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        list(read(archive))


@pytest.mark.parametrize("name", KINDS)
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    archive = archive_of(tmp_path / name, {"small.png": b"x", "bomb.png": bytes(5_000_000)})
    assert list(read(archive))[1] == ("bomb.png", bytes(5_000_000))
    monkeypatch.setattr(archives, "LEAST_LIMIT", 3_000_000)
    monkeypatch.setattr(archives, "GROWTH", 0)
    found = read(archive)
    assert next(found) == ("small.png", b"x")
    with pytest.raises(DataError, match=rf"{name} unpacks to more than 0\.0 GB, which is not plausible"):
        next(found)


def test_a_member_larger_than_any_picture_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MEMBER_BYTES", 100)
    with pytest.raises(DataError, match=r"'b\.png' has 101 bytes; at most 100 are allowed"):
        list(read(archive_of(tmp_path / "x.tar", {"a.png": bytes(100), "b.png": bytes(101)})))


def test_a_zip_whose_header_lies_about_the_size_gives_no_more_than_it_says(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "x.zip", {"bomb.png": bytes(5_000_000)})
    lying = archive.read_bytes().replace(struct.pack("<I", 5_000_000), struct.pack("<I", 10))
    archive.write_bytes(lying)
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        list(read(archive))


def test_members_without_content_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = archive_of(tmp_path / "x.tar.gz", {f"{k}.png": b"" for k in range(1000)})
    monkeypatch.setattr(archives, "LEAST_LIMIT", 100_000)
    monkeypatch.setattr(archives, "GROWTH", 0)
    with pytest.raises(DataError, match="unpacks to more than"):
        list(read(archive))


@pytest.mark.parametrize("name", KINDS)
def test_a_web_page_saved_as_the_archive_is_called_that(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf<!doctype HTML>\n<title>Sign in</title>")
    with pytest.raises(DataError, match=rf"{name} is a web page \(HTML\), not an archive"):
        list(read(tmp_path / name))


def test_an_encrypted_zip_is_called_that(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "x.zip", {"a.png": b"x"})
    data = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # where the flags are in either header
        data[data.index(mark) + at] |= 1
    archive.write_bytes(data)
    with pytest.raises(DataError, match=r"'a.png' is encrypted; unpack the archive with its password"):
        list(read(archive))


@pytest.mark.parametrize("start", [b"PK\x03\x04 and so on", b"neither of them"])
def test_a_file_that_is_no_archive_is_refused_by_name(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(start)
    with pytest.raises(DataError, match=r"x\.zip cannot be read as a (zip|tar) archive"):
        list(read(tmp_path / "x.zip"))
