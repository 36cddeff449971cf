"""`cellbench predict`: what it prints, what it refuses, and that it never writes over what it reads."""

import csv
import io
import json
import os
import subprocess
import sys

import numpy as np
import pyarrow.parquet
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from cellbench.cli import cli
from cellbench.cli.runs.predict import FORMATS
from cellbench.core.errors import CellbenchError
from cellbench.datasets import opening
from cellbench.datasets.files import cache
from cellbench.datasets.toy import rings
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.saved_models import models, reading, tables
from cellbench.running.single_run import execute


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """trained(multilabel): a model file of a small net on toy images."""
    base = tmp_path_factory.mktemp("trained")

    def path(multilabel=False):
        file = base / f"{multilabel}.model"
        if not file.exists():
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("CELLBENCH_DATA", str(base / "cache"))
                folder = cache.prepare(f"toy-{multilabel}", lambda _: rings(multilabel=multilabel))
                settings = [parse_override(text) for text in ("epochs=3", "batch=16", "size=none")]
                (job,) = make_plan(["mlp"], [folder], overrides=settings)
                execute(job, model=file)
        return file

    return path


@pytest.fixture
def unlabelled(tmp_path):
    """Toy images in one folder, of no class."""
    for i, image in enumerate(rings(n=12).images):
        (tmp_path / "cells").mkdir(exist_ok=True)
        Image.fromarray(image[0]).save(tmp_path / "cells" / f"{i}.png")
    return tmp_path / "cells"


def predict(*arguments):
    return CliRunner().invoke(cli, ["predict", *map(str, arguments)], prog_name="cellbench")


def refusal(*arguments):
    error = predict(*arguments).exception
    assert isinstance(error, CellbenchError), error
    assert error.exit_code == 2
    return str(error)


def test_the_likeliest_labels_come_in_columns_of_their_own_the_first_being_the_label(trained, unlabelled):
    one = list(csv.DictReader(io.StringIO(predict(trained(), unlabelled).stdout)))
    three = list(csv.DictReader(io.StringIO(predict(trained(), unlabelled, "--top", 3).stdout)))
    assert list(one[0]) == ["file", "label", "probability"]
    assert list(three[0]) == [
        *("file", "label", "probability", "label_2", "probability_2", "label_3", "probability_3"),
    ]
    assert [row["file"] for row in one] == [str(unlabelled / f"{i}.png") for i in range(12)]
    for first, row in zip(one, three, strict=True):
        assert (first["label"], first["probability"]) == (row["label"], row["probability"])
        figures = [float(row[name]) for name in ("probability", "probability_2", "probability_3")]
        assert figures == sorted(figures, reverse=True)
        assert sum(figures) == pytest.approx(1, abs=1e-5)
        assert {row["label"], row["label_2"], row["label_3"]} == {"ring 0", "ring 1", "ring 2"}


def test_json_says_what_the_scores_are_and_where_the_thresholds_lie(trained, unlabelled):
    (unlabelled / "99.png").touch()
    out = predict(trained(True), unlabelled, "--format", "json", "--all-scores")
    assert out.exit_code == 3
    document = json.loads(out.stdout)
    assert (document["schema_version"], document["scores_are"]) == (1, "probability")
    assert (document["model"]["method"], document["model"]["dataset"], document["model"]["synthetic"]) == (
        *("mlp", "toy", True),
    )
    assert document["unreadable"] == [{"file": str(unlabelled / "99.png"), "reason": "0 bytes long"}]
    for row in document["images"]:
        above = [
            name
            for name, threshold in zip(document["classes"], document["thresholds"], strict=True)
            if row["all"][name] > threshold
        ]
        assert row["labels"] == above
        assert row["scores"] == [row["all"][name] for name in above]


