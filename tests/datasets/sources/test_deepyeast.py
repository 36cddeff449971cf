"""DeepYeast is read in both layouts that circulate, in the order of its lists, and incomplete copies are refused."""

import hashlib
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
from cellbench.datasets.sources import deepyeast

from .changing import replace_text

COUNTS = {
    "train": [6924, 6935, 2692, 6195, 2770, 6547, 6661, 7014, 6440, 1683, 4713, 6426],
    "val": [961, 1223, 697, 1393, 208, 1560, 1252, 1147, 1312, 294, 1517, 936],
    "test": [1569, 1276, 689, 1755, 382, 1243, 1164, 1263, 1627, 164, 781, 587],
}
N = 36  # cell i is of class i % 12, in the plate and well of its class and part, red i and green 2·i


def cell(path: Path, i: int, blue: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((64, 64, 3), (i, 2 * i, blue), np.uint8)).save(path)


@pytest.fixture
def plates(tmp_path: Path) -> Path:
    """12 cells a part, listed from the last class to the first; plate 10 comes before plate 2 in no list."""
    root = tmp_path / "copy"
    for k, name in enumerate(deepyeast.PLATE_LISTS):
        lines = []
        for i in reversed(range(12 * k, 12 * k + 12)):
            file = f"plate{i % 11 + 1:02d}/{i // 2:03d}004000-2-{i}-1.png"
            cell(root / file, i)
            lines.append(f"{file} {i % 12}\n")
        (root / name).write_text("".join(lines))
    return root


@pytest.fixture
def renamed(tmp_path: Path) -> Path:
    """The same cells in the same order as the yeast study has them."""
    root = tmp_path / "study"
    stems = ("Train", "Val", "Test")
    for k, (folder, name, stem) in enumerate(
        zip(deepyeast.RENAMED_FOLDERS, deepyeast.RENAMED_LISTS, stems, strict=True)
    ):
        lines = []
        for row, i in enumerate(reversed(range(12 * k, 12 * k + 12)), 1):
            cell(root / folder / f"{stem}_{row}.png", i)
            lines.append(f"{stem}_{row}.png\t{i % 12}\n")
        (root / name).write_text("".join(lines))
    return root


def build(source: Path) -> Dataset:
    return deepyeast.build(source.parent / "scratch", source)


def archive(source: Path, name: str, top: str = "", lists: bool = False) -> Path:
    path = source.parent / name
    with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as tar:
        for file in sorted(source.iterdir(), reverse=True):
            if lists or file.is_dir():
                tar.add(file, f"{top}{file.name}")
    return path


def test_cells_stand_in_the_order_of_the_lists_with_red_green_and_wells(plates: Path) -> None:
    data = build(plates)
    order = [i for k in range(3) for i in reversed(range(12 * k, 12 * k + 12))]
    assert data.images.shape == (N, 2, 64, 64)
    assert data.images.dtype == np.uint8
    assert data.images[:, :, 5, 60].tolist() == [[i, 2 * i] for i in order]
    assert data.labels.tolist() == [i % 12 for i in order]
    assert data.channels == ("cell", "protein")
    assert data.classes[:3] == ("cell periphery", "cytoplasm", "endosome")
    assert data.classes[9:] == ("peroxisome", "spindle pole", "vacuole")
    assert data.split.name == "official"
    for k, part in enumerate(PARTS):
        assert data.split[part].tolist() == list(range(12 * k, 12 * k + 12))
    assert data.ids is not None
    listed = [(plates / name).read_text().split()[::2] for name in deepyeast.PLATE_LISTS]
    assert data.ids.tolist() == [name for names in listed for name in names]
    wells = [f"plate{i % 11 + 1:02d}/{i // 2:03d}004" for i in order]
    assert data.groups is not None
    assert data.groups.tolist() == [sorted(set(wells)).index(well) for well in wells]
    assert data.info.notes == ()


def test_cells_of_one_plate_and_first_digits_are_one_group(plates: Path) -> None:
    replace_text(plates / "HOwt_train.txt", "plate01/000004000-2-0-1.png", "plate02/000004777-9-0-9.png")
    cell(plates / "plate02/000004777-9-0-9.png", 0)
    (plates / "plate01/000004000-2-0-1.png").unlink()
    groups = build(plates).groups
    assert groups is not None
    assert groups[10] == groups[11]
    assert len(set(groups.tolist())) == N - 1


def test_the_renamed_layout_gives_the_same_cells_without_groups(plates: Path, renamed: Path) -> None:
    ours, theirs = build(plates), build(renamed)
    assert theirs.groups is None
    assert np.array_equal(ours.images, theirs.images)
    assert np.array_equal(ours.labels, theirs.labels)
    assert [len(theirs.split[part]) for part in PARTS] == [12, 12, 12]


