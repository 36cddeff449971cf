"""Both Human Protein Atlas sets are read in their layouts: labels, stains, and a split that keeps label proportions."""

import shutil
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cellbench.core.data import PARTS, Dataset
from cellbench.core.errors import DataError
from cellbench.datasets import datasets
from cellbench.datasets.files import cache
from cellbench.datasets.files.tables import read_table
from cellbench.datasets.sources import hpa

from .changing import replace_text

N = 60
COLOURS = ("red", "green", "blue", "yellow")
BASE = {"red": 0, "green": 60, "blue": 120, "yellow": 180}  # image i's stain has the grey level BASE + i


def labels_of(i: int, n: int) -> list[int]:
    """Every label stands at five images or more; some images have two."""
    return [i % n, *([(3 * i + 1) % n] if i % 3 == 0 else [])]


def picture(path: Path, value: int | tuple[int, ...], size: int = 128) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size, size) if isinstance(value, int) else (size, size, len(value))
    Image.fromarray(np.broadcast_to(np.array(value, np.uint8), shape).copy()).save(path)


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    """140 images with four files each, as the contest has them; only their first pixel row and column differ."""
    root = tmp_path / "contest"
    (root / "train").mkdir(parents=True)
    stains = {}
    for colour in COLOURS:
        picture(root / "train" / f"x_{colour}.png", BASE[colour] % 256)
        stains[colour] = (root / "train" / f"x_{colour}.png").read_bytes()
        (root / "train" / f"x_{colour}.png").unlink()
    rows = ["Id,Target"]
    for i in range(140):
        for colour in COLOURS:
            (root / "train" / f"{i:04x}-b{i}_{colour}.png").write_bytes(stains[colour])
        rows.append(f"{i:04x}-b{i},{' '.join(map(str, labels_of(i, 28)))}")
    for colour in COLOURS:
        picture(root / "train" / f"0007-b7_{colour}.png", BASE[colour] + 7, size=512)
    (root / "train.csv").write_text("\n".join(rows) + "\n")
    (root / "sample_submission.csv").write_text("Id,Predicted\nabc,0\n")
    picture(root / "test" / "abc_red.png", 9)
    return root


