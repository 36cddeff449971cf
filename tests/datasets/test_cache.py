"""A prepared data set is read back as it was written, and only whole ones count."""

import errno
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cellbench.core.data import PARTS, Dataset, Info
from cellbench.core.environment import cache_folder
from cellbench.core.errors import DataError
from cellbench.datasets import cache

WRITER = """
import sys, time
import numpy as np
from cellbench.core.data import Dataset, Split
from cellbench.core.errors import DataError
from cellbench.datasets import cache

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
    assert cache.clear("toy")
    assert not cache.clear("toy")
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
