"""An archive is read whole and nothing in it reaches outside, or it is refused by name."""

import gzip
import io
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cellbench.core.errors import DataError
from cellbench.datasets.files import archives
from cellbench.datasets.files.archives import read

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


def linked_tar(path: Path, files: dict[str, bytes], links: list[tuple[str, str, bytes]]) -> Path:
    """Links stand first, so that none can be resolved when it is met."""
    with tarfile.open(path, f"w:{path.suffix[1:]}" if path.suffix != ".tar" else "w") as file:
        for name, target, kind in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            file.addfile(member)
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return path


def test_links_to_links_are_followed_and_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    links = [("d/1.png", "../c.png", tarfile.SYMTYPE), ("c.png", "b.png", tarfile.LNKTYPE), ("z.png", "a.png", b"2")]
    found = list(read(linked_tar(tmp_path / "x.tar.gz", {"a.png": b"a", "b.png": b"b"}, links)))
    assert found == [("a.png", b"a"), ("b.png", b"b"), ("z.png", b"a"), ("d/1.png", b"b"), ("c.png", b"b")]


def test_a_file_that_stands_twice_as_tar_writes_it_is_read(tmp_path: Path) -> None:
    """The second time it is a hard link to itself."""
    assert dict(read(tar_with(tmp_path / "y.tar", "a.png", tarfile.LNKTYPE, "a.png"))) == {"a.png": b"x"}


def test_of_links_only_the_wanted_have_content(tmp_path: Path) -> None:
    links = [(f"{k}.png", "a.png", tarfile.LNKTYPE) for k in range(2)]
    found = read(linked_tar(tmp_path / "x.tar.xz", {"a.png": b"a"}, links), lambda name: name == "1.png")
    assert list(found) == [("a.png", None), ("0.png", None), ("1.png", b"a")]


@pytest.mark.parametrize("kind", ["x.tar", "x.tar.gz"])
@pytest.mark.parametrize("target", ["nowhere.png", "a", "again.png", "", "first.png"])
def test_a_link_to_no_file_is_refused_by_name(tmp_path: Path, kind: str, target: str) -> None:
    """To nothing, to a folder, to itself, without a target, and in a circle."""
    links = [("first.png", "again.png", tarfile.SYMTYPE), ("again.png", target, tarfile.SYMTYPE)]
    archive = linked_tar(tmp_path / kind, {"a/1.png": b"x"}, links)
    with pytest.raises(DataError, match=rf"{kind}: member 'first\.png' links to 'again\.png', which leads to no file"):
        list(read(archive))


def test_a_link_of_a_zip_to_no_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.zip: member 'b' links to 'a', which leads to no file in the archive"):
        list(read(zip_with(tmp_path / "x.zip", "b", stat.S_IFLNK, "a")))


def test_many_links_unpack_a_compressed_archive_once_more_and_not_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{k}.png": np.random.default_rng(k).bytes(50_000) for k in range(20)}
    twice = {f"./{name}": data for name, data in reversed(files.items())}
    links = [(f"l{k}-{n}.png", f"{k}.png", tarfile.LNKTYPE) for n in range(5) for k in reversed(range(20))]
    archive = linked_tar(tmp_path / "x.tar.gz", files | twice, links)
    rewound, rewind = [], gzip._GzipReader._rewind
    monkeypatch.setattr(gzip._GzipReader, "_rewind", lambda self: (rewound.append(1), rewind(self)))
    found = dict(read(archive))
    assert len(rewound) <= 2  # one when tarfile has seen what kind it is, one for the links
    assert all(found[name] == files[target] for name, target, _ in links)


def test_what_links_lead_to_counts_as_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    links = [(f"{k}.png", "a.png", tarfile.LNKTYPE) for k in range(10)]
    archive = linked_tar(tmp_path / "x.tar", {"a.png": bytes(100_000)}, links)
    monkeypatch.setattr(archives, "GROWTH", 0)
    monkeypatch.setattr(archives, "LEAST_LIMIT", 1_200_000)
    assert len(list(read(archive))) == 11
    monkeypatch.setattr(archives, "LEAST_LIMIT", 1_000_000)
    with pytest.raises(DataError, match="unpacks to more than"):
        list(read(archive))


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


def with_header(path: Path, kind: bytes, content: bytes, size: int | None = None, before: bytes = b"") -> Path:
    """A .tar.gz of one file, said more about by an extended header of `kind`, which may lie about its `size`."""

    def block(name: str, kind: bytes, size: int) -> bytes:
        info = tarfile.TarInfo(name)
        info.type, info.size = kind, size
        return info.tobuf(tarfile.GNU_FORMAT)

    header = block("extended", kind, len(content) if size is None else size)
    padded = content + bytes(-len(content) % 512)
    data = before + header + padded + block("a.png", tarfile.REGTYPE, 1) + b"x" + bytes(511) + bytes(1024)
    path.write_bytes(gzip.compress(data))
    return path


@pytest.mark.parametrize("before", [b"", tarfile.TarInfo("first.png").tobuf()], ids=["first", "second"])
@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g", b"X"])
def test_a_header_longer_than_any_name_is_refused_before_it_is_read(tmp_path: Path, kind: bytes, before: bytes) -> None:
    content = bytes(40_000) if kind in b"LK" else b"9 a=1234\n" * 4_400  # 39,600 bytes
    assert len(list(read(with_header(tmp_path / "x.tar.gz", kind, content, before=before)))) == 1 + bool(before)
    long = with_header(tmp_path / "y.tar.gz", kind, b"9 a=1234\n" * 3_200_000, before=before)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"y\.tar\.gz cannot be read .*: a header of 28,800,000 bytes, .* most 65,536"):
        list(read(long))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize("kind", [b"L", b"x", b"0"])
def test_a_negative_size_is_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(DataError, match=r"(a header of|has) -1,024 bytes"):
        list(read(with_header(tmp_path / "x.tar.gz", kind, b"", size=-1024)))


def test_a_negative_size_in_pax_fields_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'a\.png' has -2,048 bytes"):
        list(read(with_header(tmp_path / "x.tar.gz", b"x", b"14 size=-2048\n")))


@pytest.mark.parametrize(
    ("kind", "content"),
    [(b"S", b""), (b"x", b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n24 GNU.sparse.name=b.png\n")],
)
def test_a_sparse_file_is_refused(tmp_path: Path, kind: bytes, content: bytes) -> None:
    with pytest.raises(DataError, match=r"a sparse file, .*unpack it and give the folder"):
        list(read(with_header(tmp_path / "x.tar.gz", kind, content)))


def test_long_names_count_as_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = archive_of(tmp_path / "x.tar.gz", {f"{k:04}{'n' * 9_000}.png": b"" for k in range(100)})
    assert len(list(read(archive))) == 100
    monkeypatch.setattr(archives, "LEAST_LIMIT", 500_000)
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
