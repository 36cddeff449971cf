"""Several labels an image are read where the user says how the table gives them."""

from pathlib import Path

import numpy as np
import pytest

from cellbench.core.data import PARTS
from cellbench.core.errors import UsageError
from cellbench.datasets.folder import FolderOptions

from .folders import crops, load, put, refused, write_table


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
