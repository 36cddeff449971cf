"""A user's folder is read as it was meant, and what contradicts itself is refused with the name of the file."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from cellbench.core.data import PARTS, Dataset
from cellbench.core.errors import CellbenchError, DataError, UsageError
from cellbench.datasets import folder
from cellbench.datasets.files import cache
from cellbench.datasets.folder import FolderOptions


def value(name: str) -> int:
    """A grey level that belongs to a file's name."""
    return sum(name.encode()) % 256


def put(root: Path, names: Iterable[str], shape: tuple[int, ...] = (12, 10), dtype: type = np.uint8) -> None:
    """Write an image for each name, all of one value that belongs to the name."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        array: NDArray = np.full(shape, value(name), dtype)
        if path.suffix.lower() in (".tif", ".tiff"):
            tifffile.imwrite(path, array)
        else:
            Image.fromarray(array).save(path)


def crops(*classes: str, n: int = 10, part: str = "") -> list[str]:
    return [f"{part}{name}/{i}.png" for name in classes for i in range(n)]


def write_table(path: Path, rows: Iterable[Iterable[str]], sep: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(sep.join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def load(root: Path, **options: Any) -> Dataset:
    return cache.read(folder.prepare(root, FolderOptions(**options)))


def refused(root: Path, words: str, **options: Any) -> None:
    """Assert that the folder is refused in one line with these words, and that nothing is left in the cache."""
    with pytest.raises(CellbenchError, match=words) as error:
        load(root, **options)
    assert "\n" not in str(error.value)
    left = cache.location("x").parent
    assert not left.exists() or list(left.iterdir()) == []


def values(data: Dataset, part: str = "") -> list[int]:
    """The grey level of each image's corner."""
    images = data.images[data.split[part]] if part else data.images
    return images[:, 0, 0, 0].tolist()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "my cells é"


# --- several labels an image


def table_of_several_labels(root: Path, sep: str, quote: str = "") -> dict[str, list[str]]:
    """20 images in a table: every one is an 'a b', 'c' or both; the labels by file."""
    own = {f"{i:02d}.png": [["c"], ["a b"], ["c", "a b"]][i % 3] for i in range(20)}
    put(root, own)
    rows = [["file", "label"], *([name, f"{quote}{sep.join(labels)}{quote}"] for name, labels in own.items())]
    write_table(root / "labels.csv", rows)
    return own


@pytest.mark.parametrize(("sep", "quote"), [(";", ""), ("|", ""), (", ", '"')])
def test_several_labels_in_a_cell_are_split_where_the_user_says(root: Path, sep: str, quote: str) -> None:
    own = table_of_several_labels(root, sep, quote)
    data = load(root, multilabel=sep.strip())
    assert data.classes == ("a b", "c")
    assert data.labels.dtype == np.bool_
    assert data.labels.tolist() == [["a b" in labels, "c" in labels] for labels in own.values()]
    assert data.split.name == "stratified"
    assert np.array_equal(np.sort(np.concatenate([data.split[part] for part in PARTS])), np.arange(20))
    counts = data.class_counts()  # of 13 images with each label
    assert all(n in (7, 8) for n in counts["train"])
    assert all(n in (2, 3) for n in counts["val"] + counts["test"])


@pytest.mark.parametrize("column", ["labels", "Labels"])
def test_a_column_called_labels_is_found_as_one_called_label_is(root: Path, column: str) -> None:
    own = table_of_several_labels(root, ";")
    table = root / "labels.csv"
    table.write_text(table.read_text().replace("file,label", f"file,{column}", 1))
    data = load(root, multilabel=";")
    assert data.labels.tolist() == [["a b" in labels, "c" in labels] for labels in own.values()]
    assert f"labels from '{column}'" in data.info.notes[0]


def test_numbers_between_spaces_are_split_in_natural_order(root: Path) -> None:
    put(root, [f"{i}.png" for i in range(20)])
    write_table(root / "x.csv", [["file", "label"], *([f"{i}.png", "10  2" if i % 2 else "2"] for i in range(20))])
    data = load(root, multilabel=" ")
    assert data.classes == ("2", "10")
    assert data.labels.tolist() == [[True, bool(i % 2)] for i in range(20)]


def test_labels_are_never_split_unasked_but_what_looks_like_several_is_said(root: Path) -> None:
    table_of_several_labels(root, ";")
    data = load(root)
    assert data.classes == ("a b", "c", "c;a b")
    assert data.labels.ndim == 1
    assert data.info.notes[-1] == "'c;a b' is one class; if it is several labels pass --multilabel ';'"


