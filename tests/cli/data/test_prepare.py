"""`cellbench prepare` and `cellbench list datasets`: what they print, and what they leave on the disk."""

import io
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from cellbench.cli import cli
from cellbench.cli.data.prepare import download_watcher
from cellbench.core.data import Dataset
from cellbench.core.errors import CellbenchError, DataError, UsageError
from cellbench.core.machine.environment import cache_folder
from cellbench.core.text.words import file_size
from cellbench.datasets import DatasetEntry, datasets, registry
from cellbench.datasets.files import cache
from cellbench.datasets.files.download import DownloadProgress, RemoteFile
from cellbench.datasets.files.find import stream_files
from cellbench.datasets.toy import rings

FILE = RemoteFile("http://127.0.0.1:9/pixels.npy", "pixels.npy", "0" * 32, 10_000_000)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=True)


def error_of(result: Result) -> CellbenchError:
    assert isinstance(result.exception, CellbenchError), result.output
    return result.exception


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def build(scratch: Path, source: Path | None) -> Dataset:
    """Toy rings whose images come from pixels.npy in the source."""
    assert source
    files = dict(stream_files(source))
    name = next((name for name in files if name.endswith("pixels.npy")), "")
    if not name:
        raise DataError(f"{source} holds no pixels.npy")
    blob = files[name]
    return replace(rings(), images=np.load(io.BytesIO(blob) if isinstance(blob, bytes) else blob))


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., DatasetEntry]:
    """Add data sets to the registry for one test; without `files` or `manual` it is as embedded ones are."""

    def add(name: str, **facts: object) -> DatasetEntry:
        facts = {"factory": build, "summary": "toy rings", "licence": "MIT", "size": "few", **facts}
        entry = DatasetEntry(name=name, **facts)  # type: ignore[arg-type]
        monkeypatch.setitem(datasets._entries, name, entry)
        return entry

    return add


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "pixels.npy").write_bytes(npy(rings().images))
    return source


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "toys.zip", "w") as file:
        file.writestr("inside/pixels.npy", npy(rings().images // 2))
    return tmp_path / "toys.zip"


def on_disk() -> list[str]:
    return sorted(path.name for path in (cache_folder() / f"v{cache.FORMAT}").glob("*"))


def test_a_zip_is_taken_where_a_folder_is(register: Callable[..., DatasetEntry], zipped: Path) -> None:
    register("toys", manual="ask")
    result = call("prepare", "toys", "--from", str(zipped))
    assert result.exit_code == 0, result.output
    assert "Next: cellbench run -d toys" in result.output
    np.testing.assert_array_equal(cache.read(cache.location("toys-r1")).images, rings().images // 2)
    assert on_disk() == ["toys-r1"]


def test_an_error_in_a_zip_names_the_zip(register: Callable[..., DatasetEntry], tmp_path: Path) -> None:
    register("toys", manual="ask")
    with zipfile.ZipFile(tmp_path / "wrong.zip", "w") as file:
        file.writestr("readme.txt", "nothing here")
    error = error_of(call("prepare", "toys", "--from", str(tmp_path / "wrong.zip")))
    assert str(error) == f"{tmp_path / 'wrong.zip'} holds no pixels.npy"
    assert on_disk() == []


def test_a_data_set_with_files_is_downloaded_with_progress(
    register: Callable[..., DatasetEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[Path] = []

    def fetch(file: RemoteFile, folder: Path, progress: DownloadProgress, manual: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file.name).write_bytes(npy(rings().images))
        for done in (0, 1_000_000, 10_000_000):
            progress(file.name, done, file.size)
        fetched.append(folder / file.name)
        return folder / file.name

    monkeypatch.setattr(registry, "fetch", fetch)
    register("toys", files=(FILE,), manual="ask the authors")
    result = call("prepare", "toys")
    assert result.exit_code == 0, result.output
    assert result.stderr == "downloading pixels.npy: 0 B of 10.0 MB\ndownloading pixels.npy: 10.0 MB of 10.0 MB\n"
    assert fetched == [cache_folder() / "downloads" / "toys" / "pixels.npy"]
    np.testing.assert_array_equal(cache.read(cache.location("toys-r1")).images, rings().images)
    assert call("prepare", "toys").exit_code == 0
    assert len(fetched) == 1  # ready: nothing to fetch


def test_what_other_software_keeps_is_read_from_there_and_not_fetched(
    register: Callable[..., DatasetEntry], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "fetch", lambda *_: pytest.fail("downloaded"))
    register("toys", files=(FILE,), usual_place=lambda: folder)
    assert "prepare reads it" in call("list", "datasets").output
    assert call("prepare", "toys").exit_code == 0
    np.testing.assert_array_equal(cache.read(cache.location("toys-r1")).images, rings().images)
    assert register("toys2", usual_place=lambda: tmp_path / "nowhere").found_source() is None


def test_a_terminal_shows_a_bar_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with download_watcher() as show:
        for name, total in (("a.tar", 4_000_000), ("unknown size", None)):
            show(name, 0, total)
            show(name, 4_000_000, total)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert re.search(r"a\.tar .*4\.0/4\.0 MB", shown)
    assert re.search(r"unknown size .*4\.0/\? MB", shown)


def test_a_run_downloads_nothing_and_says_what_to_type(
    register: Callable[..., DatasetEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "fetch", lambda *_: pytest.fail("downloaded"))
    register("toys", files=(FILE,), manual="ask the authors")
    message = str(error_of(call("run", "-d", "toys", "-m", "svm-flat")))
    assert "'toys' is not prepared; type: cellbench prepare toys (it downloads)" in message
    assert "or ask the authors, then type: cellbench prepare toys --from PATH" in message


def test_from_is_said_to_be_unread_when_it_is_ready_and_again_reads_it(
    register: Callable[..., DatasetEntry], folder: Path, zipped: Path
) -> None:
    register("toys", manual="ask")
    call("prepare", "toys", "--from", str(folder))
    told = call("prepare", "toys", "--from", str(zipped))
    assert told.stderr == (
        f"toys was prepared before and stays as it is: {zipped} is not read. To prepare it anew from there: "
        f"cellbench prepare toys --from {zipped} --again\n"
    )
    np.testing.assert_array_equal(cache.read(cache.location("toys-r1")).images, rings().images)
    call("prepare", "toys", "--from", str(zipped), "--again")
    np.testing.assert_array_equal(cache.read(cache.location("toys-r1")).images, rings().images // 2)


@pytest.mark.parametrize("prepared", [False, True])
def test_from_where_nothing_is_is_refused_whether_it_is_prepared_or_not(
    register: Callable[..., DatasetEntry], folder: Path, prepared: bool
) -> None:
    register("toys", manual="ask")
    if prepared:
        call("prepare", "toys", "--from", str(folder))
    result = call("prepare", "toys", "--from", "/nope.tar")
    error = error_of(result)
    assert (
        str(error) == "/nope.tar does not exist; give a folder, an archive (.tar, .tar.gz, .zip) or a .npz of MedMNIST"
    )
    assert (error.exit_code, result.output) == (2, "")
    assert on_disk() == (["toys-r1"] if prepared else [])


def test_again_without_a_source_keeps_what_is_there(register: Callable[..., DatasetEntry], folder: Path) -> None:
    register("toys", manual="ask")
    call("prepare", "toys", "--from", str(folder))
    assert "'toys' is not prepared" not in call("prepare", "toys").output
    assert isinstance(error_of(call("prepare", "toys", "--again")), DataError)
    assert on_disk() == ["toys-r1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "prepare wants one of: a data set"),
        (("hep2", "--list"), "prepare wants one of: a data set"),
        (("--clear", "synthetic-yest"), "did you mean 'synthetic-yeast'"),
        (("./cells", "--from", "x.zip"), "--from is for data sets by name"),
        (("hep2", "--labels", "x.csv"), "--labels is for folders of images"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    error = error_of(call("prepare", *arguments))
    assert isinstance(error, UsageError)
    assert message in str(error)


def test_what_is_kept_is_listed_and_cleared_by_name(register: Callable[..., DatasetEntry], folder: Path) -> None:
    register("toys", manual="ask", revision=2)
    register("toys-more", manual="ask")
    for name in ("toys", "toys-more"):
        assert call("prepare", name, "--from", str(folder)).exit_code == 0
    stale, downloads = cache.location("toys-r1"), cache_folder() / "downloads" / "toys"
    own = cache.location("folder-cells-0123456789abcdef")
    for path, size in ((stale, 1000), (downloads, 2000), (own, 4000)):
        path.mkdir(parents=True)
        (path / "meta.json").write_bytes(b" " * size)
    ready = cache.size_of(cache.location("toys-r2"))

    shown = call("prepare", "--list").output
    lines = {tuple(re.split(r"\s{2,}", line)) for line in shown.splitlines()}
    assert ("toys", "ready", file_size(ready), "v1/toys-r2") in lines
    assert ("toys", "of an older version, of no use now", "1.0 kB", "v1/toys-r1") in lines
    assert ("toys", "downloaded files", "2.0 kB", "downloads/toys") in lines
    assert ("folder-cells-0123456789abcdef", "ready", "4.0 kB", "v1/folder-cells-0123456789abcdef") in lines
    assert any(line[:2] == ("synthetic-yeast", "made when first used") for line in lines)
    assert str(cache_folder()) in shown

    assert call("prepare", "--clear", "toys").output == f"toys: {file_size(ready + 3000)} freed\n"
    assert on_disk() == [own.name, "toys-more-r1"]
    assert not downloads.exists()
    assert call("prepare", "--clear", "toys").output == "toys: nothing of it was on the disk\n"
    assert call("prepare", "--clear", own.name).output == f"{own.name}: 4.0 kB freed\n"
    assert "toys-more-r1" not in str(error_of(call("prepare", "--clear", "toyz")))


def lines_by_name(listing: str) -> dict[str, str]:
    """What `list datasets` says of each, in one line, by name."""
    table = listing.split("\n\n")[0].split("---\n")[1]
    return {entry.split()[0]: " ".join(entry.split()) for entry in re.split(r"\n(?! )", table)}


@pytest.mark.parametrize(
    ("name", "size", "classes", "channels", "licence"),
    [
        ("deepyeast", "90,000 cells, 64×64", 12, 2, "Pärnamaa & Parts 2017"),
        ("hep2", "13,596 cells, 78×78", 6, 1, "research use"),
        ("hpa10", "about 19,000 images, 128×128", 10, 3, "CC BY-SA"),
        ("hpa28", "31,072 images, 128×128", 28, 4, "CC BY-SA"),
        ("bloodmnist_64", "17,092 images, 64×64", 8, 3, "CC BY 4.0"),
        ("tissuemnist", "236,386 images, 28×28", 8, 1, "CC BY 4.0"),
        ("pathmnist_224", "107,180 images, 224×224", 9, 3, "CC BY 4.0"),
        ("synthetic-yeast-full", "90,000 cells, 64×64", 12, 2, "MIT"),
        ("synthetic-hpa28", "2,200 images, 128×128", 28, 4, "MIT"),
    ],
)
def test_a_data_set_is_described_before_it_is_there(
    name: str, size: str, classes: int, channels: int, licence: str
) -> None:
    line = lines_by_name(call("list", "datasets").output)[name]
    assert f"{size} {classes} " in line
    assert len(re.findall(r"Channels: ([^.]+)\. ", line)[0].split(", ")) == channels
    assert licence in line.split("Licence: ")[1]


def test_list_datasets_fits_120_columns_and_tells_classes_and_channels_when_ready(
    register: Callable[..., DatasetEntry], folder: Path
) -> None:
    register("toys", manual="ask", licence="see the source: " + "a long story " * 9, summary="toy rings " * 12)
    register("toys-afar", files=(FILE,))
    before = call("list", "datasets").output
    assert re.search(r"^toys  .* \?  prepare --from PATH", before, re.MULTILINE)
    assert "Channels: known once it is ready." in lines_by_name(before)["toys"]
    assert re.search(r"^toys-afar .* prepare downloads\s+it", before, re.MULTILINE)
    call("prepare", "toys", "--from", str(folder))
    after = call("list", "datasets").output
    data = rings()
    assert re.search(rf"^toys  .* {len(data.classes)}  ready: toys-r1", after, re.MULTILINE)
    assert f"Channels: {', '.join(data.channels)}." in lines_by_name(after)["toys"]
    assert str(cache.location("")) in after
    table = after.split("\n\n")[0]
    assert max(map(len, table.splitlines())) <= 120


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_900, "1.0 MB"), (82_945_000, "82.9 MB"), (2.5e12, "2500.0 GB")],
)
def test_amounts_are_said_in_powers_of_1000(size: float, text: str) -> None:
    assert file_size(size) == text


def test_a_test_part_of_four_wells_is_said_to_show_nothing(register: Callable[..., DatasetEntry], folder: Path) -> None:
    def in_wells(scratch: Path, source: Path | None) -> Dataset:
        data = build(scratch, source)
        groups = np.arange(len(data)) % 4
        return replace(data, groups=groups, info=replace(data.info, groups_are="well"))

    register("wells", manual="ask", factory=in_wells)
    output = call("prepare", "wells", "--from", str(folder)).output
    assert "note: Test has 4 wells, and with fewer than 6 no difference between methods can be shown" in output
