"""Layouts in which others publish single cells, mimicked: each is read right, or refused with the way on.

Their descriptions: github.com/zxaoyou/segmentation_WBC (Zheng et al., Micron 107, 2018); C-NMC 2019 at the Cancer
Imaging Archive (Gupta & Gupta); CHAMMI at Zenodo (Chen et al., NeurIPS 2023 data sets and benchmarks).
"""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellbench.core.errors import DataError
from cellbench.running.saved_models.finding import find

from .folders import load, refused, write_table

RNG = np.random.default_rng(0)


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 255, shape, dtype=np.uint8)


def put_white_blood_cells(root: Path, n: int = 12) -> dict[str, np.ndarray]:
    """Images 001.bmp beside masks 001.png (0, 128, 255), and the labels of 1, 2, … above; return the images by name."""
    images = {}
    for i in range(1, n + 1):
        mask = np.zeros((20, 20), np.uint8)
        mask[4:14, 5:15] = 128
        mask[7:10, 8:12] = 255
        images[f"{i:03}.bmp"] = noise(20, 20, 3)
        save(root / "Dataset 1" / f"{i:03}.bmp", images[f"{i:03}.bmp"])
        save(root / "Dataset 1" / f"{i:03}.png", mask)
    rows = [[str(i), str(i % 2 + 1)] for i in range(1, n + 1)]
    write_table(root / "Class Labels of Dataset 1.csv", [("image ID", "class label"), *rows])
    return images


def test_masks_that_are_called_like_their_images_and_numbers_without_zeros(root: Path) -> None:
    images = put_white_blood_cells(root)
    labels = root / "Class Labels of Dataset 1.csv"
    data = load(root / "Dataset 1", labels=labels)
    assert data.ids is not None
    assert data.ids.tolist() == list(images)
    np.testing.assert_array_equal(data.images, [image.transpose(2, 0, 1) for image in images.values()])
    assert [data.classes[k] for k in data.labels] == [str(i % 2 + 1) for i in range(1, 13)]
    assert "12 masks: left out, such as 001.png of 001.bmp" in data.info.notes
    cut = load(root / "Dataset 1", labels=labels, masks=True).images
    np.testing.assert_array_equal(cut[0], np.maximum(images["001.bmp"][4:14, 5:15], 0).transpose(2, 0, 1))
    assert load(root).ids is not None  # the whole clone, whose table is found
    assert [Path(name).name for name in find([root / "Dataset 1"]).files] == list(images)  # as predict finds them


def test_pictures_of_the_same_name_that_are_no_masks_stay_images(root: Path) -> None:
    for kind in "ab":
        for i in range(5):
            save(root / kind / f"{i}.bmp", noise(8, 8))
            save(root / kind / f"{i}.png", noise(8, 8))
    assert len(load(root)) == 20


def put_leukaemia(root: Path) -> None:
    """C-NMC 2019: folds of all and hem to train on, then a folder with a table, then one without labels."""
    for fold in range(3):
        for kind, mark in (("all", ""), ("hem", "H")):
            for patient in range(4):
                for cell in range(2):
                    name = f"UID_{mark}{4 * fold + patient + 1}_{cell + 1}_1_{kind}.bmp"
                    save(root / "training_data" / f"fold_{fold}" / kind / name, noise(12, 12, 3))
    rows = []
    for i in range(1, 7):
        save(root / "validation_data" / "C-NMC_test_prelim_phase_data" / f"{i}.bmp", noise(12, 12, 3))
        save(root / "testing_data" / "C-NMC_test_final_phase_data" / f"{i}.bmp", noise(12, 12, 3))
        rows.append([f"UID_{50 + i}_1_1_all.bmp", f"{i}.bmp", str(i % 2)])
    table = root / "validation_data" / "C-NMC_test_prelim_phase_data_labels.csv"
    write_table(table, [("Patient_ID", "new_names", "labels"), *rows])


def test_folds_below_the_parts_of_a_split_are_seen_and_patients_in_names_are_groups(root: Path) -> None:
    put_leukaemia(root)
    layout = "{split}/{fold}/{class}/**"
    refused(
        root, r"fold_0, fold_1, fold_2, look like folds.*; all, hem may be: say --layout " + re.escape(f"'{layout}'")
    )
    whole = load(root, layout=layout)
    assert (whole.classes, len(whole)) == (("all", "hem"), 48)
    assert "12 images that do not fit the layout left out" in " ".join(whole.info.notes)
    cells = load(root / "training_data", layout="{fold}/{class}/UID_{patient}_*.bmp", group_column="patient")
    assert cells.groups is not None
    assert cells.ids is not None
    patients = [name.rpartition("/")[2].split("_")[1] for name in cells.ids]
    assert len(set(zip(patients, cells.groups.tolist(), strict=True))) == len(set(patients)) == 24


def put_chammi(root: Path) -> dict[str, np.ndarray]:
    """Two sets, each with a table of its own and channels side by side in each image; return those of HPA by name."""
    images = {}
    for part, channels in (("CP", 5), ("HPA", 4)):
        rows = []
        for i in range(20):
            cell = noise(channels, 10, 10)
            save(root / part / "crops" / f"c{i}.png", np.concatenate(list(cell), 1))
            rows.append([str(i), f"{part}/crops/c{i}.png", ("er", "golgi")[i % 2], "Train" if i < 14 else "Task_one"])
            if part == "HPA":
                images[f"crops/c{i}.png"] = cell
        write_table(root / part / "enriched_meta.csv", [("", "file_path", "Label", "train_test_split"), *rows])
    return images


def test_folders_with_tables_of_their_own_are_no_classes_and_channels_side_by_side_are_named(root: Path) -> None:
    images = put_chammi(root)
    refused(root, r"CP/enriched_meta\.csv, HPA/enriched_meta\.csv .* no classes; give one of them, such as .*CP")
    notes = load(root / "HPA").info.notes
    assert "images are 4 squares side by side: --side-by-side if these are channels" in notes
    assert "column 'train_test_split' (Task_one, Train) is not used: a column 'split' has train, val and test" in notes
    data = load(root / "HPA", side_by_side=True)
    assert data.ids is not None
    np.testing.assert_array_equal(data.images, [images[name] for name in data.ids])
    assert set(load(root, layout="{class}/**", size=16).classes) == {"CP", "HPA"}


def test_a_split_in_a_column_of_another_name_is_taken(root: Path) -> None:
    rows = []
    for i in range(20):
        save(root / f"c{i}.png", noise(8, 8))
        rows.append([f"c{i}.png", "ab"[i % 2], ("Train", "valid", "test")[i % 5 % 3]])
    write_table(root / "cells.csv", [("file", "label", "Train_Test_Split"), *rows])
    data = load(root)
    assert data.split.name == "given"
    assert [row[2].lower() for row in rows][int(data.split.test[0])] == "test"
    assert len(data.split.train) == sum(row[2] == "Train" for row in rows)


def test_a_number_that_may_be_two_files_is_refused(root: Path) -> None:
    for folder in ("x", "y"):
        for i in range(5):
            save(root / folder / f"{i:03}.png", noise(8, 8))
    rows = [[str(i), "ab"[i % 2]] for i in range(5)]
    labels = write_table(root.parent / "t.csv", [("id", "label"), *rows])
    with pytest.raises(DataError, match=r"t\.csv line 2: '0' may mean x/000\.png, y/000\.png; give the path"):
        load(root, labels=labels)
