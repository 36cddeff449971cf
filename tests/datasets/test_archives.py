"""An archive is unpacked whole and inside its folder, or refused by name with nothing left behind."""

import errno
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
from cellbench.datasets.archives import opened, unpack

NOISE = {f"a/{k}.png": np.random.default_rng(k).bytes(3000) for k in range(9)}
MANY = 10**9
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


def unpacked(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_unpacked_to_the_same_files(tmp_path: Path, name: str) -> None:
    whole = {**NOISE, "b c/ä.csv": b"1,2\n", "empty.png": b""}
    folder = unpack(archive_of(tmp_path / name, whole), tmp_path / "out", MANY)
    assert folder == tmp_path / "out"
    assert unpacked(folder) == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["out", name])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", ["../evil.png", "/tmp/evil.png", "a/../../evil.png", "C:\\evil.png", "a\\..\\evil.png"]
)
def test_a_member_outside_is_refused_by_name_and_nothing_stays(tmp_path: Path, kind: str, name: str) -> None:
    archive = archive_of(tmp_path / kind, {"a.png": b"x", name: b"x"})
    with pytest.raises(DataError, match=r"evil.png' points outside the archive; the archive is refused"):
        unpack(archive, tmp_path / "out", MANY)
    assert [path.name for path in tmp_path.iterdir()] == [kind]


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
        unpack(make(tmp_path, target), tmp_path / "out", MANY)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: tar_with(path / "x.tar", "b/link.png", tarfile.SYMTYPE, "../a.png"),
        lambda path: tar_with(path / "x.tar", "b/link.png", tarfile.LNKTYPE, "a.png"),
        lambda path: zip_with(path / "x.zip", "b/link.png", stat.S_IFLNK, "../a.png"),
    ],
)
def test_a_link_inside_becomes_a_copy(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    folder = unpack(make(tmp_path), tmp_path / "out", MANY)
    assert unpacked(folder) == {"a.png": b"x", "b/link.png": b"x"}
    assert not (folder / "b/link.png").is_symlink()


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
        unpack(make(tmp_path), tmp_path / "out", MANY)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_an_archive_cut_short_is_refused_by_name_and_nothing_stays(tmp_path: Path, name: str, part: float) -> None:
    archive = archive_of(tmp_path / name, NOISE)
    whole = archive.read_bytes()
    size = 9 * (512 + 3072) if name == "x.tar" else len(whole)  # a tar is padded at its end
    archive.write_bytes(whole[: int(size * part)])
    with pytest.raises(DataError, match=rf"{name} cannot be read as a (tar|zip) archive: .*cut short"):
        unpack(archive, tmp_path / "out", MANY)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_damaged_zip_is_noticed_by_its_sum(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "x.zip", NOISE)
    data = bytearray(archive.read_bytes())
    data[1000] ^= 255
    archive.write_bytes(data)
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        unpack(archive, tmp_path / "out", MANY)


@pytest.mark.parametrize("name", KINDS)
def test_a_bomb_is_stopped_at_the_limit_and_nothing_stays(tmp_path: Path, name: str) -> None:
    archive = archive_of(tmp_path / name, {"small.png": b"x", "bomb.png": bytes(5_000_000)})
    assert name == "x.tar" or archive.stat().st_size < 20_000
    with pytest.raises(DataError, match=r"unpacks to more than 3,000,000 bytes"):
        unpack(archive, tmp_path / "out", 3_000_000)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert unpack(archive, tmp_path / "out", 5_100_000).is_dir()


def test_a_zip_whose_header_lies_about_the_size_gives_no_more_than_it_says(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "x.zip", {"bomb.png": bytes(5_000_000)})
    lying = archive.read_bytes().replace(struct.pack("<I", 5_000_000), struct.pack("<I", 10))
    archive.write_bytes(lying)
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        unpack(archive, tmp_path / "out", MANY)


def test_members_without_content_count_too(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "x.tar.gz", {f"{k}.png": b"" for k in range(1000)})
    with pytest.raises(DataError, match="unpacks to more than 100,000 bytes"):
        unpack(archive, tmp_path / "out", 100_000)


@pytest.mark.parametrize("name", KINDS)
def test_a_web_page_saved_as_the_archive_is_called_that(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf<!doctype HTML>\n<title>Sign in</title>")
    for use in (lambda path: unpack(path, tmp_path / "out", MANY), lambda path: opened(path, tmp_path)):
        with pytest.raises(DataError, match=rf"{name} is a web page \(HTML\), not an archive"):
            use(tmp_path / name)


def test_an_encrypted_zip_is_called_that(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "x.zip", {"a.png": b"x"})
    data = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # where the flags are in either header
        data[data.index(mark) + at] |= 1
    archive.write_bytes(data)
    with pytest.raises(DataError, match=r"'a.png' is encrypted; unpack the archive with its password"):
        unpack(archive, tmp_path / "out", MANY)


def test_a_full_disk_is_said_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    archive = archive_of(tmp_path / "x.zip", NOISE)
    really = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, mode="r", **how: Full() if mode == "wb" else really(path, mode, **how)
    )
    with pytest.raises(DataError, match=r"cannot unpack .*x\.zip to .*out: No space left on device; make room"):
        unpack(archive, tmp_path / "out", MANY)
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


def test_a_folder_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="out exists already"):
        unpack(archive_of(tmp_path / "x.zip", NOISE), tmp_path / "out", MANY)


def test_a_zip_is_opened_as_a_folder_and_all_else_is_left_as_it_is(tmp_path: Path) -> None:
    zipped = archive_of(tmp_path / "cells.zip", NOISE).rename(tmp_path / "cells.download")  # told by content
    assert unpacked(opened(zipped, tmp_path / "room")) == NOISE
    np.savez(tmp_path / "x.npz", a=np.arange(3))
    tar = archive_of(tmp_path / "x.tar.gz", NOISE)
    for source in (tar, tmp_path / "x.npz", tmp_path, tmp_path / "missing.zip"):
        assert opened(source, tmp_path / "room") == source
