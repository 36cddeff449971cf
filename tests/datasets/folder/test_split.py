"""A given split is kept, a missing part is taken from train, and groups stay whole."""

from pathlib import Path

import numpy as np
import pytest

from cellbench.core.data import PARTS
from cellbench.core.errors import DataError

from .folders import crops, load, put, refused, write_table


def test_a_split_column_is_the_given_split(root: Path) -> None:
    put(root, [f"{i}.png" for i in range(9)])
    words = ["Train", "tra", "training", "val", "validation", "valid", "test", "TES", "test"]
    write_table(root / "t.csv", [["file", "label", "split"], *([f"{i}", "abc"[i % 3], words[i]] for i in range(9))])
    data = load(root)
    assert data.split.name == "given"
    assert [data.split[part].tolist() for part in PARTS] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_folders_called_train_and_test_are_the_split_of_a_table_without_one(root: Path) -> None:
    names = [f"{part}/{i}.png" for part in ("test", "training", "validation") for i in range(4)]
    put(root, names)
    write_table(root / "t.csv", [["file", "label"], *([name, "ab"[int(name[-5]) % 2]] for name in names)])
    data = load(root)
    assert [data.split[part].tolist() for part in PARTS] == [[4, 5, 6, 7], [8, 9, 10, 11], [0, 1, 2, 3]]


def grouped_table(root: Path, n_groups: int, column: str = "well") -> None:
    put(root, [f"{i}.png" for i in range(40)])
    rows = [[str(i), "ab"[i % 2], f"w{i // 2 % n_groups}"] for i in range(40)]
    write_table(root / "t.csv", [["file", "label", column], *rows])


