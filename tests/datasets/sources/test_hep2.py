"""The HEp-2 set is read from folders and archives as they circulate, and a copy that contradicts itself is refused."""

import collections
import csv
import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellbench.core.data import PARTS, Dataset
from cellbench.core.errors import DataError
from cellbench.datasets import datasets
from cellbench.datasets.files import cache
from cellbench.datasets.sources import hep2

from .changing import replace_text

FOLDERS = ("training", "validation", "test")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Six classes in three parts, 36 cells; cell i is grey 3·i all over and of class i % 6."""
    root = tmp_path / "copy"
    rows = ["Image ID,Image class"]
    for i in range(1, 37):
        path = root / FOLDERS[i // 6 % 3] / f"{i:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((78, 78), 3 * i, np.uint8)).save(path)
        rows.append(f"{i},{hep2.CLASSES[i % 6]}")
    (root / hep2.TABLE).write_text("\n".join(rows) + "\n")
    return root


def build(source: Path, scratch: Path | None = None) -> Dataset:
    """The data set of a copy; scratch: a folder for its images, beside the copy unless that must not be written to."""
    return hep2.build(scratch or source.parent / "scratch", source)


def archive(source: Path, name: str, top: str) -> Path:
    path = source.parent / name
    with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as tar:
        tar.add(source, top)
    return path


def test_cells_stand_in_the_order_of_their_ids_and_the_folders_are_the_split(source: Path) -> None:
    data = build(source)
    assert data.images.shape == (36, 1, 78, 78)
    assert data.images.dtype == np.uint8
    assert data.images[:, 0, 40, 40].tolist() == [3 * i for i in range(1, 37)]
    assert data.labels.tolist() == [i % 6 for i in range(1, 37)]
    assert data.classes == ("Homogeneous", "Speckled", "Nucleolar", "Centromere", "NuMem", "Golgi")
    assert (data.split.name, data.channels) == ("official", ("cell",))
    assert data.ids is not None
    assert data.ids.tolist() == [f"{i:05d}.png" for i in range(1, 37)]
    for k, part in enumerate(PARTS):
        assert data.split[part].tolist() == [i - 1 for i in range(1, 37) if i // 6 % 3 == k]


def test_ids_are_read_with_and_without_leading_zeros(source: Path) -> None:
    plain = cache.fingerprint(build(source))
    table = source / hep2.TABLE
    head, *rows = table.read_text().splitlines()
    table.write_text("\r\n".join([head, *(row.zfill(5 + len(row.partition(",")[2]) + 1) for row in rows)]))
    assert "00001,Speckled" in table.read_text()
    assert cache.fingerprint(build(source)) == plain


@pytest.mark.parametrize(("name", "top"), [("x.tar", "."), ("x.tar", "hep2"), ("x.tar.gz", "hep2")])
def test_an_archive_is_read_like_the_folder_also_within_one_top_folder(source: Path, name: str, top: str) -> None:
    assert cache.fingerprint(build(archive(source, name, top))) == cache.fingerprint(build(source))


def test_a_folder_within_one_top_folder_is_read(source: Path) -> None:
    plain = cache.fingerprint(build(source))
    shutil.move(source, source.parent / "outer" / "copy")
    assert cache.fingerprint(build(source.parent / "outer")) == plain


def sort_into_classes(source: Path, folders: tuple[str, str, str]) -> Path:
    """The same cells in one folder a part and class."""
    root = source.parent / "sorted" / "dataset"
    for i in range(1, 37):
        k = i // 6 % 3
        target = root / folders[k] / hep2.CLASSES[i % 6]
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / FOLDERS[k] / f"{i:05d}.png", target)
    return root


@pytest.mark.parametrize("folders", [("tra", "val", "tes"), FOLDERS, ("Train", "Valid", "Test")])
def test_the_sorted_layout_gives_the_same_cells_in_the_order_of_their_ids(
    source: Path, folders: tuple[str, str, str]
) -> None:
    plain = cache.fingerprint(build(source))
    root = sort_into_classes(source, folders)
    assert cache.fingerprint(build(root)) == plain
    assert cache.fingerprint(build(root.parent)) == plain
    assert cache.fingerprint(build(archive(root, "x.tar.gz", "hep2"))) == plain


def test_a_sorted_copy_that_contradicts_itself_is_refused(source: Path) -> None:
    root = sort_into_classes(source, ("tra", "val", "tes"))
    (root / "val" / "Golgi").rename(root / "val" / "Gogli")
    with pytest.raises(DataError, match=r"val/Gogli/00011.png: folder 'Gogli' is not one of the six; .* 'Golgi'"):
        build(root)
    shutil.copytree(root / "tra" / "Golgi", root / "val" / "Golgi")
    shutil.rmtree(root / "val" / "Gogli")
    with pytest.raises(DataError, match=r"val/Golgi/00005\.png and tra/Golgi/00005\.png have the same ID"):
        build(root)
    shutil.rmtree(root / "tra" / "Golgi")
    with pytest.raises(DataError, match="no image in tra/ is of class Golgi"):
        build(root)
    shutil.rmtree(root / "tes")
    with pytest.raises(DataError, match="dataset: test/ holds no images"):
        build(root)


def test_it_is_prepared_by_name_and_without_a_source_says_how_to_get_one(source: Path) -> None:
    with pytest.raises(DataError, match=r"'hep2' is not prepared; ask the organisers .* cellbench prepare hep2 --from"):
        datasets["hep2"].prepare()
    assert cache.read(datasets["hep2"].prepare(source)).images[0, 0, 0, 0] == 3
    assert cache.read(datasets["hep2"].prepare()).images[35, 0, 0, 0] == 108


def test_a_missing_table_is_refused_with_the_expected_layout(source: Path) -> None:
    (source / hep2.TABLE).unlink()
    with pytest.raises(DataError, match=r"holds no gt_training.csv; training/, validation/, test/"):
        build(source)


def test_a_label_that_is_not_among_the_six_is_refused_with_its_line(source: Path) -> None:
    replace_text(source / hep2.TABLE, "\n7,Speckled", "\n7,Speckeld")
    with pytest.raises(DataError, match="line 8: class 'Speckeld' is not one of the six; did you mean 'Speckled'"):
        build(source)


@pytest.mark.parametrize(
    ("new", "words"), [("\n6,Speckled", "Image ID 6 .* twice"), ("\nA7,Speckled", "'A7' is not a")]
)
def test_an_id_that_stands_twice_or_is_no_number_is_refused(source: Path, new: str, words: str) -> None:
    replace_text(source / hep2.TABLE, "\n7,Speckled", new)
    with pytest.raises(DataError, match=words):
        build(source)


def test_rows_without_an_image_are_counted_and_the_first_named(source: Path) -> None:
    (source / "test" / "00012.png").unlink()
    (source / "test" / "00013.png").unlink()
    with pytest.raises(DataError, match=r"no image in .* for 2 rows of gt_training.csv, the first is Image ID 12"):
        build(source)


def test_images_without_a_row_are_counted_and_the_first_named(source: Path) -> None:
    shutil.copy(source / "test" / "00012.png", source / "test" / "00040.png")
    with pytest.raises(DataError, match=r"no row in gt_training.csv for 1 image, the first is test/00040.png"):
        build(source)


def test_two_images_of_one_id_and_a_name_that_is_no_id_are_refused(source: Path) -> None:
    shutil.copy(source / "test" / "00012.png", source / "test" / "12.png")
    with pytest.raises(DataError, match=r"test/12\.png and test/00012\.png have the same ID"):
        build(source)
    (source / "test" / "12.png").rename(source / "test" / "cell.png")
    with pytest.raises(DataError, match=r"test/cell\.png: an image's name must be its ID"):
        build(source)


def test_every_unreadable_image_is_counted_and_the_first_named(source: Path) -> None:
    (source / "training" / "00001.png").write_bytes(b"")
    (source / "test" / "00012.png").write_text("no pixels")
    Image.new("RGB", (78, 78)).save(source / "test" / "00013.png")
    Image.new("L", (70, 78)).save(source / "test" / "00014.png")
    with pytest.raises(DataError, match=r"4 of 36 images cannot be read: training/00001\.png \(0 bytes.*78×78 grey"):
        build(source)


def test_an_empty_part_and_a_class_without_training_images_are_refused(source: Path) -> None:
    replace_text(source / hep2.TABLE, "Golgi", "NuMem", -1)
    with pytest.raises(DataError, match="no image in training/ is of class Golgi"):
        build(source)
    for path in (source / "validation").iterdir():
        path.rename(source / "test" / path.name)
    with pytest.raises(DataError, match="copy: validation/ holds no images"):
        build(source)


def test_an_archive_that_is_cut_short_leaves_nothing_prepared(source: Path) -> None:
    path = archive(source, "x.tar", ".")
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(DataError, match=r"x\.tar cannot be read"):
        datasets["hep2"].prepare(path)
    assert list(cache.location("hep2").parent.iterdir()) == []


@pytest.mark.real
def test_real_cells_in_class_folders_are_read_as_they_are(real_data: Path, tmp_path: Path) -> None:
    """Four real cells of each class and part, moved into the sorted layout."""
    words, cells = {"training": "tra", "validation": "val", "test": "tes"}, {}
    with tarfile.open(real_data / "hep2_i3a.tar") as tar:
        members = {member.name.removeprefix("./"): member for member in tar if member.isfile()}
        table = next(name for name in members if name.endswith(hep2.TABLE))
        rows = io.TextIOWrapper(tar.extractfile(members[table]), encoding="utf-8-sig")  # type: ignore[arg-type]
        class_of = {int(row["Image ID"]): row["Image class"] for row in csv.DictReader(rows)}
        left = collections.Counter({(part, name): 4 for part in words for name in hep2.CLASSES})
        for name in sorted(name for name in members if name.endswith(".png")):
            part, number = name.split("/")[-2], int(Path(name).stem)
            if left[part, class_of[number]]:
                left[part, class_of[number]] -= 1
                file = tmp_path / "sorted" / words[part] / class_of[number] / Path(name).name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(tar.extractfile(members[name]).read())  # type: ignore[union-attr]
                cells[number] = file
    data = build(tmp_path / "sorted")
    assert len(data) == 72
    assert data.class_counts() == {part: [4] * 6 for part in PARTS}
    for image, label, number in zip(data.images, data.labels, sorted(cells), strict=True):
        assert np.array_equal(image[0], np.asarray(Image.open(cells[number])))
        assert data.classes[label] == class_of[number]


@pytest.mark.real
def test_the_real_set_has_the_counts_of_its_organisers(real_data: Path, tmp_path: Path) -> None:
    data = build(real_data / "hep2_i3a.tar", tmp_path / "scratch")
    assert data.class_counts() == {
        "train": [1556, 1800, 1675, 1791, 1430, 449],
        "val": [415, 456, 394, 463, 337, 110],
        "test": [523, 575, 529, 487, 441, 165],
    }
    assert data.images.shape == (13596, 1, 78, 78)
