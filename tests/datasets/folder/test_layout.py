"""The class is the level of folders that it is meant to be, or the folder is refused with the option that reads it."""

import re
from pathlib import Path

import pytest

from cellbench.core.errors import UsageError
from cellbench.datasets.folder import FolderOptions

from .folders import crops, load, put, refused, value, values

KINDS = ("normal", "mitotic")


def test_plates_and_wells_above_the_classes_are_seen_and_the_named_layout_reads_them(root: Path) -> None:
    names = [
        f"plate{p}/{w}/{kind}/{i}.png" for p in (1, 2) for w in ("A01", "B02", "C11") for kind in KINDS for i in "ab"
    ]
    put(root, names)
    refused(
        root, r"top folders, plate1, plate2, look like plates.*mitotic, normal may be: .*'\{plate\}/\{well\}/\{class\}"
    )
    data = load(root, layout="{plate}/{well}/{class}/**")
    assert data.classes == ("mitotic", "normal")
    assert data.info.groups_are == "plate,well"
    assert data.groups is not None
    by_name = dict(zip(values(data), zip(data.labels.tolist(), data.groups.tolist(), strict=True), strict=True))
    for name in names:
        plate, well, kind, _ = name.split("/")
        group = sorted((p, w) for p in ("plate1", "plate2") for w in ("A01", "B02", "C11")).index((plate, well))
        if [value(other) for other in names].count(value(name)) == 1:
            assert by_name[value(name)] == (int(kind == "normal"), group)


def test_the_places_of_a_layout_are_groups_and_parts(root: Path) -> None:
    put(root, [f"Train_img/d{d}/{kind}/{i}.png" for d in range(5) for kind in KINDS for i in range(2)])
    put(root, [f"test_set/d{d}/{kind}/{i}.png" for d in (7, 8) for kind in KINDS for i in range(2)])
    data = load(root, layout="{split}/{donor}/{class}/*.png")
    assert data.split.name == "given"
    assert data.info.groups_are == "donor"
    assert data.class_counts()["test"] == [4, 4]
    assert data.unit_counts() == {"train": 4, "val": 1, "test": 2}
    assert load(root, layout="{split}/{donor}/{class}/*.png", group_column="none").groups is None
    with pytest.raises(UsageError, match="no place 'plate' for --group-column; it has donor"):
        load(root, layout="{split}/{donor}/{class}/*.png", group_column="plate")


@pytest.mark.parametrize("words", [("Train_img", "Test_img"), ("training_set", "test_set"), ("TRAIN", "TEST images")])
def test_part_folders_with_a_word_behind_them_are_the_given_split(root: Path, words: tuple[str, str]) -> None:
    put(root, [f"{word}/{kind}/{i}.png" for word in words for kind in KINDS for i in range(6)])
    data = load(root)
    assert data.split.name == "given"
    assert data.classes == ("mitotic", "normal")
    assert data.class_counts()["test"] == [6, 6]


@pytest.mark.parametrize("tops", [("fold1", "fold2"), ("exp 1", "exp 2"), ("2021-03-04", "2021-03-05"), ("A01", "P24")])
def test_folds_experiments_dates_and_wells_are_not_taken_for_classes(root: Path, tops: tuple[str, str]) -> None:
    put(root, [f"{top}/{kind}/{i}.png" for top in tops for kind in KINDS for i in range(5)])
    refused(root, r"not like classes; mitotic, normal may be: say --layout '\{\w+\}/\{class\}/\*\*'")
    assert load(root, layout="{class}/**").classes == tuple(sorted(tops))


def test_plates_with_images_only_need_a_table(root: Path) -> None:
    put(root, [f"plate_{p}/{i}.png" for p in "ab" for i in range(5)])
    refused(root, "look like plates, not like classes; give a table of files and labels with --labels")


def test_the_same_folders_under_every_folder_are_open_and_asked_about(root: Path) -> None:
    put(root, [f"{top}/{kind}/{i}.png" for top in ("monday", "friday") for kind in KINDS for i in range(5)])
    refused(
        root, r"all hold the same folders, mitotic, normal: either may be the classes; say --layout '\{class\}/\{gr"
    )
    assert load(root, layout="{day}/{class}/*").classes == ("mitotic", "normal")


def test_classes_above_plates_stay_the_classes(root: Path) -> None:
    put(root, [f"{kind}/plate{p}/{i}.png" for kind in KINDS for p in (1, 2) for i in range(5)])
    assert load(root).classes == ("mitotic", "normal")