@pytest.mark.parametrize("given", ["", "nucleus, er"])
def test_one_hot_columns_are_labels_in_the_order_of_the_header(root: Path, given: str) -> None:
    put(root, [f"{i}.png" for i in range(20)])
    header = ["file", "well", "nucleus", "er", *(["remark"] if given else [])]
    rows = [
        [f"{i}.png", f"w{i // 2}", str(int(i % 3 < 2)), "TRUE" if i % 3 else "0.0", *(["x"] if given else [])]
        for i in range(20)
    ]
    write_table(root / "x.csv", [header, *rows])
    data = load(root, multilabel="onehot", label_column=given)
    assert data.classes == ("nucleus", "er")
    assert data.labels.tolist() == [[i % 3 < 2, i % 3 > 0] for i in range(20)]
    assert data.split.name == "grouped"
    assert data.groups is not None
    for part in PARTS:
        assert not set(data.groups[data.split[part]]) & set(np.delete(data.groups, data.split[part]).tolist())
    assert "labels from 'nucleus', 'er', groups from 'well' (10)" in data.info.notes[0]


def test_one_hot_columns_that_hold_something_else_are_refused_by_column_and_line(root: Path) -> None:
    put(root, [f"{i}.png" for i in range(12)])
    write_table(root / "x.csv", [["file", "a", "b"], *([f"{i}.png", "1", "2" if i == 3 else "1"] for i in range(12))])
    refused(root, "x.csv line 5: column 'b' is '2', a label's is 0 or 1", multilabel="onehot")
    refused(root, "x.csv has no column 'd'", multilabel="onehot", label_column="a,d")
    write_table(root / "x.csv", [["file", "a", "b"], *([f"{i}.png", str(int(i != 3)), "0"] for i in range(12))])
    refused(root, "x.csv line 5 has no label", multilabel="onehot")


def test_an_empty_cell_too_rare_a_label_and_class_folders_are_refused(root: Path) -> None:
    table_of_several_labels(root, ";")
    text = (root / "labels.csv").read_text()
    (root / "labels.csv").write_text(text.replace("04.png,a b", "04.png, ; "))
    refused(root, "labels.csv line 6 has no label", multilabel=";")
    (root / "labels.csv").write_text(text.replace("04.png,a b", "04.png,a b;rare"))
    refused(root, r"class 'rare' has one image only \(04\.png, labels\.csv line 6\)", multilabel=";")
    (root / "labels.csv").write_text(text.replace("04.png,a b", "04.png,a b;rare").replace("01.png,a b", "01.png,rare"))
    refused(root, "class rare has 2 images to draw a split from; at least 5 of each class", multilabel=";")
    (root / "labels.csv").unlink()
    put(root, crops("a", "b"))
    for name in root.glob("*.png"):
        name.unlink()
    refused(root, "several labels an image need a table", multilabel=";")
    with pytest.raises(UsageError, match="multilabel is '#'"):
        FolderOptions(multilabel="#")


def test_a_given_split_that_leaves_a_label_out_of_train_is_refused_with_an_image_of_it(root: Path) -> None:
    put(root, [f"{i}.png" for i in range(12)])
    rows = [
        [f"{i}.png", "a;b" if i > 8 else "a;c", "train" if i < 6 else "val" if i < 9 else "test"] for i in range(12)
    ]
    write_table(root / "x.csv", [["file", "label", "split"], *rows])
    refused(
        root,
        r"class 'b' \(of 9\.png, x\.csv line 11\) has no image in train, whose classes are a, c;",
        multilabel=";",
    )


# --- one file a channel


def test_files_of_one_channel_each_become_images_with_named_channels(root: Path) -> None:
    names = [f"{name}/x_{i}_{stain}.TIF" for name in "ab" for i in range(6) for stain in ("w10", "w2")]
    put(root, names, dtype=np.uint16)
    data = load(root, pattern="{id}_{channel}.tif")
    assert data.channels == ("w2", "w10")
    assert data.images.shape == (12, 2, 12, 10)
    assert data.images.dtype == np.uint16
    expected = [[value(f"{n}/x_{i}_w2.TIF"), value(f"{n}/x_{i}_w10.TIF")] for n in "ab" for i in range(6)]
    assert data.images[:, :, 0, 0].tolist() == expected
    assert data.labels.tolist() == [0] * 6 + [1] * 6


