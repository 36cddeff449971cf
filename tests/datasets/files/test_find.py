"""Files are found in folders and archives, each once, and links that would count twice are refused."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cellbench.core.errors import DataError
from cellbench.datasets.files.find import find_files, stream_files, survey_files
from cellbench.datasets.files.images.decoding import decode


def test_files_are_found_in_natural_order_without_junk(tmp_path: Path) -> None:
    names = [
        "b/10.PNG",
        "b/2.png",
        "a b/ä.tif",
        ".DS_Store",
        "Thumbs.db",
        "__MACOSX/b/2.png",
        "b/._2.png",
        ".git/x.png",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "b" / "broken.png").symlink_to(tmp_path / "nowhere.png")
    assert list(find_files(tmp_path)) == ["a b/ä.tif", "b/2.png", "b/10.PNG", "b/broken.png"]
    with pytest.raises(DataError, match="No such file"):
        decode(tmp_path / "b" / "broken.png")


def test_a_link_to_itself_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "self").symlink_to("self")
    with pytest.raises(DataError, match=r"cannot follow .*self: Too many levels of symbolic links; remove the link"):
        find_files(tmp_path)


def folders(root: Path) -> Path:
    """Two folders, with a file and two files."""
    for name in ("a/0.png", "b/1.png", "b/p1/2.png"):
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        (root / name).write_bytes(b"x")
    return root


@pytest.mark.parametrize("up", ["..", "../..", "."])
def test_a_folder_linked_in_a_circle_is_refused_by_the_links_name(tmp_path: Path, up: str) -> None:
    root = folders(tmp_path / "cells")
    (root / "b" / "up").symlink_to(up)
    with pytest.raises(DataError, match=r"/b/up links to /.*, a folder that it lies in; remove the link"):
        find_files(root)


@pytest.mark.parametrize(
    ("link", "target", "one", "two"),
    [
        ("b/again", "../a", "a", "b/again"),
        ("a/again", "../b/p1", "a/again", "b/p1"),
        ("a/again", "../b", "a/again", "b"),
        ("a", "b", "a", "b"),
    ],
)
def test_a_folder_that_is_reached_twice_is_refused_by_both_names(
    tmp_path: Path, link: str, target: str, one: str, two: str
) -> None:
    if link == "a":
        (folders(tmp_path) / "a").rename(tmp_path / "c")
    (folders(tmp_path) if link != "a" else tmp_path).joinpath(link).symlink_to(target)
    with pytest.raises(DataError) as error:
        find_files(tmp_path)
    words = "are one folder, so its images count twice; remove the link"
    assert str(error.value) == f"{tmp_path}/{one} and {tmp_path}/{two} {words}"


def test_a_link_to_a_folder_elsewhere_is_followed(tmp_path: Path) -> None:
    root, other = folders(tmp_path / "cells"), folders(tmp_path / "other")
    (root / "c").symlink_to(other / "b")
    assert list(find_files(root)) == ["a/0.png", "b/1.png", "b/p1/2.png", "c/1.png", "c/p1/2.png"]


def tar_of(path: Path, members: dict[str, bytes], extra: Callable[[tarfile.TarFile], None] = lambda _: None) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        extra(archive)
    return path


def link(name: str, target: str, kind: bytes) -> Callable[[tarfile.TarFile], None]:
    def add(archive: tarfile.TarFile) -> None:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        archive.addfile(member)

    return add


def test_an_archive_is_streamed_as_it_stands_and_links_come_last(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar", {"b/2.png": b"2", "a.png": b"1"}, link("0.png", "b/2.png", tarfile.SYMTYPE))
    assert list(stream_files(path)) == [("b/2.png", b"2"), ("a.png", b"1"), ("0.png", b"2")]
    pictures, kept = survey_files(path, lambda name: False)
    assert (pictures, kept) == (["b/2.png", "a.png", "0.png"], {})


def test_junk_in_an_archive_is_left_out_and_only_what_is_named_is_read(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar", {"./a/10.png": b"ten", "a/2.png": b"two", "a/._2.png": b"", "__MACOSX/a": b""})
    assert dict(stream_files(path)) == {"a/10.png": b"ten", "a/2.png": b"two"}
    assert list(stream_files(path, {"a/2.png"})) == [("a/2.png", b"two")]


def test_the_survey_of_an_archive_reads_what_it_keeps_and_nothing_else(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar", {"a/1.png": b"1", "a/1.png ": b"?", "t.csv": b"x", "b/t.csv": b"y", "u.csv": b""})
    assert survey_files(path, lambda name: name == "t.csv") == (["a/1.png"], {"t.csv": b"x", "b/t.csv": b"y"})


def test_a_source_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"y\.tar does not exist; give a folder, a \.tar"):
        list(stream_files(tmp_path / "y.tar"))