def test_an_unreadable_image_is_named_the_others_are_labelled_and_the_code_is_3(trained, unlabelled, tmp_path):
    (unlabelled / "3.png").write_bytes((unlabelled / "3.png").read_bytes()[:60])
    Image.new("RGB", (32, 32)).save(unlabelled / "colour.png")
    table = tmp_path / "labels.csv"
    out = predict(trained(), unlabelled, "-o", table)
    assert (out.exit_code, out.stdout) == (3, "")
    assert f"not labelled: {unlabelled / 'colour.png'}: 3 channels, the model reads 1: channel 0\n" in out.stderr
    assert f"not labelled: {unlabelled / '3.png'}: " in out.stderr
    assert out.stderr.endswith("11 images labelled\n")
    assert len(table.read_text().splitlines()) == 12
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["labels.csv"]


def test_more_unreadable_images_than_anyone_reads_are_counted(trained, unlabelled):
    for i in range(13):
        (unlabelled / f"bad {i}.png").touch()
    said = predict(trained(), unlabelled).stderr
    assert said.count("not labelled: ") == 11
    assert "not labelled: 3 more\n" in said


@pytest.mark.parametrize("name", ["model", "image", "other image", "folder", "nowhere"])
def test_a_table_never_takes_the_place_of_what_is_read(trained, unlabelled, name, tmp_path):
    target = {
        "model": trained(),
        "image": unlabelled / "0.png",
        "other image": tmp_path / "x.TIF",
        "folder": tmp_path,
        "nowhere": tmp_path / "no" / "labels.csv",
    }[name]
    before = (unlabelled / "0.png").read_bytes(), trained().read_bytes()
    assert refusal(trained(), unlabelled, "-o", target).startswith(f"-o got {target}, which is ")
    assert ((unlabelled / "0.png").read_bytes(), trained().read_bytes()) == before


def test_what_cannot_be_is_refused_in_a_line(trained, unlabelled, tmp_path):
    assert "--top got 4; the model knows 3 classes" in refusal(trained(), unlabelled, "--top", 4)
    assert "--top is for one label an image" in refusal(trained(True), unlabelled, "--top", 2)
    assert "12 of 12 images cannot be read" in refusal(deeper(trained(), tmp_path), unlabelled)
    assert "(uint8, the model learnt from uint16)" in refusal(deeper(trained(), tmp_path), unlabelled)
    assert "does not exist; give images" in refusal(trained(), tmp_path / "none")
    assert "is no model" in refusal(unlabelled / "0.png", unlabelled)


def deeper(path, folder):
    """The same model, but for 16-bit images."""
    kept = torch.load(path, weights_only=True)
    torch.save({**kept, "dtype": "uint16"}, folder / "deep.model")
    return folder / "deep.model"


def test_it_writes_into_a_pipe_and_stops_when_nobody_reads(trained, unlabelled, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True)
    assert predict(trained(), unlabelled, "-o", pipe).exit_code == 0
    assert reader.communicate()[0] == predict(trained(), unlabelled).stdout
    assert pipe.is_fifo()
    command = f"{sys.executable} -m cellbench predict {trained()} {unlabelled} | true"
    out = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stderr
    assert "Traceback" not in out.stderr
    assert "Broken" not in out.stderr


def test_where_nobody_sees_a_bar_a_line_now_and_then_says_how_long_it_takes(trained, unlabelled, monkeypatch):
    monkeypatch.setattr(sys.modules["cellbench.cli.progress"], "SAID_EVERY", 0.0)
    monkeypatch.setattr(reading, "BATCH", 5)
    said = predict(trained(), unlabelled).stderr
    assert "5 of 12 images, about <1 s left\n10 of 12 images" in said
    assert "12 of 12" not in said