def test_groups_from_a_usual_column_are_kept_whole_and_said(root: Path) -> None:
    grouped_table(root, 10)
    data = load(root)
    assert data.groups is not None
    assert data.split.name == "grouped"
    np.testing.assert_array_equal(data.groups, np.arange(40) // 2 % 10)
    assert not set(data.groups[data.split.train]) & set(data.groups[data.split.test])
    assert "groups from 'well' (10)" in data.info.notes[0]


def test_groups_found_that_are_too_few_to_split_by_are_kept_and_said_and_refused_when_named(root: Path) -> None:
    grouped_table(root, 4)
    refused(
        root,
        r"column 'well' has 4 groups, too few to split by \(5 are needed\); name another column, .* none",
        group_column="well",
    )
    data = load(root)
    assert data.groups is not None
    np.testing.assert_array_equal(data.groups, np.arange(40) // 2 % 4)
    assert data.split.name == "stratified"
    assert data.info.notes[1:] == (
        "column 'well' has 4 groups, too few to split by (5 are needed): the split is drawn by class, "
        "so images of one group lie in several parts",
    )
    assert load(root, group_column="none").groups is None


def test_val_is_taken_by_class_from_a_train_of_too_few_groups_and_by_groups_from_one_of_enough(root: Path) -> None:
    put(root, [f"{i:02d}.png" for i in range(40)])
    for n_groups, kind in ((4, "stratified"), (5, "whole groups")):
        rows = [[f"{i:02d}", "ab"[i % 2], f"w{i // 2 % n_groups if i < 30 else 9}"] for i in range(40)]
        split = ["train" if i < 30 else "test" for i in range(40)]
        table = [["file", "label", "well", "split"], *([*row, part] for row, part in zip(rows, split, strict=True))]
        write_table(root / "t.csv", table)
        data = load(root)
        assert data.groups is not None
        assert data.info.notes[1] == f"no val is given: a fifth of train taken for it ({kind}, 6 images)"
        torn = set(data.groups[data.split.train]) & set(data.groups[data.split.val])
        assert bool(torn) == (n_groups == 4)
        assert ("column 'well' has 4 groups, too few" in " ".join(data.info.notes)) == (n_groups == 4)


def test_an_empty_cell_of_a_group_column_is_refused_with_its_line_whether_found_or_named(root: Path) -> None:
    put(root, [f"{i:02d}.png" for i in range(40)])
    rows = [[f"{i:02d}", "ab"[i % 2], f"p{i // 20}", "" if i in (7, 31) else f"w{i % 10}"] for i in range(40)]
    write_table(root / "t.csv", [["file", "label", "plate", "well"], *reversed(rows)])
    refused(
        root,
        "t.csv line 10: column 'well', which is taken for groups, is empty; fill it in, .* --group-column none$",
    )
    refused(root, "t.csv line 10: column 'well' is empty; fill it in", group_column="plate,well")
    assert load(root, group_column="none").groups is None


def test_columns_named_together_make_a_group_of_each_distinct_pair(root: Path) -> None:
    put(root, [f"{i:02d}.png" for i in range(48)])
    pairs = [(f"p{i // 2 % 3}", f"A{i // 6 % 4}") for i in range(48)]
    write_table(
        root / "t.csv",
        [["file", "label", "plate", "well"], *([f"{i:02d}", "ab"[i % 2], *pair] for i, pair in enumerate(pairs))],
    )
    data = load(root, group_column="plate, well")
    assert data.groups is not None
    assert data.groups.tolist() == [sorted(set(pairs)).index(pair) for pair in pairs]
    assert len(set(pairs)) == 12
    assert data.split.name == "grouped"
    for part in PARTS:
        assert not set(data.groups[data.split[part]]) & set(np.delete(data.groups, data.split[part]).tolist())
    assert data.info.notes[0].endswith("groups from 'plate', 'well' (12)")
    refused_column = r"has no column 'wel'; did you mean 'well'"
    with pytest.raises(DataError, match=refused_column):
        load(root, group_column="plate,wel")


def test_a_column_whose_name_holds_a_comma_is_one_column_and_a_label_is_never_taken_for_groups(root: Path) -> None:
    put(root, [f"{i:02d}.png" for i in range(20)])
    rows = [[f"{i:02d}", "ab"[i % 2], f"w{i // 2}"] for i in range(20)]
    write_table(root / "t.csv", [["file", "patient", '"plate,well"'], *rows])
    data = load(root, label_column="patient", group_column="plate,well")
    assert data.groups is not None
    assert data.groups.tolist() == [i // 2 for i in range(20)]
    assert load(root, label_column="patient").groups is None


def test_a_class_whose_one_group_cannot_be_in_every_part_is_refused_and_groups_can_be_left_out(root: Path) -> None:
    put(root, [f"{i:02d}.png" for i in range(60)])
    rows = [[f"{i:02d}", "abcdef"[i // 10], f"w{i // 10}"] for i in range(60)]
    write_table(root / "t.csv", [["file", "label", "well"], *rows])
    refused(root, "has no image in train, .* its groups are too few .* --group-column none")
    data = load(root, group_column="none")
    assert data.groups is None
    assert data.split.name == "stratified"


def test_a_class_of_fewer_than_five_images_is_refused_when_the_split_is_drawn(root: Path) -> None:
    put(root, [*crops("a"), "b/0.png", "b/1.png"])
    refused(root, "class b has 2 images to draw a split from; at least 5 of each class")


def test_a_class_with_one_image_is_refused_in_every_layout_with_the_image_and_the_row(root: Path) -> None:
    put(root, [*crops("a"), "b/0.png"])
    refused(root, r"class 'b' has one image only \(b/0\.png\); add images of it or remove the class")
    put(root / "given", [*crops("a", part="train/"), *crops("a", n=3, part="test/"), "train/b/0.png"])
    refused(root / "given", r"class 'b' has one image only \(train/b/0\.png\)")
    rows = [["file", "label"], *([name, name[0]] for name in [*crops("a"), "b/0.png"])]
    write_table(root / "t.csv", rows)
    for name in ("given/train/a", "given/train/b", "given/test/a"):
        for file in (root / name).iterdir():
            file.unlink()
    refused(root, r"class 'b' has one image only \(b/0\.png, t\.csv line 12\)")
    write_table(root / "t.csv", [[*rows[0], "split"], *([*row, "train"] for row in rows[1:])])
    refused(root, r"class 'b' has one image only \(b/0\.png, t\.csv line 12\)")
    parts = [*["train"] * 6, "val", "val", "test", "test", "train"]
    write_table(
        root / "t.csv", [[*rows[0], "split"], *([*row, part] for row, part in zip(rows[1:], parts, strict=True))]
    )
    refused(root, r"class 'b' has one image only \(b/0\.png, t\.csv line 12\)")
    write_table(root / "t.csv", [[*rows[0], "well"], *([*row, f"w{i // 2}"] for i, row in enumerate(rows[1:]))])
    refused(root, r"class 'b' has one image only \(b/0\.png, t\.csv line 12\)")


def test_a_class_that_train_lacks_is_refused_by_name(root: Path) -> None:
    put(
        root,
        [
            *crops("a", "b", part="train/"),
            *crops("a", "b", "Golgi", part="test/"),
            *crops("a", part="val/"),
        ],
    )
    refused(root, r"class 'Golgi' \(of test/Golgi/0\.png\) has no image in train, whose classes are a, b")


def test_a_class_that_train_lacks_is_refused_with_its_row_whether_a_column_or_folders_give_the_split(
    root: Path,
) -> None:
    names = [
        *crops("a", "b", n=3, part="train/"),
        *crops("a", "b", n=2, part="val/"),
        *crops("a", "c", part="test/"),
    ]
    put(root, names)
    rows = [[name, name.split("/")[1]] for name in names]
    write_table(root / "t.csv", [["file", "label"], *rows])
    words = (
        r"class 'c' \(of test/c/0\.png, t\.csv line 22\) has no image in train, whose classes are a, b; add training"
    )
    refused(root, words)
    write_table(root / "t.csv", [["file", "label", "split"], *([*row, row[0].split("/")[0]] for row in rows)])
    refused(root, words)