@pytest.mark.parametrize(
    ("name", "top", "lists"), [("x.tar", "", True), ("x.tar.gz", "main/", True), ("x.tar.gz", "", False)]
)
def test_an_archive_is_read_with_the_lists_in_it_or_beside_it(plates: Path, name: str, top: str, lists: bool) -> None:
    path = archive(plates, name, top, lists)
    if not lists:
        for file in deepyeast.PLATE_LISTS:
            shutil.copy(plates / file, path.parent / file)
    assert cache.fingerprint(build(path)) == cache.fingerprint(build(plates))


def test_the_published_files_are_offered_for_download_under_their_own_names() -> None:
    files = datasets["deepyeast"].files
    assert [file.name for file in files] == ["main.tar.gz", *deepyeast.PLATE_LISTS]
    assert files[0].md5 == "f313fc0b8068941ab18ae65eb113afee"
    assert files[1].url == "https://kodu.ut.ee/~leopoldp/2016_DeepYeast/code/image_prep/data/HOwt_train.txt"


def test_what_was_downloaded_is_read_as_it_lies_there(plates: Path) -> None:
    folder = plates.parent / "downloads"
    folder.mkdir()
    archive(plates, "main.tar.gz").rename(folder / "main.tar.gz")
    for file in deepyeast.PLATE_LISTS:
        shutil.copy(plates / file, folder / file)
    assert cache.fingerprint(build(folder)) == cache.fingerprint(build(plates))


def test_of_a_file_that_an_archive_holds_twice_the_later_one_counts(plates: Path) -> None:
    path = archive(plates, "x.tar", lists=True)
    cell(plates / "plate01/000004000-2-0-1.png", 77)
    with tarfile.open(path, "a") as tar:
        tar.add(plates / "plate01/000004000-2-0-1.png", "plate01/000004000-2-0-1.png")
    assert build(path).images[11, :, 0, 0].tolist() == [77, 154]


def test_plates_beside_the_lists_in_a_deeper_folder_are_found(plates: Path) -> None:
    plain = cache.fingerprint(build(plates))
    (plates / "main").mkdir()
    for folder in plates.glob("plate*"):
        folder.rename(plates / "main" / folder.name)
    assert cache.fingerprint(build(plates)) == plain


def test_it_is_prepared_by_name_and_is_not_standard(plates: Path) -> None:
    assert not datasets["deepyeast"].standard
    with pytest.raises(DataError, match="'deepyeast' is not prepared"):
        datasets["deepyeast"].prepare()
    assert cache.read(datasets["deepyeast"].prepare(plates)).images[0].max(axis=(1, 2)).tolist() == [11, 22]


def test_a_blue_channel_that_is_not_zero_is_said(plates: Path) -> None:
    cell(plates / "plate01/005004000-2-11-1.png", 11, blue=1)
    data = build(plates)
    assert data.info.notes == ("blue is not zero, and left out: 1 image, the first is plate01/005004000-2-11-1.png",)
    assert data.images.shape[1] == 2


def test_images_in_no_list_are_left_out_and_said(plates: Path) -> None:
    cell(plates / "plate03/009004000-2-99-1.png", 50)
    data = build(plates)
    assert len(data) == N
    assert data.info.notes == ("1 image in no list, left out",)


def test_listed_images_that_are_absent_are_counted_and_the_first_named(renamed: Path) -> None:
    (renamed / "val_img" / "Val_3.png").unlink()
    (renamed / "val_img" / "Val_4.png").unlink()
    with pytest.raises(
        DataError, match=r"2 of 36 images in the lists are not in .*study, the first is val_img/Val_3\.png"
    ):
        build(renamed)


@pytest.mark.parametrize("bad", ["12", "-1", "er", ""])
def test_a_label_that_is_no_class_is_refused_with_its_line(renamed: Path, bad: str) -> None:
    replace_text(renamed / "train_labels.txt", "Train_2.png\t10", f"Train_2.png\t{bad}")
    with pytest.raises(DataError, match=r"train_labels\.txt line 2: 'Train_2.png.*0 to 11"):
        build(renamed)


def test_an_image_that_is_listed_twice_is_refused_with_both_lines(plates: Path) -> None:
    twice = (plates / "HOwt_train.txt").read_text().splitlines()[4]
    with (plates / "HOwt_test.txt").open("a") as file:
        file.write(twice + "\n")
    with pytest.raises(DataError, match=r"HOwt_test\.txt line 13: .* stands in HOwt_train\.txt line 5 already"):
        build(plates)


