"""Whatever is wrong with the files: one line that names it, exit code 2, and nothing half-written in the cache."""

import functools
import io
import os
import struct
import subprocess
import sys
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from cellbench.cli import main
from cellbench.core.machine.environment import cache_folder
from cellbench.datasets import DatasetEntry, datasets
from cellbench.datasets.files.download import RemoteFile
from cellbench.datasets.sources import hep2

NOISE = np.random.default_rng(0).integers(0, 256, (24, 24)).astype(np.uint8)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A folder of two classes, ten images each, with nothing wrong."""
    for name in ("a", "b"):
        (tmp_path / "cells" / name).mkdir(parents=True)
        for i in range(10):
            Image.fromarray(NOISE).save(tmp_path / "cells" / name / f"{i}.png")
    return tmp_path / "cells"


def png() -> bytes:
    out = io.BytesIO()
    Image.fromarray(NOISE).save(out, "PNG")
    return out.getvalue()


def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str:
    """What the program says to `cellbench ...`, which must be one line, with exit code 2 and nothing left."""
    monkeypatch.setattr(sys, "argv", ["cellbench", *map(str, arguments)])
    monkeypatch.delenv("CELLBENCH_DEBUG", raising=False)
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    said = [line for line in err.splitlines() if not line.startswith("downloading ")]  # progress
    assert (end.value.code, out, len(said)) == (2, "", 1), err
    assert left() == []
    return said[0]


def left() -> list[str]:
    """Every file that the cache holds, but for locks."""
    return [str(path) for path in cache_folder().rglob("*") if path.is_file() and path.name != ".lock"]


# --- images


def truncated(path: Path) -> None:
    path.write_bytes(png()[:300])


def of_50_000_pixels_a_side(path: Path) -> None:
    data = bytearray(png())
    data[16:24] = struct.pack(">II", 50_000, 50_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)


def of_five_dimensions(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((2, 3, 4, 90, 110), np.uint8), photometric="minisblack", metadata={})


def with_nan(path: Path) -> None:
    tifffile.imwrite(path, np.full((24, 24), np.nan, np.float32))


def linked_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("b/x.png", truncated, "1 of 21 images cannot be read: b/x.png (image file is truncated"),
        ("b/x.png", Path.touch, "1 of 21 images cannot be read: b/x.png (0 bytes long)"),
        ("b/x.png", lambda path: path.write_text("words"), "b/x.png (no PNG, JPEG, BMP or TIFF image)"),
        ("b/x.png", of_50_000_pixels_a_side, "b/x.png (Image size (2500000000 pixels) exceeds limit"),
        ("b/x.tif", of_five_dimensions, "b/x.tif (a stack of shape (2, 3, 4, 90, 110) (axes QQQYX)"),
        ("b/x.tif", with_nan, "b/x.tif (values that are not finite numbers)"),
        ("b/x.png", linked_to_itself, "x.png: Too many levels of symbolic links; remove the link"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_image_that_cannot_be_trusted_is_refused(
    sound: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    make: Callable[[Path], object],
    words: str,
) -> None:
    make(sound / name)
    assert words in refused(capsys, monkeypatch, "prepare", sound)


def linked_up(sound: Path) -> None:
    (sound / "b" / "up").symlink_to(sound)


def linked_twice(sound: Path) -> None:
    (sound / "b" / "again").symlink_to(sound / "a")


@pytest.mark.parametrize(
    ("make", "words"),
    [(linked_up, "/b/up links to"), (linked_twice, "/a and {sound}/b/again are one folder")],
)
def test_links_between_the_folders_are_refused_by_name(
    sound: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], None],
    words: str,
) -> None:
    make(sound)
    assert words.format(sound=sound) in refused(capsys, monkeypatch, "prepare", sound)


# --- archives


def tar(path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def whole(n: int = 36) -> list[tuple[tarfile.TarInfo, bytes]]:
    """HEp-2 cells as an archive holds them, with their table."""
    out = io.BytesIO()
    Image.fromarray(np.full((78, 78), 9, np.uint8)).save(out, "PNG")
    rows = ["Image ID,Image class", *(f"{i},{hep2.CLASSES[i % 6]}" for i in range(n))]
    sound = [(f"{['training', 'validation', 'test'][i // 6 % 3]}/{i}.png", out.getvalue()) for i in range(n)]
    return [(tarfile.TarInfo(name), data) for name, data in [(hep2.TABLE, "\n".join(rows).encode()), *sound]]


def reaching_out(folder: Path) -> Path:
    return tar(folder / "x.tar", [*whole(), (tarfile.TarInfo("../../evil.png"), b"x")])


def zip_reaching_out(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        for member, data in [*whole(), (tarfile.TarInfo("../../evil.png"), b"x")]:
            archive.writestr(member.name, data)
    return folder / "x.zip"


def linking_out(folder: Path, kind: bytes) -> Path:
    member = tarfile.TarInfo("test/evil.png")
    member.type, member.linkname = kind, "/etc/passwd"
    return tar(folder / "x.tar", [*whole(), (member, b"")])


def linking_to_a_folder(folder: Path) -> Path:
    member = tarfile.TarInfo("again")
    member.type, member.linkname = tarfile.SYMTYPE, "test"
    return tar(folder / "x.tar", [*whole(), (member, b"")])


def of_a_long_name(folder: Path) -> Path:
    return tar(folder / "x.tar.gz", [*whole(), (tarfile.TarInfo("n" * 100_000), b"")])


def cut_short(folder: Path, name: str) -> Path:
    path = tar(folder / name, whole())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (reaching_out, "x.tar: member '../../evil.png' points outside the archive"),
        (zip_reaching_out, "x.zip: member '../../evil.png' points outside the archive"),
        (lambda folder: linking_out(folder, tarfile.SYMTYPE), "'test/evil.png' links to '/etc/passwd', outside"),
        (lambda folder: linking_out(folder, tarfile.LNKTYPE), "'test/evil.png' links to '/etc/passwd', outside"),
        (linking_to_a_folder, "x.tar: member 'again' links to 'test', which leads to no file in the archive"),
        (of_a_long_name, "x.tar.gz cannot be read as a tar archive: a header of 100,0"),
        (lambda folder: cut_short(folder, "x.tar"), "x.tar cannot be read as a tar archive"),
        (lambda folder: cut_short(folder, "x.tar.gz"), "x.tar.gz cannot be read as a tar archive"),
    ],
)
def test_an_archive_that_cannot_be_trusted_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], Path],
    words: str,
) -> None:
    (folder := tmp_path / "deep" / "deeper").mkdir(parents=True)
    assert words in refused(capsys, monkeypatch, "prepare", "hep2", "--from", make(folder))
    assert not list(tmp_path.rglob("*evil*"))


# --- downloads and the disk


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def test_a_download_with_another_md5_sum_is_refused_and_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cells.tar").write_bytes(b"not what was published")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    file = RemoteFile(f"http://127.0.0.1:{server.server_port}/cells.tar", "cells.tar", "0" * 32)
    entry = DatasetEntry("toys", lambda scratch, source: pytest.fail("built"), "", "MIT", "few", files=(file,))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setitem(datasets._entries, "toys", entry)
    try:
        assert f"md5 {'0' * 32} was expected" in refused(capsys, monkeypatch, "prepare", "toys")
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_disk_that_takes_no_more_is_said_and_leaves_nothing(sound: Path) -> None:
    """Simulated by the system's limit on a file's size, in a process of its own."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "from cellbench.cli import main; sys.argv[0] = 'cellbench'; main()"
    )
    command = [sys.executable, "-c", code, "prepare", str(sound)]
    told = subprocess.run(command, capture_output=True, text=True, env={**os.environ}, timeout=60, check=False)
    assert (told.returncode, told.stdout, told.stderr.count("\n")) == (2, "", 1), told.stderr
    assert "File too large; choose another folder with CELLBENCH_DATA" in told.stderr
    assert left() == []