@pytest.mark.parametrize("multilabel", [False, True])
def test_parquet_holds_what_csv_does_as_pyarrow_reads_it(trained, unlabelled, tmp_path, multilabel, monkeypatch):
    monkeypatch.setattr(reading, "BATCH", 5)  # several batches, so several groups of rows
    (unlabelled / "caf\udce9.png").write_bytes((unlabelled / "0.png").read_bytes())  # no UTF-8
    arguments = (trained(multilabel), unlabelled, "--all-scores")
    text = predict(*arguments, "-o", tmp_path / "labels.csv")
    assert predict(*arguments, "-o", tmp_path / "labels.parquet").exit_code == text.exit_code == 0
    found = pyarrow.parquet.read_table(tmp_path / "labels.parquet").to_pylist()
    csv_text = (tmp_path / "labels.csv").read_text(errors="surrogateescape")
    expected = list(csv.DictReader(io.StringIO(csv_text)))
    assert len(found) == len(expected) == 13
    for row, line in zip(found, expected, strict=True):
        assert list(row) == list(line)
        assert row["file"].replace("?", "\udce9") == line["file"]
        if multilabel:
            assert ";".join(row["label"]) == line["label"]
            assert [f"{score:g}" for score in row["probability"]] == [s for s in line["probability"].split(";") if s]
        else:
            assert (row["label"], row["probability"]) == (line["label"], float(line["probability"]))
        assert row["probability:ring 0"] == float(line["probability:ring 0"])
    kept = pyarrow.parquet.read_schema(tmp_path / "labels.parquet").metadata[b"cellbench"]
    assert json.loads(kept)["dataset"] == "toy"


def test_the_ending_of_the_output_says_the_format_and_an_option_overrides_it(trained, unlabelled, tmp_path):
    predict(trained(), unlabelled, "-o", tmp_path / "labels.JSON")
    assert json.loads((tmp_path / "labels.JSON").read_text())["scores_are"] == "probability"
    predict(trained(), unlabelled, "-o", tmp_path / "a.json", "--format", "csv")
    assert (tmp_path / "a.json").read_text().startswith("file,label,probability\n")
    assert "--format parquet is no text for standard output" in refusal(trained(), unlabelled, "--format", "parquet")


def test_a_layouts_places_are_columns(trained, unlabelled):
    out = predict(trained(), unlabelled.parent, "--layout", "{folder}/*.png")
    rows = list(csv.DictReader(io.StringIO(out.stdout)))
    assert list(rows[0]) == ["file", "folder", "label", "probability"]
    assert {row["folder"] for row in rows} == {"cells"}


def test_a_model_of_cells_cut_out_by_masks_cuts_out_new_ones_alike(tmp_path, monkeypatch):
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "cache"))
    cells = tmp_path / "cells"
    put_masked_cells(cells)
    folder = opening.prepare(str(cells), {"masks": True})
    (job,) = make_plan(["svm-flat"], [folder], overrides=[parse_override("size=none")])
    execute(job, model=tmp_path / "svm.model")
    out = predict(tmp_path / "svm.model", cells)
    rows = list(csv.DictReader(io.StringIO(out.stdout)))
    assert len(rows) == 40
    assert "40 masks: cells cut out by them, as in training\n" in out.stderr
    assert [row["label"] for row in rows] == [row["file"].split("/")[-2] for row in rows]
    (cells / "dark" / "0_mask.png").unlink()
    out = predict(tmp_path / "svm.model", cells)
    assert out.exit_code == 3
    assert f"not labelled: {cells / 'dark' / '0.png'}: has no mask, such as 0_mask.png beside it" in out.stderr


def put_masked_cells(folder):
    """20 images of each of two classes: noise, but for one square that is dark or bright, where the mask is."""
    draw = np.random.default_rng(0)
    for name, value in (("dark", 60), ("bright", 200)):
        (folder / name).mkdir(parents=True)
        for i in range(20):
            top, left = draw.integers(0, 12, 2)
            image, mask = draw.integers(0, 256, (20, 20), np.uint8), np.zeros((20, 20), np.uint8)
            image[top : top + 8, left : left + 8] = value + draw.integers(0, 20)
            mask[top : top + 8, left : left + 8] = 255
            Image.fromarray(image).save(folder / name / f"{i}.png")
            Image.fromarray(mask).save(folder / name / f"{i}_mask.png")


def test_a_model_trained_in_a_run_keeps_its_format(trained):
    assert vars(models.load(trained())).keys() == {
        *("method", "revision", "params", "seed", "preprocessing", "measured", "dataset", "fingerprint", "split"),
        *("limit", "synthetic", "classes", "channels", "height", "width", "dtype", "multilabel", "thresholds"),
        *("scores", "metrics", "version", "state", "reading", "calibration"),
    }


def test_the_formats_are_those_that_labels_can_be_written_in():
    assert sorted(FORMATS) == sorted(tables.FORMATS)
