"""A prepared data set is read back as it was written, and only whole ones count."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cellbench.core.data import PARTS, Dataset, Info
from cellbench.core.errors import DataError
from cellbench.core.machine.environment import cache_folder
from cellbench.datasets.files import cache
from cellbench.datasets.files.cache.scratch import machine_code

SLEEPER = """
import sys, time
from cellbench.datasets.files import cache

def build(scratch):
    (scratch / cache.IMAGES).write_bytes(bytes(5000))
    print("writing", flush=True)
    time.sleep(60)

cache.prepare("killed", build)
"""

WRITER = """
import sys, time
import numpy as np
from cellbench.core.data import Dataset, Split
from cellbench.core.errors import DataError
from cellbench.datasets.files import cache

def build(scratch):
    time.sleep(float(sys.argv[1]))
    parts = [np.arange(k, 60, 3) for k in range(3)]
    images = np.full((60, 1, 64, 64), 7, np.uint8)
    return Dataset("x", images, np.arange(60) % 2, ("a", "b"), ("c",), Split("s", *parts))

if len(sys.argv) > 2:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    print(cache.read(cache.prepare("both", build)).images.sum())
except DataError as error:
    print(error)
"""

REPLACER = """
import sys
import numpy as np
from cellbench.core.data import Dataset, Split
from cellbench.datasets.files import cache

def build(scratch):
    parts = [np.arange(k, 6, 3) for k in range(3)]
    images = np.full((6, 1, 2, 2), int(sys.argv[1]), np.uint8)
    return Dataset("x", images, np.arange(6) % 2, ("a", "b"), (sys.argv[1],), Split("s", *parts))

for _ in range(100):
    data = cache.read(cache.prepare("all", build, again=True))
    assert (data.images == int(data.channels[0])).all()
