"""Single cells and tables of programs that work on plates: DeepProfiler, Harmony and Columbus, CellProfiler."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellbench.core.errors import DataError
from cellbench.datasets.files.tables import TextTable
from cellbench.datasets.folder.tables.plate_tables import with_files

from .folders import load, put, refused, value, write_table

PERTURBED = ("DMSO", "taxol")


def put_deepprofiler(root: Path, channels: int = 5, side: int = 12) -> dict[str, np.ndarray]:
    """Write what DeepProfiler's export of single cells writes; return the images with channels first, by name.

    A cell is 'plate/well/site/target@XxY.png', its channels squares from left to right, and sc-metadata.csv has a row
    each (deepprofiler/dataset/sampling.py and imaging/cropping.py, unfold_channels).
    """
    rng, rows, expected = np.random.default_rng(0), [], {}
    for plate in ("41744", "41745"):
        for k, name in enumerate(PERTURBED):
            for well in range(3):
                for x in (20, 61):
                    cell = rng.integers(0, 256, (channels, side, side), dtype=np.uint8)
                    key = f"{plate}/{'AB'[k]}0{well + 1}/1"
                    file = f"{key}/{k}@{x}x33.png"
                    (root / key).mkdir(parents=True, exist_ok=True)
                    Image.fromarray(np.concatenate(list(cell), 1)).save(root / file)
                    rows.append([str(x), "33", key, str(k), name, "1", file])
                    expected[file] = cell
    header = ["Nuclei_Location_Center_X", "Nuclei_Location_Center_Y", "Key", "Target", "Treatment", "Split"]
    write_table(root / "sc-metadata.csv", [[*header[:5], "Replicate", "Image_Name"], *rows])
    return expected


def test_single_cells_of_deepprofiler_have_their_channels_and_targets(root: Path) -> None:
    expected = put_deepprofiler(root)
    data = load(root, channel_names="DNA,ER,RNA,AGP,Mito")
    assert data.channels == ("DNA", "ER", "RNA", "AGP", "Mito")
    assert data.ids is not None
    for name, image, label in zip(data.ids, data.images, data.labels, strict=True):
        np.testing.assert_array_equal(image, expected[name])
        assert data.classes[label] == PERTURBED[int(name.rpartition("/")[2][0])]
    assert data.info.notes[0].startswith("sc-metadata.csv is DeepProfiler's: each image's channels")
    assert load(root, label_column="Target").classes == ("0", "1")
    assert data.info.reading["side_by_side"] is True
    assert data.info.groups_are == "Well"
    assert data.groups is not None
    wells = {(group, name.rsplit("/", 2)[0]) for group, name in zip(data.groups.tolist(), data.ids, strict=True)}
    assert len(wells) == len(set(data.groups)) == 12


def test_channels_side_by_side_are_seen_and_taken_apart_on_request(root: Path) -> None:
    for kind in "ab":
        for i in range(5):
            (root / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.repeat(np.arange(3, dtype=np.uint8) + 9 * i, 8)[None].repeat(8, 0)).save(
                root / kind / f"{i}.png"
            )
    assert "images are 3 squares side by side: --side-by-side if these are channels" in load(root).info.notes
    images = load(root, side_by_side=True).images
    assert images.shape == (10, 3, 8, 8)
    assert images[1, :, 4, 4].tolist() == [9, 10, 11]
    Image.fromarray(np.zeros((8, 20), np.uint8)).save(root / "a" / "4.png")
    with pytest.raises(DataError, match=r"a/4\.png \(8×20 pixels with 1 channel are no grey squares side by side"):
        load(root, side_by_side=True)


def test_a_deepprofiler_index_of_fields_is_refused_with_the_way_on_and_read_by_its_columns(root: Path) -> None:
    names = [f"{w}_{c}.png" for w in range(12) for c in ("dna", "er")]
    put(root, names)
    header = ["Metadata_Plate", "Metadata_Well", "Metadata_Site", "DNA", "ER", "Treatment", "Replicate"]
    rows = [["P1", f"A{w:02}", "1", f"{w}_dna.png", f"{w}_er.png", PERTURBED[w % 2], "1"] for w in range(12)]
    write_table(root / "index.csv", [header, *rows])
    refused(
        root, r"index.csv lists fields of view by plate, well and site.*--file-column DNA,ER, or export single cells"
    )
    data = load(root, file_column="DNA,ER")
    assert data.channels == ("DNA", "ER")
    assert data.images[:, :, 0, 0].tolist() == [[value(f"{w}_dna.png"), value(f"{w}_er.png")] for w in range(12)]
    assert [data.classes[k] for k in data.labels] == [PERTURBED[w % 2] for w in range(12)]


def test_cellprofilers_columns_of_files_are_channels_and_those_of_other_files_are_not(root: Path) -> None:
    names = [f"{p}/{i}_w{c}.tif" for p in ("P1", "P2") for i in range(6) for c in (1, 2)]
    put(root, names)
    header = ["FileName_IllumDNA", "FileName_DNA", "FileName_Actin", "PathName_IllumDNA", "PathName_DNA"]
    rows = [
        ["Illum.npy", f"{i}_w1.tif", f"{i}_w2.tif", r"C:\x", rf"C:\img\{p}", rf"C:\img\{p}", p, PERTURBED[i % 2]]
        for p in ("P1", "P2")
        for i in range(6)
    ]
    write_table(root / "Image.csv", [[*header, "PathName_Actin", "Metadata_Plate", "Metadata_Class"], *rows])
    refused(root, "row in Image.csv", file_column="FileName_DNA")  # of the other files
    data = load(root)
    assert data.channels == ("DNA", "Actin")
    assert data.ids is not None
    assert data.ids.tolist() == [name for name in names if "_w1" in name]
    found = data.images[:, :, 0, 0]
    assert found.tolist() == [[value(n), value(n.replace("_w1", "_w2"))] for n in data.ids.tolist()]
    (root / "P2" / "5_w2.tif").unlink()
    with pytest.raises(DataError, match=r"line 13: .*5_w2\.tif' in column 'FileName_Actin' has no image file"):
        load(root, file_column="FileName_DNA,FileName_Actin")


def put_harmony(root: Path, kind: str, end: str = "\n") -> tuple[list[str], Path]:
    """Write crops named by row, column, field and object, and Harmony's table of objects or of wells."""
    head = ["Database Name\tscreen", "Evaluation\tEvaluation1", "Plate Name\tP1", "", "[Data]"]
    names, lines = [], []
    for column in (2, 3, 4, 5, 6):
        treated = PERTURBED[column % 2]
        if kind == "PlateResults":
            lines.append(f"2\t{column}\t{treated}\t151")
        for field in (1, 2):
            for number in (3, 11):
                names.append(f"r02c{column:02}f{field:02}p01-ch1sk1fk1fl1_{number}.tif")
                if kind == "Objects_Population - Nuclei":
                    lines.append(f"2\t{column}\t{field}\t{number}\t0.7\t{treated}")
    put(root, names)
    columns = "Row\tColumn\tCell Type\tNuclei - Number of Objects"
    if kind == "Objects_Population - Nuclei":
        columns = "Row\tColumn\tField\tObject No\tNuclei - Area [µm²]\tCell Type"
    file = root / f"{kind}.txt"
    file.write_text(end.join([*head, columns, *lines, ""]), encoding="utf-8", newline="")
    return names, file