def test_a_name_without_a_well_is_refused(plates: Path) -> None:
    replace_text(plates / "HOwt_val.txt", "plate03/", "plate03/x")
    with pytest.raises(DataError, match=r"HOwt_val\.txt line \d+: 'plate03/x.*six digits, its well"):
        build(plates)


def test_a_class_that_train_lacks_is_refused(renamed: Path) -> None:
    replace_text(renamed / "train_labels.txt", "Train_3.png\t9", "Train_3.png\t8")
    with pytest.raises(DataError, match="no training image is of class peroxisome"):
        build(renamed)


def test_a_missing_list_is_named_and_none_at_all_says_what_is_expected(plates: Path) -> None:
    (plates / "HOwt_val.txt").unlink()
    with pytest.raises(DataError, match=r"copy holds no HOwt_val\.txt; plate01/"):
        build(plates)
    for file in deepyeast.PLATE_LISTS:
        (plates / file).unlink(missing_ok=True)
    with pytest.raises(DataError, match=r"holds no lists of images; plate01/ .* train_labels\.txt"):
        build(plates)


def test_every_unreadable_image_is_counted_and_nothing_is_left_prepared(renamed: Path) -> None:
    (renamed / "test_img" / "Test_2.png").write_bytes(b"")
    Image.new("L", (64, 64)).save(renamed / "train_img" / "Train_7.png")
    with pytest.raises(DataError, match=r"2 of 36 images cannot be read: train_img/Train_7\.png .*64×64 RGB.*0 bytes"):
        datasets["deepyeast"].prepare(renamed)
    assert list(cache.location("x").parent.iterdir()) == []


@pytest.mark.real
def test_the_real_lists_have_the_counts_wells_and_sums_that_were_published(real_data: Path) -> None:
    folder = real_data / "deepyeast_lists"
    rows = deepyeast.read_rows({name: folder / name for name in deepyeast.PLATE_LISTS})
    parts, labels = np.array(rows.parts), np.array(rows.labels)
    assert {part: np.bincount(labels[parts == part]).tolist() for part in PARTS} == COUNTS
    assert rows.wells is not None
    wells = np.array(rows.wells)
    own = [set(wells[parts == part].tolist()) for part in PARTS]
    assert [len(found) for found in own] == [1224, 277, 282]
    assert len(set.union(*own)) == 1224 + 277 + 282
    assert rows.files[0] == "plate10/015005000-6-15188-94.png"
    for file in deepyeast.FILES[1:]:
        assert hashlib.md5((folder / file.name).read_bytes()).hexdigest() == file.md5
    named = [line.split(";") for line in (folder / "HOwt_doc.txt").read_text().splitlines()[1:]]
    assert tuple(name for name, _ in named) == deepyeast.CLASSES
    assert [int(label) for _, label in named] == list(range(12))


@pytest.mark.real
def test_real_cells_are_read_as_they_are(real_data: Path, tmp_path: Path) -> None:
    """36 real cells in the study's layout; five are listed again under classes that train would lack."""
    source, root = real_data / "deepyeast_examples", tmp_path / "cells"
    for folder, name in zip(deepyeast.RENAMED_FOLDERS, deepyeast.RENAMED_LISTS, strict=True):
        shutil.copytree(source / folder, root / folder)
        (root / name).write_text("\n".join((source / name).read_text().splitlines()[:12]))
    with pytest.raises(DataError, match="endosome, mitochondrion, peroxisome, spindle pole, vacuole"):
        build(root)
    with (root / "train_labels.txt").open("a") as file:
        for label in (2, 5, 9, 10, 11):
            shutil.copy(root / "val_img" / "Val_1.png", root / "train_img" / f"Train_{100 + label}.png")
            file.write(f"\nTrain_{100 + label}.png\t{label}")
    data = build(root)
    assert [len(data.split[part]) for part in PARTS] == [17, 12, 12]
    assert data.labels[:12].tolist() == [0, 6, 1, 3, 1, 8, 3, 7, 0, 0, 0, 4]
    assert data.labels[-12:].tolist() == [6, 7, 1, 2, 0, 0, 6, 8, 0, 6, 4, 0]
    assert data.info.notes == ()  # blue is zero
    for place, name in (
        (0, "train_img/Train_1"),
        (11, "train_img/Train_12"),
        (17, "val_img/Val_1"),
        (40, "test_img/Test_12"),
    ):
        pixels = np.asarray(Image.open(source / f"{name}.png"))
        assert np.array_equal(data.images[place], pixels[..., :2].transpose(2, 0, 1))