print("done")
"""


def leftovers() -> list[str]:
    return sorted(path.name for path in (cache_folder() / f"v{cache.FORMAT}").iterdir())


def build_from(data: Dataset) -> Callable[[Path], Dataset]:
    return lambda scratch: data


def test_what_is_read_equals_what_was_written(toy: Dataset) -> None:
    notes = Info(licence="a", citation="b", synthetic=True, notes=("one", "two – three"))
    whole = replace(toy, groups=np.arange(len(toy)) // 4, info=notes)
    found = cache.read(cache.prepare("toy", build_from(whole)))
    for name in ("images", "labels", "groups"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
        assert getattr(found, name).dtype == getattr(whole, name).dtype
    for part in PARTS:
        np.testing.assert_array_equal(found.split[part], whole.split[part])
    for fact in ("classes", "channels"):
        assert getattr(found, fact) == getattr(toy, fact)
    assert (found.name, found.split.name) == (toy.name, toy.split.name)
    assert found.info == replace(notes, fingerprint=cache.fingerprint(whole))
    assert isinstance(found.images, np.memmap)


def test_images_that_were_written_to_the_scratch_folder_are_kept(toy: Dataset) -> None:
    def build(scratch: Path) -> Dataset:
        images = np.lib.format.open_memmap(scratch / cache.IMAGES, "w+", toy.images.dtype, toy.images.shape)
        images[:] = toy.images
        return replace(toy, images=images)

    np.testing.assert_array_equal(cache.read(cache.prepare("map", build)).images, toy.images)


def test_a_prepared_one_is_not_built_again_until_cleared(toy: Dataset) -> None:
    cache.prepare("toy", build_from(toy))
    never: Callable[[Path], Dataset] = lambda scratch: pytest.fail("built again")  # noqa: E731
    cache.prepare("toy", never)
    cache.remove(cache.location("toy"))
    assert not cache.is_ready("toy")


def test_the_fingerprint_changes_with_a_pixel_a_label_a_group_and_the_split(toy: Dataset) -> None:
    images, labels = toy.images.copy(), toy.labels.copy()
    images[3, 0, 5, 5] += 1
    labels[0] = (labels[0] + 1) % 3
    others = [
        replace(toy, images=images),
        replace(toy, labels=labels),
        replace(toy, groups=np.arange(len(toy))),
        replace(toy, split=replace(toy.split, train=toy.split.train[1:])),
        replace(toy, classes=("x", "y", "z")),
    ]
    assert len({cache.fingerprint(data) for data in [toy, *others]}) == 6
    assert cache.fingerprint(replace(toy, images=toy.images.copy())) == cache.fingerprint(toy)


def test_a_build_that_fails_leaves_nothing(toy: Dataset) -> None:
    def build(scratch: Path) -> Dataset:
        (scratch / cache.IMAGES).write_bytes(b"half")
        raise DataError("bad")

    with pytest.raises(DataError, match="bad"):
        cache.prepare("toy", build)
    assert leftovers() == []


def test_a_half_written_scratch_folder_is_never_taken_for_whole(toy: Dataset) -> None:
    target = cache.location("toy")
    scratch = target.parent / ".toy.killed"
    scratch.mkdir(parents=True)
    (scratch / "meta.json").write_text("{")
    assert not cache.is_ready("toy")
    np.testing.assert_array_equal(cache.read(cache.prepare("toy", build_from(toy))).images, toy.images)


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing(toy: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **arrays: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(DataError, match=r"cannot write .*toy: No space left on device; free some space"):
        cache.prepare("toy", build_from(toy))
    assert leftovers() == []


def test_two_processes_at_once_share_one_result() -> None:
    command = [sys.executable, "-c", WRITER, "0.3"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in both] == [str(60 * 64 * 64 * 7)] * 2
    assert leftovers() == ["both"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_file_that_the_system_does_not_let_grow_leaves_nothing() -> None:
    command = [sys.executable, "-c", WRITER, "0", "limited"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.stdout.startswith("cannot write"), told.stderr
    assert leftovers() == []


def test_what_fails_while_building_is_worded_by_what_it_was() -> None:
    def reads(scratch: Path) -> Dataset:
        return (Path("source") / "missing.png").read_bytes()  # type: ignore[return-value]

    def writes(scratch: Path) -> Dataset:
        return (scratch / "no" / "such" / "folder.npy").write_bytes(b"")  # type: ignore[return-value]

    def fills(scratch: Path) -> Dataset:
        raise OSError(errno.ENOSPC, "No space left on device")

    def breaks(scratch: Path) -> Dataset:
        raise OSError(errno.EIO, "Input/output error")

    for build, message in (
        (reads, r"^cannot read source.missing\.png: No such file or directory; look at the source"),
        (writes, r"^cannot write .*toy: No such file or directory; choose another folder with CELLBENCH_DATA$"),
        (fills, r"^cannot write .*toy: No space left on device; free some space or choose another .* CELLBENCH_DATA$"),
        (breaks, r"^cannot prepare toy: Input/output error; look at the source"),
    ):
        with pytest.raises(DataError, match=message):
            cache.prepare("toy", build)
        assert leftovers() == []


def test_a_cache_folder_without_permission_is_said_in_one_line(toy: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(
        DataError, match=r"cannot write .*toy: Permission denied; choose another folder with CELLBENCH_DATA$"
    ):
        cache.prepare("toy", build_from(toy))


def test_preparing_again_replaces_the_old_one_only_by_a_whole_one(toy: Dataset) -> None:
    def fails(scratch: Path) -> Dataset:
        raise DataError("bad")

    cache.prepare("toy", build_from(toy))
    with pytest.raises(DataError, match="bad"):
        cache.prepare("toy", fails, again=True)
    old = cache.read(cache.location("toy"))
    np.testing.assert_array_equal(old.images, toy.images)
    cache.prepare("toy", build_from(replace(toy, images=toy.images // 2)), again=True)
    np.testing.assert_array_equal(cache.read(cache.location("toy")).images, toy.images // 2)
    np.testing.assert_array_equal(old.images, toy.images)  # one that is being read stays whole
    assert leftovers() == ["toy"]


def test_meta_tells_what_a_listing_needs_without_reading_arrays(toy: Dataset) -> None:
    assert cache.meta("toy") == {}
    cache.prepare("toy", build_from(toy))
    assert (cache.meta("toy")["classes"], cache.meta("toy")["channels"]) == (list(toy.classes), list(toy.channels))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_what_a_killed_process_left_is_removed_by_the_next(toy: Dataset) -> None:
    process = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "writing\n"
    (left,) = leftovers()
    assert left.startswith(".killed.")
    assert cache.sweep() == 0  # its process is at work
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    assert leftovers() == [left]
    cache.prepare("toy", build_from(toy))
    assert leftovers() == ["toy"]


def test_scratch_folders_go_when_their_process_is_gone_or_a_day_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(10)
    home = cache.location("x").parent
    host, elsewhere = machine_code(), "0" * 8
    names = {
        "ours": f".x.{host}-{os.getpid()}-aaaa",
        "dead": f".x.{host}-{ended.pid}-aaaa",
        "elsewhere": f".x.{elsewhere}-{ended.pid}-aaaa",  # a process number says nothing about another machine
        "unmarked": ".x.killed",
    }
    for name in names.values():
        (home / name).mkdir(parents=True)
        (home / name / cache.IMAGES).write_bytes(bytes(1000))
    assert cache.sweep() == 1000
    assert leftovers() == sorted(name for kind, name in names.items() if kind != "dead")
    for name in leftovers():
        os.utime(home / name, (time.time() - 90_000,) * 2)
    assert cache.sweep() == 3000
    assert leftovers() == []


def test_the_contents_are_listed_with_their_bytes(toy: Dataset) -> None:
    folder = cache.prepare("toy", build_from(toy))
    downloads = cache_folder() / cache.DOWNLOADS / "toy"
    downloads.mkdir(parents=True)
    (downloads / "a.tar").write_bytes(bytes(123))
    expected = sum(file.stat().st_size for file in folder.iterdir())
    assert [(kept.name, kept.path, kept.bytes, kept.kind) for kept in cache.contents()] == [
        ("toy", downloads, 123, "downloads"),
        ("toy", folder, expected, "prepared"),
    ]
    assert cache.remove(folder) == expected
    assert cache.remove(folder) == 0


def test_what_cannot_be_removed_is_said(toy: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: object, *args: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    cache.prepare("toy", build_from(toy))
    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(DataError, match=r"cannot remove .*toy: Permission denied"):
        cache.remove(cache.location("toy"))
    assert cache.is_ready("toy")


def test_several_processes_that_replace_one_at_once_always_read_a_whole_one() -> None:
    commands = [[sys.executable, "-c", REPLACER, str(number)] for number in range(3)]
    three = [subprocess.Popen(c, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for c in commands]
    assert [process.communicate(timeout=120)[0].strip() for process in three] == ["done"] * 3
    assert leftovers() == ["all"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot open a folder")
def test_all_is_on_the_disk_before_it_gets_its_name(toy: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[int] = set()
    fsync, rename = os.fsync, os.rename

    def note(file: int) -> None:
        synced.add(os.fstat(file).st_ino)
        fsync(file)

    def check(old: Path, new: Path) -> None:
        assert {path.stat().st_ino for path in (old, *old.iterdir())} == synced
        assert len(synced) == 4  # the folder, images, arrays and meta
        rename(old, new)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(os, "rename", check)
    folder = cache.prepare("toy", build_from(toy))
    assert folder.parent.stat().st_ino in synced