def pixels(rng: np.random.Generator, *channels: int, size: int = 512) -> NDArray[np.uint8]:
    """A smooth picture of so many channels, each of its own."""
    coarse = rng.integers(0, 256, (size // 32, size // 32, *channels), dtype=np.uint8)
    return np.kron(coarse, np.ones((32, 32, *(1 for _ in channels)), np.uint8))


def few_labels(i: int, n: int) -> list[int]:
    """Of ten images, each label stands at five."""
    return [label for label in range(n) if (i + label) % 2]


@pytest.fixture
def contest_512(tmp_path: Path) -> tuple[Path, NDArray[np.uint8]]:
    """Ten images of the contest's own size, four grey files each, and their pixels (10, 4, 512, 512)."""
    root, rng = tmp_path / "contest 512", np.random.default_rng(0)
    (root / "train").mkdir(parents=True)
    images = np.stack([pixels(rng, 4).transpose(2, 0, 1) for _ in range(10)])
    rows = ["Id,Target"]
    for i, image in enumerate(images):
        for colour, plane in zip(COLOURS, image, strict=True):
            Image.fromarray(plane).save(root / "train" / f"{i:02d}-x_{colour}.png")
        rows.append(f"{i:02d}-x,{' '.join(map(str, few_labels(i, 28)))}")
    (root / "train.csv").write_text("\n".join(rows) + "\n")
    return root, images


@pytest.fixture
def atlas_512(tmp_path: Path) -> tuple[Path, NDArray[np.uint8]]:
    """Ten RGB images of 512 px in the layout of the ten-label set, and their pixels (10, 3, 512, 512)."""
    root, rng = tmp_path / "data set" / "Human protein atlas", np.random.default_rng(0)
    (root / "train").mkdir(parents=True)
    images = np.stack([pixels(rng, 3).transpose(2, 0, 1) for _ in range(10)])
    rows = ["Image,Label"]
    for i, image in enumerate(images):
        Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(root / "train" / f"{70 + i}.png")
        rows.append(f"{70 + i},{' '.join(map(str, few_labels(i, 10)))}")
    (root / "train.csv").write_text("\n".join(rows) + "\n")
    return root.parent, images


@pytest.fixture
def atlas(tmp_path: Path) -> Path:
    """60 RGB images in a folder with spaces, dummy labels one level up."""
    root = tmp_path / "data set"
    inner = root / "Human protein atlas"
    rows = ["Image,Label"]
    for i in range(N):
        picture(inner / "train" / f"{1000 + i}.png", (i, i + 1, i + 2))
        rows.append(f"{1000 + i},{' '.join(map(str, labels_of(i, 10)))}")
    picture(inner / "test" / "7.png", (1, 1, 1))
    (inner / "train.csv").write_text("\r\n".join(rows) + "\r\n")
    (root / "submission.csv").write_text("Image,Label\n1000,9\n1001,9\n")
    return root


def build(kind: hpa.LabelSet, source: Path, size: int = 128) -> Dataset:
    return hpa.build(kind, size, source.parent / f"scratch{size}", source)


def expected(n: int, n_labels: int) -> NDArray[np.bool_]:
    labels = np.zeros((n, n_labels), bool)
    for i in range(n):
        labels[i, labels_of(i, n_labels)] = True
    return labels


def test_four_stains_an_image_become_four_named_channels(kaggle: Path) -> None:
    data = build(hpa.HPA28, kaggle)
    assert data.images.shape == (140, 4, 128, 128)
    assert data.images.dtype == np.uint8
    assert data.channels == ("microtubules", "protein", "nucleus", "ER")
    assert data.ids is not None
    table = (kaggle / "train.csv").read_text().splitlines()
    assert data.ids.tolist() == [line.split(",")[0] for line in table[1:]]
    assert data.images[0, :, 64, 3].tolist() == [0, 60, 120, 180]
    assert data.images[139, :, 0, 127].tolist() == [0, 60, 120, 180]
    assert data.multilabel
    assert np.array_equal(data.labels, expected(140, 28))
    assert len(data.classes) == 28
    assert (data.classes[0], data.classes[16], data.classes[25], data.classes[27]) == (
        "Nucleoplasm",
        "Cytokinetic bridge",
        "Cytosol",
        "Rods & rings",
    )


@pytest.mark.parametrize(("kind", "fixture"), [(hpa.HPA28, "contest_512"), (hpa.HPA10, "atlas_512")])
def test_either_set_is_offered_at_512_pixel_by_pixel_and_at_128_smaller_and_said(
    kind: hpa.LabelSet, fixture: str, request: pytest.FixtureRequest
) -> None:
    root, original = request.getfixturevalue(fixture)
    large = cache.read(datasets[f"{kind.name}_512"].prepare(root))
    small = cache.read(datasets[kind.name].prepare(root))
    assert np.array_equal(large.images, original)
    assert (large.name, small.name) == (f"{kind.name}_512", kind.name)
    assert large.info.notes == small.info.notes[:1]
    assert "resized from 512×512 to 128×128 px" in small.info.notes[1]
    assert small.images.shape == (*original.shape[:2], 128, 128)
    # each 32×32 block of one grey level is 8×8 now; within it, away from its rim, the level stays
    assert np.array_equal(small.images[:, :, 4::8, 4::8], original[:, :, 16::32, 16::32])
    n = len(kind.labels)
    assert large.labels.tolist() == [[label in few_labels(i, n) for label in range(n)] for i in range(10)]
    for part in PARTS:
        assert np.array_equal(large.split[part], small.split[part])


def test_a_set_of_128_asked_for_at_512_is_refused_with_the_name_to_prepare(atlas: Path) -> None:
    words = r"data set holds images of 128×128 px, which are not enlarged to 512×512: .* or prepare hpa10 from it$"
    with pytest.raises(DataError, match=words):
        datasets["hpa10_512"].prepare(atlas)
    assert list(cache.location("x").parent.iterdir()) == []
    for path in (atlas / "Human protein atlas" / "train").iterdir():
        picture(path, (1, 2, 3), size=64)
    with pytest.raises(DataError, match=r"64×64 px, which are not enlarged to 128×128: get the copy with larger ones$"):
        build(hpa.HPA10, atlas)


def test_an_image_smaller_than_the_others_is_named(atlas_512: tuple[Path, NDArray[np.uint8]]) -> None:
    root, _ = atlas_512
    picture(root / "Human protein atlas" / "train" / "74.png", (1, 2, 3), size=128)
    with pytest.raises(DataError, match=r"1 of 10 images cannot be read: .*74\.png \(uint8 \(3, 128, 128\); .* 512 px"):
        build(hpa.HPA10, root, size=512)


def test_the_large_sets_suggest_their_own_input_size_and_the_small_ones_none() -> None:
    sizes = {name: datasets[name].defaults for name in datasets if name.startswith("hpa")}
    assert sizes == {"hpa10": {}, "hpa10_512": {"size": 512}, "hpa28": {}, "hpa28_512": {"size": 512}}
    assert datasets["hpa28_512"].size == "31,072 images, 512×512"


def test_larger_images_are_stored_smaller_and_said(kaggle: Path) -> None:
    data = build(hpa.HPA28, kaggle)
    assert data.images[7, :, 64, 64].tolist() == [7, 67, 127, 187]
    assert data.info.notes == (
        "no labels are public for the test images: the split is drawn from train/",
        "resized from 512×512 to 128×128 px: 4 images, the first is train/0007-b7_red.png",
    )


def test_the_split_is_drawn_60_20_20_with_every_label_in_proportion(kaggle: Path, atlas: Path) -> None:
    for data in (build(hpa.HPA28, kaggle), build(hpa.HPA10, atlas)):
        assert data.split.name == "stratified"
        assert np.array_equal(np.sort(np.concatenate([data.split[part] for part in PARTS])), np.arange(len(data)))
        assert len(data.split.train) == pytest.approx(0.6 * len(data), abs=3)
        counts = np.array([data.class_counts()[part] for part in PARTS])
        assert np.abs(counts - np.outer([0.6, 0.2, 0.2], counts.sum(0))).max() <= 2
        assert counts.min() >= 1


def test_the_ten_label_set_is_rgb_and_its_dummy_labels_are_never_taken(atlas: Path) -> None:
    data = build(hpa.HPA10, atlas)
    assert data.images.shape == (N, 3, 128, 128)
    assert data.images[:, :, 0, 0].tolist() == [[i, i + 1, i + 2] for i in range(N)]
    assert data.channels == ("red", "green", "blue")
    assert np.array_equal(data.labels, expected(N, 10))
    assert data.classes[0] == "Mitochondria"
    assert data.classes[9] == "Nuclear speckles"
    (atlas / "Human protein atlas" / "train.csv").unlink()
    with pytest.raises(DataError, match=r"holds no train.csv of hpa10; .* submission\.csv is never taken for it"):
        build(hpa.HPA10, atlas)


def test_the_inner_folder_and_an_archive_are_read_alike(atlas: Path) -> None:
    plain = cache.fingerprint(build(hpa.HPA10, atlas))
    assert cache.fingerprint(build(hpa.HPA10, atlas / "Human protein atlas")) == plain
    with tarfile.open(atlas.parent / "x.tar.gz", "w:gz") as tar:
        tar.add(atlas, "data set")
    assert cache.fingerprint(build(hpa.HPA10, atlas.parent / "x.tar.gz")) == plain


def test_four_files_an_image_are_read_from_a_tar_and_a_zip_as_from_the_folder(
    contest_512: tuple[Path, NDArray[np.uint8]],
) -> None:
    root, _ = contest_512
    plain = cache.fingerprint(build(hpa.HPA28, root))
    for kind in ("tar", "zip"):
        path = Path(shutil.make_archive(str(root.parent / "x"), kind, root.parent, root.name))
        assert cache.read(datasets["hpa28"].prepare(path, again=True)).info.fingerprint == plain


def test_one_set_is_not_taken_for_the_other(kaggle: Path, atlas: Path) -> None:
    with pytest.raises(DataError, match=r"no train\.csv of hpa28 \(Human protein atlas/train\.csv has other columns\)"):
        build(hpa.HPA28, atlas)
    with pytest.raises(DataError, match=r"no train\.csv of hpa10 .*<id>\.png"):
        build(hpa.HPA10, kaggle)


def test_it_is_prepared_by_name_and_says_how_to_get_it(atlas: Path) -> None:
    with pytest.raises(
        DataError, match=r"'hpa28' is not prepared; download train\.zip .* cellbench prepare hpa28 --from"
    ):
        datasets["hpa28"].prepare()
    assert cache.read(datasets["hpa10"].prepare(atlas)).labels.dtype == np.bool_


def test_a_stain_that_is_absent_is_named_with_the_line_of_its_image(kaggle: Path) -> None:
    (kaggle / "train" / "0002-b2_blue.png").unlink()
    (kaggle / "train" / "0003-b3_red.png").unlink()
    with pytest.raises(DataError, match=r"2 of 560 files .* the first is train/0002-b2_blue\.png \(line 4\)"):
        build(hpa.HPA28, kaggle)


def test_a_folder_that_holds_the_table_alone_is_refused_for_its_images_before_any_package_is_asked_for(
    kaggle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(kaggle / "train")
    monkeypatch.setitem(sys.modules, "iterstrat.ml_stratifiers", None)
    with pytest.raises(DataError, match=r"^560 of 560 files that train\.csv calls for are not in "):
        build(hpa.HPA28, kaggle)


def test_files_without_a_row_are_left_out_and_said(atlas: Path) -> None:
    picture(atlas / "Human protein atlas" / "train" / "5.png", (1, 2, 3))
    data = build(hpa.HPA10, atlas)
    assert len(data) == N
    assert data.info.notes[-1] == "1 file in train/ without a row in train.csv, left out"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("1004,10", "line 6: Label is '10'; numbers from 0 to 9"),
        ("1004,4;5", "line 6: Label is '4;5'"),
        ("1004,", "line 6: Label is empty"),
        ("1003,4", "line 6: Image '1003' stands in line 5 already"),
        (",4", "line 6: Image is empty"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_with_its_line(atlas: Path, new: str, words: str) -> None:
    replace_text(atlas / "Human protein atlas" / "train.csv", "1004,4", new)
    with pytest.raises(DataError, match=words):
        build(hpa.HPA10, atlas)


def test_a_label_with_fewer_than_five_images_is_refused_by_name(atlas: Path) -> None:
    table = atlas / "Human protein atlas" / "train.csv"
    rows = [row for row in table.read_text().splitlines()[1:] if row]
    table.write_text("\n".join(["Image,Label", *(row.partition(",")[0] + ",0 1" for row in rows)]))
    with pytest.raises(DataError, match="class Nucleoli has 0 images"):
        build(hpa.HPA10, atlas)


def test_unreadable_images_are_counted_and_named(atlas: Path) -> None:
    folder = atlas / "Human protein atlas" / "train"
    (folder / "1001.png").write_text("no pixels")
    picture(folder / "1002.png", 3)
    picture(folder / "1003.png", (1, 2, 3), size=64)
    with pytest.raises(
        DataError, match=r"3 of 60 images cannot be read: .*1001\.png \(no PNG.*square RGB.*\(3, 64, 64\)"
    ):
        build(hpa.HPA10, atlas)


@pytest.mark.real
def test_the_real_table_has_the_counts_that_study_004_prints(real_data: Path) -> None:
    ids, labels = hpa.read_labels(hpa.HPA28, read_table(real_data / "hpa28" / "train.csv", "train.csv"))
    assert labels.shape == (31072, 28)
    assert ids[0] == "00070df0-bbc3-11e8-b2bc-ac1f6b6435d0"
    assert np.flatnonzero(labels[0]).tolist() == [0, 16]
    counts = labels.sum(0).tolist()
    printed = {0: 12885, 1: 1254, 2: 3621, 7: 2822, 8: 53, 9: 45, 10: 28, 15: 21, 16: 530, 21: 3777, 25: 8228, 27: 11}
    assert {k: counts[k] for k in printed} == printed
