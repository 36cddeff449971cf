"""MedMNIST's files are read straight from a path: pixels, labels, official split; damaged ones are refused."""

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellbench.core.data import PARTS
from cellbench.core.errors import BackendError, DataError
from cellbench.datasets import datasets
from cellbench.datasets.files import cache
from cellbench.datasets.sources import medmnist

COUNTS = {"train": 18, "val": 9, "test": 10}


def arrays(name: str, size: int) -> dict[str, Any]:
    """Random images; image i of a part has the label i % classes."""
    published = medmnist.SETS[name]
    rng = np.random.default_rng(0)
    tail = (size, size) if published.channels == medmnist.GREY else (size, size, 3)
    made: dict[str, Any] = {}
    for part, n in COUNTS.items():
        made[f"{part}_images"] = rng.integers(0, 256, (n, *tail), dtype=np.uint8)
        made[f"{part}_labels"] = (np.arange(n) % len(published.classes)).astype(np.uint8)[:, None]
    return made


def write(folder: Path, name: str, size: int, **changed: Any) -> Path:
    path = folder / f"{medmnist.set_name(name, size)}.npz"
    kept = {key: value for key, value in (arrays(name, size) | changed).items() if value is not None}
    np.savez_compressed(path, **kept)
    return path


def test_twelve_sets_are_registered_and_none_is_standard() -> None:
    names = [
        f"{name}{end}" for name in ("bloodmnist", "tissuemnist", "pathmnist") for end in ("", "_64", "_128", "_224")
    ]
    assert all(name in datasets for name in names)
    assert not any(datasets[name].standard for name in names)
    assert datasets["bloodmnist_64"].size == "17,092 images, 64×64"
    assert datasets["tissuemnist"].size == "236,386 images, 28×28"
    assert datasets["tissuemnist"].channels == ("grey",)
    assert datasets["pathmnist_224"].licence == "CC BY 4.0"


@pytest.mark.parametrize(
    ("name", "size"),
    [("bloodmnist", 28), ("tissuemnist", 28), ("pathmnist", 64), ("bloodmnist", 128), ("tissuemnist", 224)],
)
def test_pixels_labels_and_the_official_split_are_the_files(tmp_path: Path, name: str, size: int) -> None:
    made = arrays(name, size)
    path = write(tmp_path, name, size)
    data = cache.read(datasets[medmnist.set_name(name, size)].prepare(path))
    images = np.concatenate([made[f"{part}_images"] for part in PARTS])
    images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    assert np.array_equal(data.images, images)
    assert data.labels.tolist() == [int(k) for part in PARTS for k in made[f"{part}_labels"][:, 0]]
    assert data.split.name == "official"
    assert [data.split[part].tolist() for part in PARTS] == [
        list(range(18)),
        list(range(18, 27)),
        list(range(27, 37)),
    ]
    assert data.classes == medmnist.SETS[name].classes
    assert data.info.notes[0].startswith("(18, 9, 10) images in train, val, test; the published set has (")


def test_blocks_smaller_than_the_set_give_the_same_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "bloodmnist", 28)
    whole = medmnist.build("bloodmnist", 28, tmp_path / "a", path)
    monkeypatch.setattr(medmnist, "BLOCK_BYTES", 5 * 3 * 28 * 28)
    assert np.array_equal(medmnist.build("bloodmnist", 28, tmp_path / "b", path).images, whole.images)


def test_a_folder_and_the_packages_own_place_are_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"\.medmnist/bloodmnist\.npz does not exist; download bloodmnist\.npz from"):
        medmnist.build("bloodmnist", 28, tmp_path / "a", None)
    (tmp_path / ".medmnist").mkdir()
    write(tmp_path / ".medmnist", "bloodmnist", 28)
    assert len(medmnist.build("bloodmnist", 28, tmp_path / "a", None)) == 37
    assert len(medmnist.build("bloodmnist", 28, tmp_path / "b", tmp_path / ".medmnist")) == 37
    assert len(cache.read(datasets["bloodmnist"].prepare())) == 37


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"val_labels": None}, "holds no array val_labels"),
        ({"train_images": np.zeros((18, 28, 28), np.uint8)}, r"train_images are uint8 \(18, 28, 28\); .*28, 28, 3"),
        ({"test_images": np.zeros((10, 64, 64, 3), np.uint8)}, r"test_images are uint8 \(10, 64, 64, 3\)"),
        ({"test_images": np.zeros((10, 28, 28, 3), np.float32)}, "test_images are float32"),
        ({"train_labels": np.zeros((17, 1), np.uint8)}, r"train_labels are uint8 \(17, 1\); .*\(18, 1\)"),
        ({"val_labels": np.full((9, 1), 8, np.uint8)}, "val_labels row 0 is 8; 0 to 7"),
        ({"train_labels": np.zeros((18, 1), np.uint8)}, "no training image is of class eosinophil"),
        ({"val_labels": np.array([["x"]] * 9, object)}, "val_labels is object"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        datasets["bloodmnist"].prepare(write(tmp_path, "bloodmnist", 28, **changed))
    assert list(cache.location("x").parent.iterdir()) == []


def test_another_sets_file_a_web_page_and_a_cut_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train_images are uint8 \(18, 28, 28\)"):
        medmnist.build("bloodmnist", 28, tmp_path / "a", write(tmp_path, "tissuemnist", 28))
    path = write(tmp_path, "bloodmnist", 28)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"bloodmnist\.npz cannot be read as \.npz: "):
        medmnist.build("bloodmnist", 28, tmp_path / "a", path)
    path.write_text("<!DOCTYPE html><html>Sign in</html>")
    with pytest.raises(DataError, match="is a saved web page"):
        medmnist.build("bloodmnist", 28, tmp_path / "a", path)


def test_addresses_and_sums_come_from_the_packages_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    package, info = types.ModuleType("medmnist"), types.ModuleType("medmnist.info")
    info.INFO = {"bloodmnist": {"url": "u", "MD5": "m", "url_64": "u64", "MD5_64": "m64"}}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "medmnist", package)
    monkeypatch.setitem(sys.modules, "medmnist.info", info)
    file = medmnist.remote_file("bloodmnist", 64)
    assert (file.url, file.name, file.md5) == ("u64", "bloodmnist_64.npz", "m64")
    assert medmnist.remote_file("bloodmnist", 28).md5 == "m"


def test_without_the_package_nothing_is_offered_for_download_and_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "medmnist", None)
    assert not datasets["bloodmnist"].files
    with pytest.raises(BackendError, match=r'pip install "cellbench\[medmnist\]"'):
        medmnist.remote_file("bloodmnist", 28)


def test_names_and_counts_are_the_packages_where_it_is_installed() -> None:
    info = pytest.importorskip("medmnist.info").INFO
    for name, published in medmnist.SETS.items():
        theirs = [info[name]["label"][str(k)] for k in range(len(published.classes))]
        assert [label.partition("(")[0] for label in theirs] == list(published.classes)
        assert tuple(info[name]["n_samples"][part] for part in PARTS) == published.counts
        assert info[name]["n_channels"] == len(published.channels)
        assert len(datasets[name].files) == 1