def test_levels_inside_a_given_split_are_looked_at_too(root: Path) -> None:
    put(
        root,
        [f"{part}/plate{p}/{k}/{i}.png" for part in ("train", "test") for p in (1, 2) for k in KINDS for i in "ab"],
    )
    refused(root, r"say --layout '\{split\}/\{plate\}/\{class\}/\*\*'")


def test_a_layout_that_fits_nothing_or_lacks_the_class_is_refused(root: Path) -> None:
    put(root, [f"{kind}/{i}.png" for kind in KINDS for i in range(5)])
    refused(root, r"none of 10 images fits the layout '\{plate\}/\{class\}/\*'", layout="{plate}/{class}/*")
    for wrong in ("{plate}/*", "{class}/{class}/*", "/{class}/*", "{class/*"):
        with pytest.raises(UsageError, match=r"\{class\} once"):
            FolderOptions(layout=wrong)


def test_files_that_do_not_fit_a_layout_are_left_out_and_counted(root: Path) -> None:
    put(root, [f"{kind}/{i}.png" for kind in KINDS for i in range(5)])
    put(root, ["overview.png"])
    data = load(root, layout="{class}/*.png")
    assert len(data) == 10
    assert "1 images that do not fit the layout left out, the first is overview.png" in data.info.notes


MASKS = [
    ("{kind}/{i}.png", "{kind}/{i}_mask.png"),
    ("{kind}/{i}.png", "{kind}/{i}_cp_masks.tif"),
    ("{kind}/{i}.bmp", "{kind}/{i}-d.bmp"),
    ("{kind}/{i}.png", "{kind}/{i}_seg.png"),
    ("{kind}/{i}.png", "{kind}/mask_{i}.png"),
    ("images/{kind}/{i}.png", "masks/{kind}/{i}.tif"),
    ("{kind}/images/{i}.png", "{kind}/masks/{i}_mask.png"),
]


@pytest.mark.parametrize(("image", "mask"), MASKS)
def test_masks_beside_images_are_left_out_and_said(root: Path, image: str, mask: str) -> None:
    images = [image.format(kind=kind, i=i) for kind in KINDS for i in range(5)]
    put(root, images)
    put(root, [mask.format(kind=kind, i=i) for kind in KINDS for i in range(5)])
    data = load(root)
    assert sorted(values(data)) == sorted(map(value, images))
    assert data.classes == ("mitotic", "normal")
    assert data.info.notes[0].startswith("10 masks: left out, such as ")


def test_a_name_like_a_masks_without_its_image_is_an_image(root: Path) -> None:
    put(root, [f"{kind}/{i}_seg.png" for kind in KINDS for i in range(5)])
    assert len(load(root)) == 10
    put(root, ["normal/0.png"])  # one pair of ten is no system
    assert len(load(root)) == 11


def test_classes_that_differ_in_case_and_a_class_without_a_name_are_said(root: Path) -> None:
    put(root, [f"{kind}/{i}.png" for kind in ("Mitotic cell", "mitotic_cell", "NaN", "other") for i in range(5)])
    notes = load(root).info.notes
    assert any("'Mitotic cell', 'mitotic_cell' differ only in case or spaces and count as 2" in note for note in notes)
    assert any("class 'NaN' reads like a missing label" in note for note in notes)


@pytest.mark.parametrize("twice", [False, True], ids=["a folder a class", "the class's folder in itself"])
def test_cells_in_a_folder_beside_the_images_they_were_cut_from_are_seen(root: Path, twice: bool) -> None:
    tops = {kind: f"{kind}/{kind}" if twice else kind for kind in KINDS}
    slides = [f"{top}/{i}.bmp" for top in tops.values() for i in range(6)]
    cells = [f"{top}/CROPPED/{i}_{k}.bmp" for top in tops.values() for i in range(6) for k in range(2)]
    put(root, slides, (40, 50))
    put(root, cells)
    star = "*/" if twice else ""
    refused(
        root,
        r"every class folder has images of its own and others in CROPPED, .*"
        + re.escape(f"--layout '{{class}}/{star}CROPPED/*' for those in there, --layout '{{class}}/{star}*' for the"),
    )
    assert len(load(root, layout=f"{{class}}/{star}CROPPED/*")) == len(cells)
    assert len(load(root, layout=f"{{class}}/{star}*")) == len(slides)
    assert load(root, layout=f"{{class}}/{star}CROPPED/*").classes == ("mitotic", "normal")


def test_one_class_with_a_folder_of_its_own_is_read_as_it_is(root: Path) -> None:
    put(root, [*crops("a", "b", n=6), *crops("a/more", n=3)])
    assert load(root).class_counts()["train"][0] > load(root).class_counts()["train"][1]
