"""The examples of docs/data.md make the folders of the shipped records from what was published."""

import csv
import io
import re
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

PAGE = (Path(__file__).parent.parent / "docs" / "data.md").read_text(encoding="utf-8")
TABLE, SMALLER = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def make_table(folder: Path, names: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Run the page's example on empty files of these labels and names, and return the rows of its table."""
    for label, name in names:
        (folder / "malaria_nih" / label).mkdir(parents=True, exist_ok=True)
        (folder / "malaria_nih" / label / name).touch()
    exec(compile(TABLE, "docs/data.md", "exec"), {})
    return rows_of((folder / "malaria_nih" / "cells.csv").read_text(encoding="utf-8"))


def test_the_table_of_malaria_has_each_file_with_its_patient(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [
        ("Parasitized", "C100P61ThinF_IMG_20150918_144104_cell_162.png"),
        ("Uninfected", "C201ThinF_IMG_1_cell_9.png"),
    ]
    found = make_table(tmp_path, names)
    assert [(row["file"], row["label"], row["patient"]) for row in found] == [
        (f"{names[0][0]}/{names[0][1]}", "Parasitized", "P61"),
        (f"{names[1][0]}/{names[1][1]}", "Uninfected", "C201"),
    ]


def test_its_patients_are_those_of_the_copy_that_the_records_are_of(real_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(real_data / "malaria_nih_50px.zip") as archive:
        known = rows_of(archive.read("malaria_nih/cells.csv").decode())
    patients = {Path(row["file"]).name: (row["label"], row["patient"]) for row in known}
    found = make_table(tmp_path, [(label, name) for name, (label, _) in patients.items()])
    assert {Path(row["file"]).name: (row["label"], row["patient"]) for row in found} == patients
    assert len(found) == 27_558
    assert len({row["patient"] for row in found}) == 200


def test_blood_cells_are_squares_of_96_pixels_from_the_middle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "published" / "basophil").mkdir(parents=True)
    pixels = np.full((363, 360, 3), 120, np.uint8)
    pixels[[0, -1]] = 255  # rows that are not of the square in the middle
    Image.fromarray(pixels).save(tmp_path / "published" / "basophil" / "BA_1.jpg", quality=100)
    (tmp_path / "published" / "basophil" / ".DS_1.jpg").write_bytes(b"junk")
    exec(compile(SMALLER, "docs/data.md", "exec"), {})
    (made,) = tmp_path.glob("pbc_blood/*/*")
    assert made == tmp_path / "pbc_blood" / "basophil" / "BA_1.jpg"
    with Image.open(made) as image:
        assert image.size == (96, 96)
        assert np.abs(np.asarray(image).astype(int) - 120).max() < 8
