"""Tables of files and labels are read as people save them, and what contradicts the images is refused by name."""

import errno
from pathlib import Path

import pytest

from cellbench.core.errors import DataError, UsageError
from cellbench.core.text.shown_text import visible
from cellbench.datasets import folder
from cellbench.datasets.folder import FolderOptions

from .folders import crops, load, put, refused, value, values, write_table


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
    assert data.classes == (f"é{visible(sep)} 0", f"é{visible(sep)} 1")
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


def test_a_table_that_is_not_there_is_refused_though_the_folder_was_read_before(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    with pytest.raises(DataError, match=r"^cannot read nope\.csv: No such file or directory; give a CSV file$"):
        folder.prepare(tmp_path / "cells", folder.FolderOptions(labels=Path("nope.csv")))