def test_channels_may_lie_in_folders_and_a_table_names_the_images(root: Path) -> None:
    put(root, [f"{stain}/{i}.png" for stain in ("DAPI", "ER") for i in range(12)])
    write_table(root / "x.csv", [["image", "class"], *([str(i), "ab"[i % 2]] for i in range(12))])
    data = load(root, pattern="{channel}/{id}.png")
    assert data.channels == ("DAPI", "ER")
    assert data.images[:, :, 0, 0].tolist() == [[value(f"DAPI/{i}.png"), value(f"ER/{i}.png")] for i in range(12)]
    assert data.labels.tolist() == [i % 2 for i in range(12)]


def test_a_missing_channel_odd_names_and_planes_that_differ_are_refused_by_name(root: Path) -> None:
    names = [f"{name}/{i}_{stain}.tif" for name in "ab" for i in range(6) for stain in ("dna", "er")]
    put(root, names)
    put(root, ["a/3_er.tif"], shape=(12, 11))
    refused(root, r"a/3\.tif \(3_er\.tif is uint8 \(1, 12, 11\), 3_dna\.tif uint8", pattern="{id}_{channel}.tif")
    (root / "a" / "3_er.tif").unlink()
    refused(root, r"image a/3\.tif has no channel 'er'; there are dna, er", pattern="{id}_{channel}.tif")
    put(root, ["b/cell.tif"])
    refused(root, r"1 of 24 images are not called '.*', the first is b/cell\.tif", pattern="{id}_{channel}.tif")
    for wrong in ("{id}.tif", "{id}_{channel}", "{id}_{channel}_{channel}.tif"):
        with pytest.raises(UsageError, match=r"give \{id\}, \{channel\} and an image's suffix"):
            FolderOptions(pattern=wrong)


def test_ome_channel_names_are_kept_and_other_ones_in_another_image_are_refused(root: Path) -> None:
    for name in crops("a", "b"):
        path = (root / name).with_suffix(".ome.tif")
        path.parent.mkdir(parents=True, exist_ok=True)
        stains = {"axes": "CYX", "Channel": {"Name": ["DAPI", "ER"]}}
        tifffile.imwrite(path, np.full((2, 12, 10), 700, np.uint16), ome=True, metadata=stains)
    assert load(root).channels == ("DAPI", "ER")
    assert load(root).images.max() == 700
    tifffile.imwrite(
        path, np.zeros((2, 12, 10), np.uint16), ome=True, metadata={**stains, "Channel": {"Name": ["ER", "DAPI"]}}
    )
    with pytest.raises(
        DataError, match=r"a/0\.ome\.tif is uint16 with 2 channels \(DAPI, ER\), b/9\.ome\.tif .*\(ER, DAPI\)"
    ):
        load(root)


# --- layouts


def test_class_folders_become_classes_in_natural_order_with_a_stratified_split(root: Path) -> None:
    names = crops("2", "10", "Ärger x")
    put(root, names)
    data = load(root)
    assert data.name == "folder:my cells é"
    assert data.classes == ("2", "10", "Ärger x")
    assert data.images.shape == (30, 1, 12, 10)
    assert values(data) == [value(name) for name in names]
    assert data.labels.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert data.split.name == "stratified"
    assert data.class_counts() == {"train": [6] * 3, "val": [2] * 3, "test": [2] * 3}
    assert data.info.notes == ()
    assert not data.info.synthetic
    assert (data.info.licence, data.info.citation) == ("your own images", "your own images")


@pytest.mark.parametrize(
    "words", [("train", "val", "test"), ("Training", "VALIDATION", "Test"), ("tra", "valid", "tes")]
)
def test_part_folders_under_any_usual_name_are_the_given_split(root: Path, words: tuple[str, ...]) -> None:
    for word, n in zip(words, (3, 1, 2), strict=True):
        put(root, crops("a", "b", n=n, part=f"{word}/"))
    data = load(root)
    assert data.split.name == "given"
    assert data.class_counts() == {"train": [3, 3], "val": [1, 1], "test": [2, 2]}
    assert sorted(values(data, "test")) == sorted(value(n) for n in crops("a", "b", n=2, part=f"{words[2]}/"))