@pytest.mark.parametrize("kind", ["Objects_Population - Nuclei", "PlateResults"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_harmonys_objects_and_wells_are_found_by_the_place_in_the_names_of_crops(
    root: Path, kind: str, end: str
) -> None:
    names, _ = put_harmony(root, kind, end)
    data = load(root)
    assert data.ids is not None
    assert sorted(data.ids.tolist()) == sorted(names)
    assert [data.classes[k] for k in data.labels] == [PERTURBED[int(name[5]) % 2] for name in data.ids]
    assert data.info.groups_are == "Well"
    assert data.groups is not None
    wells = dict(zip(data.groups.tolist(), (name[:6] for name in data.ids), strict=True))
    assert len(set(wells.values())) == len(wells) == 5


def test_what_does_not_fit_a_list_of_objects_is_refused_with_the_name_that_would(root: Path) -> None:
    names, file = put_harmony(root, "Objects_Population - Nuclei")
    (root / names[0]).unlink()
    refused(root, r"1 of 20 rows of .* no image file, the first is 'r02c02f01_3' .* pass --labelled-only", labels=file)
    (root / names[1]).rename(root / "cell.tif")
    refused(root, r"2 of 20 rows of .* have no image file", labels=file)
    data = load(root, labels=file, labelled_only=True)
    assert data.ids is not None
    assert sorted(data.ids) == sorted(names[2:])
    for path in root.glob("*.tif"):
        path.rename(root / path.name.replace("r02", "x"))
    with pytest.raises(DataError, match=r"no image is called like r02c02f01_3\.png; .*: name crops by row, column"):
        load(root, labels=file)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ((("1", "2", "a"), ("1", "3", "b")), ["A02", "A03"]),
        ((("1.0", "2", "a"), ("27", "3", "b")), ["A02", "AA03"]),
        ((("top", "2", "a"), ("low", "3", "b")), None),
    ],
)
def test_wells_have_their_usual_names_and_rows_of_something_else_are_left_alone(rows, found) -> None:
    table = TextTable("t.csv", ("Row", "Column", "Class"), rows, (2, 3))
    done = with_files(table, ["r01c02f01_1.png", "r01c02f02_7.png"])
    if found is None:
        assert done is None
    else:
        assert done is not None
        assert list(dict.fromkeys(done.column("Well"))) == found
        assert done.column("file")[:2] == ["r01c02f01_1.png", "r01c02f02_7.png"]


def test_two_rows_about_one_object_are_refused() -> None:
    table = TextTable("t.txt", ("Row", "Column", "Object No"), (("1", "2", "5"), ("1", "2", "5")), (10, 11))
    with pytest.raises(DataError, match=r"t\.txt lines 10 and 11 are both about r01c02_5; keep one plane"):
        with_files(table, [])
