"""Tables as programs write them are read without naming a column."""

import json
from pathlib import Path

import pytest

from cellbench.core.errors import DataError, UsageError

from .folders import load, put, refused, value, values, write_table

KINDS = ("interphase", "mitotic")
PLATES = [f"{plate}/crop_{i}.png" for plate in ("P1", "P2") for i in range(10)]  # the same names in two folders


def kind(i: int) -> str:
    return KINDS[i % 2]


def test_cellprofiler_tells_the_same_name_in_two_folders_apart_by_its_path(root: Path) -> None:
    put(root, PLATES)
    rows = [[str(i), name[7:], rf"D:\img\{name[:2]}", name[:2], kind(i)] for i, name in enumerate(PLATES)]
    header = ["ImageNumber", "FileName_DNA", "PathName_DNA", "Metadata_Plate", "Class"]
    write_table(root / "Image.csv", [header, *[[r[0], f"crop_{i % 10}.png", *r[2:]] for i, r in enumerate(rows)]])
    data = load(root)
    assert data.classes == KINDS
    assert data.labels.tolist() == [i % 2 for i in range(20)]
    assert data.ids is not None
    assert data.ids.tolist() == PLATES
    assert data.info.groups_are == "Metadata_Plate"


@pytest.mark.parametrize(
    "header", [("Image", "Classification"), ("Image Path", "Class"), ("FileName", "Cell Type"), ("url", "Phenotype")]
)
def test_columns_of_other_programs_and_windows_paths_are_found(root: Path, header: tuple[str, str]) -> None:
    put(root, PLATES)
    rows = [[rf"C:\Users\me\Data\{name.replace('/', chr(92))}", kind(i)] for i, name in enumerate(PLATES)]
    write_table(root / "cells.csv", [header, *rows])
    assert load(root).labels.tolist() == [i % 2 for i in range(20)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_harmony_and_columbus_write_above_a_table_is_passed_over(root: Path, end: str) -> None:
    put(root, PLATES)
    head = ["Database Name\tcells", "Evaluation1", "Plate Name\tP1", "", "[Data]"]
    lines = ["Row\tColumn\tField\tImage\tClass", *(f"2\t3\t1\t{name}\t{kind(i)}" for i, name in enumerate(PLATES))]
    file = root.parent / "Objects_Population - Nuclei.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(end.join([*head, *lines, "2\t3", ""]), encoding="utf-8", newline="")
    refused(root, r"Objects_Population - Nuclei\.txt line 27 has 2 cells, its header has 5", labels=file)
    file.write_text(end.join([*head, *lines, ""]), encoding="utf-8", newline="")
    assert load(root, labels=file).labels.tolist() == [i % 2 for i in range(20)]


@pytest.mark.parametrize("style", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("a_split", [True, False])
def test_an_image_folder_of_hugging_face_with_metadata(root: Path, style: str, a_split: bool) -> None:
    names = [f"{part}/{i}.png" for part, n in (("train", 10), ("test", 4)) for i in range(n)]
    put(root, names)
    for folder in ("train", "test") if a_split else ("",):
        start = f"{folder}/" if folder else ""
        rows = [
            {"file_name": n.removeprefix(start), "label": kind(k)} for k, n in enumerate(names) if n.startswith(start)
        ]
        file = root / folder / f"metadata.{style}"
        if style == "csv":
            write_table(file, [rows[0], *(row.values() for row in rows)])
        elif style == "jsonl":
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        else:
            pa = pytest.importorskip("pyarrow")
            parquet = pytest.importorskip("pyarrow.parquet")
            parquet.write_table(pa.Table.from_pylist(rows), file)
    data = load(root)
    assert data.split.name == "given"
    assert sorted(values(data, "test")) == sorted(value(name) for name in names[10:])
    assert data.ids is not None
    assert [data.classes[k] for k in data.labels] == [kind(names.index(name)) for name in data.ids]
    assert not any("left out" in note for note in data.info.notes)


def test_a_folder_that_is_labelled_in_part_needs_a_word_and_then_says_how_many_are_left(root: Path) -> None:
    put(root, PLATES)
    rows = [[name, kind(i) if i < 14 else ""] for i, name in enumerate(PLATES[:16])]
    write_table(root / "cells.csv", [("file", "label"), *rows, ("gone.png", "mitotic")])
    refused(root, "1 of 17 rows of cells.csv have no image file.*or pass --labelled-only")
    data = load(root, labelled_only=True)
    assert data.ids is not None
    assert data.ids.tolist() == PLATES[:14]
    assert "6 of 20 images without a label left out" in data.info.notes
    write_table(root / "cells.csv", [("file", "label"), *([name, ""] for name in PLATES)])
    with pytest.raises(DataError, match="gives no image a label"):
        load(root, labelled_only=True)


def test_columns_of_0_and_1_are_seen_and_the_option_is_named(root: Path) -> None:
    put(root, PLATES)
    write_table(
        root / "c.csv", [("file", "golgi", "er"), *([n, str(i % 2), str(1 - i % 2)] for i, n in enumerate(PLATES))]
    )
    labels = root / "c.csv"
    refused(root, r"2 of 0 and 1 \(golgi, er\): pass --multilabel onehot if each is a label", labels=labels)
    assert load(root, labels=labels, multilabel="onehot").classes == ("golgi", "er")


def test_names_of_channels_are_given_and_must_be_as_many(root: Path) -> None:
    put(root, [f"{k}/{i}_{c}.png" for k in "ab" for i in range(5) for c in "xy"])
    assert load(root, pattern="{id}_{channel}.png", channel_names="DAPI, GFP").channels == ("DAPI", "GFP")
    with pytest.raises(UsageError, match="the images have 2 channels: give 2 different names"):
        load(root, pattern="{id}_{channel}.png", channel_names="DAPI")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("c.jsonl", b'{"file": "P1/crop_0.png"\n', "c.jsonl line 1 is no JSON"),
        ("c.jsonl", b"[1]\n", "c.jsonl line 1 is list; one object a line is expected"),
        ("c.jsonl", b"", "c.jsonl has no rows"),
        ("c.parquet", b"PAR1 and no more", "c.parquet cannot be read as Parquet"),
        ("c.parquet", b"", "c.parquet cannot be read as Parquet"),
    ],
)
def test_broken_tables_of_records_are_refused_by_name(root: Path, name: str, content: bytes, words: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    put(root, PLATES)
    (root / name).write_bytes(content)
    refused(root, words, labels=root / name)


def test_folders_that_a_table_calls_plates_are_no_classes(root: Path) -> None:
    names = [f"Week1_{w}/{i}.png" for w in (221, 222) for i in range(6)]
    put(root, names)
    header = ("Image_FileName_DAPI", "Image_PathName_DAPI", "Image_Metadata_Plate_DAPI", "Compound")
    rows = [[n.split("/")[1], f"Week1/{n.split('/')[0]}", n.split("/")[0], kind(i)] for i, n in enumerate(names)]
    write_table(root / "image.csv", [header, *rows])
    refused(root, "are what column 'Image_Metadata_Plate_DAPI' of image.csv says.*with --label-column")
    assert load(root, label_column="Compound").labels.tolist() == [i % 2 for i in range(12)]
