"""Images are decoded to their places in one file, by threads and by processes alike."""

import errno
import io
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellbench.core.errors import DataError
from cellbench.datasets.files.find import Blob
from cellbench.datasets.files.images import npy
from cellbench.datasets.files.images.decoding import decode
from cellbench.datasets.files.images.npy import Decoded, fill, keep, write
from cellbench.datasets.files.images.pixels import Picture


def load(value: int, plus: int = 0) -> Picture:
    """Pixels (1, 2, 3) of one value; what is below 0 cannot be read, odd ones get a remark."""
    if value < 0:
        raise DataError(f"{value} is negative")
    return Picture(np.full((1, 2, 3), value + plus, np.uint16), "odd" if value % 2 else "")


@pytest.fixture(params=["threads", "processes"])
def _workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npy, "MANY", 1 if request.param == "processes" else 10**9)
    monkeypatch.setattr(npy, "cores", lambda: 2)


@pytest.mark.usefixtures("_workers")
def test_items_are_written_at_their_places_whatever_order_they_come_in(tmp_path: Path) -> None:
    items = ((place, f"{place}.png", 10 * place + place % 2) for place in reversed(range(600)))
    array, remarks = write(
        tmp_path / "x.npy", (300, 2, 2, 3), np.dtype(np.uint16), items, partial(load, plus=5), "", processes=True
    )
    assert array.dtype == np.uint16
    assert array[:, :, 1, 2].ravel().tolist() == [10 * place + place % 2 + 5 for place in range(600)]
    assert remarks == ["odd: 300 images, the first is 1.png"]


@pytest.mark.usefixtures("_workers")
def test_of_two_items_for_one_place_the_later_one_counts(tmp_path: Path) -> None:
    items = [(place, "", place + 300 * turn) for turn in range(3) for place in range(300)]
    array, _ = write(tmp_path / "x.npy", (300, 1, 2, 3), np.dtype(np.uint16), items, load, "", processes=True)
    assert array[:, 0, 0, 0].tolist() == list(range(600, 900))


@pytest.mark.usefixtures("_workers")
def test_all_that_cannot_be_read_are_counted_and_the_first_named_in_the_order_of_places(tmp_path: Path) -> None:
    items = [(place, f"{place}.png", -place if place in (7, 99, 250) else place) for place in reversed(range(300))]
    with pytest.raises(DataError) as error:
        write(tmp_path / "x.npy", (300, 1, 2, 3), np.dtype(np.uint16), items, load, "mend them", processes=True)
    assert str(error.value) == (
        "3 of 300 images cannot be read: 7.png (-7 is negative), 99.png (-99 is negative), "
        "250.png (-250 is negative); mend them"
    )


def full(value: int) -> Picture:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.usefixtures("_workers")
def test_a_full_disk_reaches_the_caller_as_such(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as error:
        write(tmp_path / "x.npy", (300, 1, 2, 3), np.dtype(np.uint16), [(0, "", 0)], full, "", processes=True)
    assert error.value.errno == errno.ENOSPC


def test_fewer_items_than_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="changed while they were read, 1 are there now"):
        write(tmp_path / "x.npy", (2, 1, 2, 3), np.dtype(np.uint16), [(0, "a", 1)], load, "")


def test_what_became_of_each_item_is_told_and_other_sizes_are_not_written(tmp_path: Path) -> None:
    def any_size(side: int) -> Picture:
        return Picture(np.full((1, side, side), side, np.uint8), channels=("dna",), shape=(1, 9, 9))

    outcomes = list(fill(tmp_path / "x.npy", (2, 1, 3, 3), np.dtype(np.uint8), [(0, "a", 4), (1, "b", 3)], any_size))
    assert outcomes == [
        Decoded("a", 0, (1, 9, 9), "uint8", 0, ("dna",)),
        Decoded("b", 1, (1, 9, 9), "uint8", 9, ("dna",)),
    ]
    assert np.load(tmp_path / "x.npy").ravel().tolist() == [0] * 9 + [3] * 9


def test_only_the_places_asked_for_are_kept(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 65536, (120, 2, 5, 7)).astype(np.uint16)
    np.save(tmp_path / "x.npy", array)
    keep(tmp_path / "x.npy", [3, 50, 119])
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), array[[3, 50, 119]])
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from cellbench.datasets.files.images import npy
from tests.datasets.files.test_npy import load

if __name__ == "__main__":
    npy.MANY, npy.cores = int(sys.argv[2]), lambda: 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    items = [(place, str(place), place) for place in range(10_000)]
    try:
        npy.write(Path(sys.argv[1]), (10_000, 1, 2, 3), np.dtype(np.uint16), items, load, "", processes=True)
    except OSError as error:
        print(error.strerror)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
@pytest.mark.parametrize("many", [1, 10**9])
def test_a_file_that_the_system_does_not_let_grow_is_an_error_and_no_crash(tmp_path: Path, many: int) -> None:
    (tmp_path / "full.py").write_text(FULL)
    command = [sys.executable, str(tmp_path / "full.py"), str(tmp_path / "x.npy"), str(many)]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}  # other packages install a `tests` of their own
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=here)
    assert told.stdout == "File too large\n", told.stderr


def test_what_processes_decode_from_files_and_bytes_is_what_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npy, "MANY", 1)
    monkeypatch.setattr(npy, "cores", lambda: 2)
    arrays = np.random.default_rng(0).integers(0, 256, (40, 9, 11)).astype(np.uint8)
    items: list[tuple[int, str, Blob]] = []
    for place, array in enumerate(arrays):
        out = io.BytesIO()
        Image.fromarray(array).save(out, "PNG")
        (path := tmp_path / f"{place}.png").write_bytes(out.getvalue())
        items.append((place, path.name, path if place % 2 else out.getvalue()))
    found, _ = write(tmp_path / "x.npy", (40, 1, 9, 11), np.dtype(np.uint8), items, decode, "", processes=True)
    np.testing.assert_array_equal(found[:, 0], arrays)


@pytest.mark.filterwarnings("error")
def test_pixels_of_another_type_are_told_and_not_written(tmp_path: Path) -> None:
    def mixed(value: float) -> Picture:
        return Picture(np.full((1, 2, 3), value, np.uint8 if value < 256 else np.float32))

    outcomes = list(fill(tmp_path / "x.npy", (2, 1, 2, 3), np.dtype(np.uint8), [(0, "a", 7), (1, "b", 1e10)], mixed))
    assert [(outcome.dtype, outcome.bytes) for outcome in outcomes] == [("uint8", 6), ("float32", 0)]
    assert np.load(tmp_path / "x.npy").ravel().tolist() == [7] * 6 + [0] * 6