def test_a_missing_val_is_taken_from_train_and_said(root: Path) -> None:
    put(root, [*crops("a", "b", part="train/"), *crops("a", "b", n=3, part="test/")])
    data = load(root)
    assert data.class_counts() == {"train": [8, 8], "val": [2, 2], "test": [3, 3]}
    assert data.info.notes == ("no val is given: a fifth of train taken for it (stratified, 4 images)",)
    trained = {value(name) for name in crops("a", "b", part="train/")}
    assert set(values(data, "val")) <= trained


def test_only_train_is_split_by_drawing_and_said(root: Path) -> None:
    put(root, crops("a", "b", part="train/"))
    data = load(root)
    assert data.split.name == "stratified"
    assert data.info.notes == ("only train is given: val and test drawn from it",)


def test_images_deeper_in_a_class_folder_belong_to_the_class(root: Path) -> None:
    put(root, [f"{name}/plate {i}/x.png" for name in "ab" for i in range(5)])
    assert load(root).labels.tolist() == [0] * 5 + [1] * 5


def test_hidden_files_and_other_files_are_no_images(root: Path) -> None:
    put(root, crops("a", "b"))
    for name in ("a/.hidden.png", "a/._0.png", ".DS_Store", "a/Thumbs.db", "__MACOSX/a/0.png", "b/notes.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    data = load(root)
    assert len(data) == 20
    assert data.info.notes == ("1 other file left out (.txt)",)


# --- tables


@pytest.mark.parametrize("sep", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_in_the_folder_is_read_whatever_its_separator_mark_and_line_ends(
    root: Path, sep: str, encoding: str
) -> None:
    put(root, [f"zellen/bild {i} ä.PNG" for i in range(12)])
    rows = [["Image ID", "Image class"], *([f"zellen/bild {i} ä.PNG", f'"é{sep} {i % 2}"'] for i in range(12))]
    text = "\r\n".join(sep.join(row) for row in rows)
    (root / "labels.csv").write_bytes(text.encode(encoding))
    data = load(root)
    assert data.classes == (f"é{sep} 0", f"é{sep} 1")
    assert data.labels.tolist() == [i % 2 for i in range(12)]
    assert values(data) == [value(f"zellen/bild {i} ä.PNG") for i in range(12)]
    assert data.info.notes == ("labels.csv: files from column 'Image ID', labels from 'Image class'",)


def test_rows_find_their_files_by_path_name_or_stem_in_any_order(root: Path, tmp_path: Path) -> None:
    put(root, ["p1/1.png", "p1/2.png", "p2/1.png", *(f"p2/c{i}.png" for i in range(9))])
    rows = [["file", "label"], ["p1/2", "a"], ["./p2/1.png", "b"], ["/elsewhere/x/p1/1.png", "a"]]
    rows += [[f"c{i}", "ab"[i % 2]] for i in reversed(range(9))]
    data = load(root, labels=write_table(tmp_path / "outside.csv", rows))
    assert data.labels.tolist() == [0, 0, 1, *(i % 2 for i in range(9))]


def test_a_name_spelt_with_decomposed_letters_is_found(root: Path) -> None:
    put(root, [f"a\u0308{i}.png" for i in range(10)])
    write_table(root / "t.csv", [["file", "label"], *([f"\u00e4{i}.png", "xy"[i % 2]] for i in range(10))])
    assert len(load(root)) == 10


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


def test_named_columns_are_used(root: Path) -> None:
    put(root, [f"{i}.png" for i in range(10)])
    rows = [[f"{i}", str(i % 2), "ab"[i % 2], str(i // 2)] for i in range(10)]
    write_table(root / "t.csv", [["crop", "label", "stain", "day"], *rows])
    data = load(root, file_column="crop", label_column="stain", group_column="day")
    assert data.classes == ("a", "b")
    assert data.groups is not None
    assert data.groups.tolist() == [i // 2 for i in range(10)]


def test_a_table_that_names_no_image_does_not_hide_class_folders(root: Path) -> None:
    put(root, crops("a", "b"))
    write_table(root / "classes.csv", [["id", "label"], ["77", "a"], ["88", "b"]])
    data = load(root)
    assert data.classes == ("a", "b")
    assert data.info.notes[0] == "classes.csv not used: none of its rows names an image here"


# --- pixels


@pytest.mark.parametrize(("dtype", "suffix"), [(np.uint8, "png"), (np.uint16, "tif"), (np.float32, "TIFF")])
def test_alike_images_keep_size_and_type(root: Path, dtype: type, suffix: str) -> None:
    names = [f"{k}/{i}.{suffix}" for k in "ab" for i in range(5)]
    put(root, names, dtype=dtype)
    data = load(root)
    assert data.images.dtype == dtype
    assert data.images.shape == (10, 1, 12, 10)
    assert values(data) == [value(name) for name in names]


def test_mixed_sizes_are_brought_to_64_or_the_size_asked_for_and_said(root: Path) -> None:
    put(root, crops("a"))
    put(root, crops("b"), shape=(30, 44))
    data = load(root)
    assert data.images.shape == (20, 1, 64, 64)
    assert data.info.notes == ("images of 2 sizes (12×10 to 30×44 px, height×width) resized to 64×64",)
    np.testing.assert_array_equal(data.images[3], np.full((1, 64, 64), value("a/3.png")))
    assert load(root, size=20).images.shape == (20, 1, 20, 20)


def test_alike_images_are_resized_when_asked_and_said(root: Path) -> None:
    put(root, crops("a", "b"))
    data = load(root, size=16)
    assert data.images.shape == (20, 1, 16, 16)
    assert data.info.notes == ("images resized from 12×10 px to 16×16",)


def test_alpha_is_dropped_from_colour_and_said(root: Path) -> None:
    put(root, crops("a", "b"), shape=(12, 10, 4))
    data = load(root)
    assert data.channels == ("red", "green", "blue")
    assert data.images.shape == (20, 3, 12, 10)
    assert data.info.notes == ("alpha channel dropped: 20 images, the first is a/0.png",)


def test_five_channels_keep_their_order(root: Path) -> None:
    for name in (f"{k}/{i}.tif" for k in "ab" for i in range(5)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(root / name, np.stack([np.full((20, 24), 10 * c, np.uint16) for c in range(5)]))
    data = load(root)
    assert data.channels == tuple(f"channel {c}" for c in range(1, 6))
    assert data.images[7, :, 3, 3].tolist() == [0, 10, 20, 30, 40]


def test_whole_fields_of_view_are_noted(root: Path) -> None:
    put(root, crops("a", "b", n=5), shape=(520, 300))
    (note,) = load(root).info.notes
    assert note.startswith("the median image has 520×300 px, like a whole field of view; crops are expected")


# --- the cache


def test_a_folder_is_decoded_again_only_when_a_file_or_an_option_changes(root: Path) -> None:
    put(root, crops("a", "b"))
    first = folder.prepare(root, FolderOptions())
    assert folder.prepare(root, FolderOptions()) == first
    assert folder.prepare(root, FolderOptions(split_seed=1)) != first
    os.utime(root / "a" / "0.png", ns=(1, 1))
    second = folder.prepare(root, FolderOptions())
    assert second != first
    assert cache.read(second).info.fingerprint == cache.read(first).info.fingerprint


def test_a_change_in_a_table_outside_is_seen(root: Path, tmp_path: Path) -> None:
    put(root, [f"{i}.png" for i in range(10)])
    rows = [["file", "label"], *([str(i), "ab"[i % 2]] for i in range(10))]
    table = write_table(tmp_path / "t.csv", rows)
    assert load(root, labels=table).classes == ("a", "b")
    write_table(table, [[a, "c" if b == "b" else b] for a, b in rows])
    assert load(root, labels=table).classes == ("a", "c")


# --- what is refused


def test_a_missing_folder_and_a_file_are_refused(root: Path, tmp_path: Path) -> None:
    refused(root, "my cells é does not exist; give a folder")
    (tmp_path / "x.txt").write_text("x")
    refused(tmp_path / "x.txt", r"x\.txt is a file; give a folder")


def test_a_folder_without_images_is_refused(root: Path) -> None:
    root.mkdir()
    refused(root, "holds no images; .png, ")


def test_an_empty_class_is_refused_by_name(root: Path) -> None:
    put(root, crops("a", "b"))
    (root / "nobody").mkdir()
    refused(root, "class folder .*nobody holds no images")


def test_an_empty_class_in_train_is_refused_by_name(root: Path) -> None:
    put(root, [*crops("a", "b", part="train/"), *crops("a", "b", "c", part="test/")])
    (root / "train" / "c").mkdir()
    refused(root, "class folder .*train/c holds no images")


def test_one_class_only_is_refused(root: Path) -> None:
    put(root, crops("a"))
    refused(root, "one class only, 'a'; at least two are needed$")


def test_a_folder_around_the_folder_is_told_from_one_class(root: Path) -> None:
    put(root, crops("a", "b", part="dataset/"))
    refused(root, "one class only, 'dataset'; at least two are needed; did you mean .*é/dataset?")


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


def test_a_class_left_with_one_readable_image_is_refused(root: Path) -> None:
    put(root, [*crops("a"), *crops("b", n=5)])
    for i in range(1, 5):
        (root / "b" / f"{i}.png").write_bytes(b"")
    refused(root, r"class 'b' has one image only \(b/0\.png\)", skip_unreadable=True)


def test_images_outside_class_folders_are_refused_by_name(root: Path) -> None:
    put(root, [*crops("a", "b"), "loose.png"])
    refused(root, r"1 images in .* the first is loose\.png")


def test_part_folders_that_are_not_clear_are_refused(root: Path) -> None:
    put(
        root,
        [
            *crops("a", "b", part="train/"),
            *crops("a", "b", part="test/"),
            *crops("x", part="masks/"),
        ],
    )
    refused(root, "holds test, train and also masks")
    (root / "masks").rename(root / "training")
    refused(root, "two of which mean the same part")


def test_a_part_folder_without_class_folders_and_a_folder_without_train_are_refused(root: Path) -> None:
    put(root, [*crops("a", "b", part="train/"), "test/1.png"])
    refused(root, r"test/1\.png lies outside class folders")
    (root / "train").rename(root / "val")
    refused(root, "holds test, val but no train")


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


def broken(root: Path) -> None:
    """20 images, of which three cannot be read."""
    put(root, crops("a", "b"))
    whole = (root / "a" / "0.png").read_bytes()
    (root / "a" / "1.png").write_bytes(whole[: len(whole) // 2])
    (root / "b" / "2.png").write_bytes(b"")
    (root / "b" / "3.png").write_text("not an image")


def test_unreadable_images_are_counted_and_named_with_their_reasons(root: Path) -> None:
    broken(root)
    refused(
        root,
        r"3 of 20 images cannot be read: a/1\.png \(.*\), b/2\.png \(0 bytes long\), b/3\.png \(no PNG.*"
        "--skip-unreadable",
    )


def test_an_image_without_permission_is_named_in_one_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(root, crops("a", "b"))
    read = Path.read_bytes

    def guarded(path: Path) -> bytes:
        if path.parts[-2:] == ("b", "3.png"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", guarded)  # file modes would not keep a test that root runs from reading
    refused(root, r"^1 of 20 images cannot be read: b/3\.png \(Permission denied\); replace or remove them")


def test_a_table_without_permission_is_named_in_one_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(root, [f"{i}.png" for i in range(10)])
    table = write_table(root / "t.csv", [["file", "label"], *([str(i), "ab"[i % 2]] for i in range(10))])
    read = Path.read_bytes

    def guarded(path: Path) -> bytes:
        if path.name == "t.csv":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", guarded)
    refused(root, r"^cannot read t\.csv: Permission denied; give a CSV file$", labels=table)
    refused(root, r"cannot read t\.csv: Permission denied")


def test_a_web_page_that_was_saved_as_an_image_is_called_so(root: Path) -> None:
    put(root, crops("a", "b"))
    (root / "a" / "7.png").write_text("<!DOCTYPE html>\n<html><body>Please sign in</body></html>")
    (root / "b" / "2.png").write_text("\ufeff\n <HTML lang='en'>404</HTML>", encoding="utf-8")
    refused(
        root,
        r"^2 of 20 images cannot be read: a/7\.png \(a saved web page \(HTML\)\), b/2\.png \(a saved web page \(.*;",
    )


def test_unreadable_images_are_skipped_when_asked_counted_and_recorded(root: Path) -> None:
    broken(root)
    data = load(root, skip_unreadable=True)
    assert len(data) == 17
    assert data.info.notes == ("3 unreadable images skipped: a/1.png, b/2.png, b/3.png",)
    left = [name for name in crops("a", "b") if name not in ("a/1.png", "b/2.png", "b/3.png")]
    assert values(data) == [value(name) for name in left]
    assert data.labels.tolist() == [0] * 9 + [1] * 8


def test_skipping_a_whole_class_is_refused(root: Path) -> None:
    put(root, crops("a", "b"))
    for i in range(10):
        (root / "b" / f"{i}.png").write_bytes(b"")
    refused(root, "no readable image is left of class b", skip_unreadable=True)


def test_mixed_channels_and_depths_are_refused_with_two_names(root: Path) -> None:
    put(root, crops("a"))
    put(root, crops("b"), shape=(12, 10, 3))
    refused(root, r"a/0\.png is uint8 with 1 channel, b/0\.png is uint8 with 3 channels; save them all alike")
    put(root, crops("b"), dtype=np.uint16)
    refused(root, r"a/0\.png is uint8 with 1 channel, b/0\.png is uint16 with 1 channel")


def huge_png(path: Path) -> None:
    """A valid PNG whose header claims 60,000×60,000 pixels."""
    import struct
    import zlib

    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)


def test_a_decompression_bomb_is_refused_by_name(root: Path) -> None:
    put(root, crops("a", "b"))
    huge_png(root / "b" / "4.png")
    refused(root, r"1 of 20 images cannot be read: b/4\.png \(.*pixels")


TABLE = [["file", "label"], *([f"{i}.png", "ab"[i % 2]] for i in range(10))]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [*TABLE, ["77.png", "a"], ["88.png", "a"]],
            r"2 of 12 rows of t\.csv have no image file, .* '77\.png' in line 12",
        ),
        (TABLE[:-2], r"2 of 10 images have no row in t\.csv, the first is 8\.png"),
        ([*TABLE, ["3", "a"]], r"t\.csv lines 5 and 12 both name 3\.png"),
        ([*TABLE[:-1], ["9.png", ""]], r"t\.csv line 11 has no label"),
        ([*TABLE[:-1], ["9.png", "b", "c"]], r"t\.csv line 11 has 3 cells, its header has 2"),
        ([["file", "colour"], *TABLE[1:]], r"t\.csv has no column called 'label' or alike; its header is file, colour"),
        ([["file", "label"]], r"t\.csv has no rows"),
        ([["file", "label", "split"], *([*row, "tset"] for row in TABLE[1:])], "split is 'tset'; did you mean 'test'"),
    ],
)
def test_a_table_that_contradicts_the_images_is_refused_by_name(root: Path, rows: list[list[str]], words: str) -> None:
    put(root, [f"{i}.png" for i in range(10)])
    write_table(root / "t.csv", rows)
    refused(root, words)


def test_a_cell_that_may_mean_two_files_is_refused(root: Path, tmp_path: Path) -> None:
    put(root, ["x/1.png", "y/1.png"])
    table = write_table(tmp_path / "t.csv", [["file", "label"], ["1.png", "a"]])
    refused(root, r"line 2: '1\.png' may mean x/1\.png, y/1\.png", labels=table)


def test_a_missing_or_latin_1_table_two_tables_and_wrong_columns_are_refused(root: Path, tmp_path: Path) -> None:
    put(root, [f"{i}.png" for i in range(10)])
    refused(root, r"cannot read none\.csv", labels=tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("file,label\n0,ä\n".encode("latin-1"))
    refused(root, r"latin\.csv is not UTF-8", labels=tmp_path / "latin.csv")
    for name in ("s.csv", "t.csv"):
        write_table(root / name, TABLE)
    refused(root, r"several tables of labels, s\.csv, t\.csv; give --labels")
    refused(root, "has no column 'lable'; did you mean 'label'", labels=root / "t.csv", label_column="lable")


def test_a_group_column_without_a_table_and_a_silly_size_are_refused(root: Path) -> None:
    put(root, crops("a", "b"))
    refused(root, "group column 'well' needs a table", group_column="well")
    with pytest.raises(UsageError, match="size is 4; give 8 to 1024"):
        FolderOptions(size=4)


def test_an_array_of_each_value_survives_the_round_trip(root: Path) -> None:
    rng = np.random.default_rng(0)
    written: list[NDArray] = [rng.integers(0, 256, (9, 11, 3), dtype=np.uint8) for _ in range(10)]
    for i, array in enumerate(written):
        (root / "ab"[i // 5]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(root / "ab"[i // 5] / f"{i}.png")
    np.testing.assert_array_equal(load(root).images, np.moveaxis(np.stack(written), -1, 1))


def test_a_table_that_is_not_there_is_refused_though_the_folder_was_read_before(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    with pytest.raises(DataError, match=r"^cannot read nope\.csv: No such file or directory; give a CSV file$"):
        folder.prepare(tmp_path / "cells", folder.FolderOptions(labels=Path("nope.csv")))
