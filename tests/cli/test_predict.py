"""From `run --save-models` to labels of new images: what is printed, what is refused, and that it is the run's own."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from click.testing import CliRunner
from PIL import Image

from cellbench.cli import cli
from cellbench.core.errors import CellbenchError
from cellbench.core.store import read_predictions, read_records
from cellbench.datasets import datasets
from cellbench.datasets.files import cache
from cellbench.datasets.sources import synthetic_hpa, synthetic_yeast
from cellbench.datasets.toy import rings
from cellbench.methods import methods
from cellbench.running import labelling, models
from cellbench.running.plan import make_plan, parse_override
from cellbench.running.runner import execute


def call(environment, *arguments):
    """The real program in a process of its own."""
    command = [sys.executable, "-m", "cellbench", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


# --- end to end


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """An environment whose cache holds few simulated cells, and results of runs on them that saved their models."""
    base = tmp_path_factory.mktemp("predict")
    environment = {**os.environ, "CELLBENCH_DATA": str(base / "cache"), "XDG_STATE_HOME": str(base / "state")}
    sizes = {"train": 90, "val": 40, "test": 40}
    counts = {part: synthetic_yeast.class_counts(n) for part, n in sizes.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLBENCH_DATA", environment["CELLBENCH_DATA"])
        for name, build in (
            ("synthetic-yeast", lambda _: synthetic_yeast.simulate_dataset("synthetic-yeast", counts)),
            ("synthetic-hpa", lambda _: synthetic_hpa.simulate_dataset("synthetic-hpa", sizes, synthetic_hpa.TEN)),
        ):
            data = cache.read(cache.prepare(datasets[name].key, build))
            for i in data.split.test:
                image = base / name / f"{i}.tif"
                image.parent.mkdir(exist_ok=True)
                tifffile.imwrite(image, data.images[i], photometric="minisblack", metadata={"axes": "CYX"})
    out = call(
        environment,
        *("run", "-d", "synthetic-yeast", "-d", "synthetic-hpa", "-m", "svm-hog", "-m", "cnn", "--limit", 80),
        *("--epochs", 1, "--set", "cnn:batch=16", "--save-models", "-o", base / "results"),
    )
    assert out.returncode == 0, out.stderr
    return environment, base


@pytest.mark.parametrize("method", ["cnn", "svm-hog"])
@pytest.mark.parametrize("dataset", ["synthetic-yeast", "synthetic-hpa"])
def test_labels_of_the_test_images_as_files_are_those_of_the_run(kept, method, dataset):
    environment, base = kept
    found = {
        (r.spec.method, r.spec.dataset): (path, r) for path, _, r, _ in read_records(base / "results", lambda *_: None)
    }
    path, record = found[method, dataset]
    out = call(environment, "predict", path.with_suffix(".model"), base / dataset, "--all-scores")
    assert out.returncode == 0, out.stderr
    assert f"{method}, learnt on simulated images of {dataset}" in out.stderr
    assert out.stderr.endswith("\n40 images labelled\n")
    rows = {int(Path(row["file"]).stem): row for row in csv.DictReader(io.StringIO(out.stdout))}
    kept_scores, classes = read_predictions(path), record.facts["classes"]
    figure = "decision_value" if method == "svm-hog" else "probability"
    for index, scores in zip(kept_scores["test_index"], kept_scores["test_scores"], strict=True):
        row = rows.pop(index)
        if dataset == "synthetic-hpa":
            thresholds = np.array(record.chosen["thresholds"], np.float32)
            chosen, figures = np.flatnonzero(scores > thresholds), 1 / (1 + np.exp(-scores))
        else:
            chosen, figures = [scores.argmax()], np.exp(scores) / np.exp(scores).sum()
        figures = scores if method == "svm-hog" else figures
        assert row["label"] == ";".join(classes[k] for k in chosen)
        found_figures = [float(row[f"{figure}:{name}"]) for name in classes]
        np.testing.assert_allclose(found_figures, figures, rtol=1e-5, atol=1e-5)
        assert row[figure] == ";".join(row[f"{figure}:{classes[k]}"] for k in chosen)
    assert not rows


def test_a_saved_net_is_where_another_data_set_starts_from(kept):
    environment, base = kept
    (first,) = (base / "results").rglob("synthetic-yeast/cnn/*.model")
    out = call(
        environment,
        *("run", "-d", "synthetic-hpa", "-m", "cnn", "--set", f"weights={first}", "--set", "batch=16"),
        *("--epochs", 1, "-o", base / "transfer"),
    )
    assert out.returncode == 0, out.stderr
    ((_, _, record, _),) = read_records(base / "transfer", lambda *_: None)
    assert record.facts["weights"] == first.name
    assert record.facts["weights_channels"].startswith("2 → 4")
    assert len(record.facts["weights_new"]) == 1  # the last layer: 12 classes there, 10 here


# --- --save-models


@pytest.fixture
def toy_plugin(tmp_path):
    """A plug-in with the toy images as a data set, and a method that cannot tell what it learnt."""
    file = tmp_path / "toys.py"
    file.write_text(
        "import numpy as np\nfrom cellbench.datasets import dataset\n"
        "from cellbench.datasets.toy import rings\nfrom cellbench.methods import method\n"
        "@dataset('rings', '', licence='', size='')\n"
        "def build(scratch, source): return rings()\n"
        "@method('blind', '', family='svm')\n"
        "def blind(train, val, log): return lambda images: np.zeros((len(images), 3))\n"
    )
    yield file
    datasets._entries.pop("rings", None)
    methods._entries.pop("blind", None)


def test_a_run_that_is_done_without_a_model_is_run_again_for_it_and_once(toy_plugin, tmp_path):
    def run(*more):
        plugin, results = str(toy_plugin), str(tmp_path / "r")
        arguments = ["run", "-d", "rings", "-m", "svm-flat", "-m", "blind", "--plugin", plugin, "-o", results]
        return CliRunner().invoke(cli, [*arguments, *more], prog_name="cellbench")

    assert run().stdout.startswith("2 ok.")
    assert not list((tmp_path / "r").rglob("*.model"))
    again = run("--save-models")
    assert again.stdout.startswith("1 ok, 1 already done.")
    assert "--save-models: 1 run already done without a model, run again\n" in again.stderr
    assert "--save-models: no model of blind, which cannot tell what it learnt\n" in again.stderr
    (model,) = (tmp_path / "r").rglob("*.model")
    assert model.with_suffix(".json").is_file()
    third = run("--save-models")
    assert third.stdout.startswith("2 already done.")
    assert "run again" not in third.stderr
    # one of an earlier attempt would not be that of the record
    assert run("--force").stdout.startswith("2 ok.")
    assert not model.exists()


# --- the command


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
def cells(tmp_path):
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


def test_the_likeliest_labels_come_in_columns_of_their_own_the_first_being_the_label(trained, cells):
    one = list(csv.DictReader(io.StringIO(predict(trained(), cells).stdout)))
    three = list(csv.DictReader(io.StringIO(predict(trained(), cells, "--top", 3).stdout)))
    assert list(one[0]) == ["file", "label", "probability"]
    assert list(three[0]) == [
        *("file", "label", "probability", "label_2", "probability_2", "label_3", "probability_3"),
    ]
    assert [row["file"] for row in one] == [str(cells / f"{i}.png") for i in range(12)]
    for first, row in zip(one, three, strict=True):
        assert (first["label"], first["probability"]) == (row["label"], row["probability"])
        figures = [float(row[name]) for name in ("probability", "probability_2", "probability_3")]
        assert figures == sorted(figures, reverse=True)
        assert sum(figures) == pytest.approx(1, abs=1e-5)
        assert {row["label"], row["label_2"], row["label_3"]} == {"ring 0", "ring 1", "ring 2"}


def test_json_says_what_the_scores_are_and_where_the_thresholds_lie(trained, cells):
    (cells / "99.png").touch()
    out = predict(trained(True), cells, "--format", "json", "--all-scores")
    assert out.exit_code == 3
    document = json.loads(out.stdout)
    assert (document["schema_version"], document["scores_are"]) == (1, "probability")
    assert (document["model"]["method"], document["model"]["dataset"], document["model"]["synthetic"]) == (
        *("mlp", "toy", True),
    )
    assert document["unreadable"] == [{"file": str(cells / "99.png"), "reason": "0 bytes long"}]
    for row in document["images"]:
        above = [
            name
            for name, threshold in zip(document["classes"], document["thresholds"], strict=True)
            if row["all"][name] > threshold
        ]
        assert row["labels"] == above
        assert row["scores"] == [row["all"][name] for name in above]


def test_an_unreadable_image_is_named_the_others_are_labelled_and_the_code_is_3(trained, cells, tmp_path):
    (cells / "3.png").write_bytes((cells / "3.png").read_bytes()[:60])
    Image.new("RGB", (32, 32)).save(cells / "colour.png")
    table = tmp_path / "labels.csv"
    out = predict(trained(), cells, "-o", table)
    assert (out.exit_code, out.stdout) == (3, "")
    assert f"not labelled: {cells / 'colour.png'}: 3 channels, the model reads 1: channel 0\n" in out.stderr
    assert f"not labelled: {cells / '3.png'}: " in out.stderr
    assert out.stderr.endswith("11 images labelled\n")
    assert len(table.read_text().splitlines()) == 12
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["labels.csv"]


def test_more_unreadable_images_than_anyone_reads_are_counted(trained, cells):
    for i in range(13):
        (cells / f"bad {i}.png").touch()
    said = predict(trained(), cells).stderr
    assert said.count("not labelled: ") == 11
    assert "not labelled: 3 more\n" in said


@pytest.mark.parametrize("name", ["model", "image", "other image", "folder", "nowhere"])
def test_a_table_never_takes_the_place_of_what_is_read(trained, cells, name, tmp_path):
    target = {
        "model": trained(),
        "image": cells / "0.png",
        "other image": tmp_path / "x.TIF",
        "folder": tmp_path,
        "nowhere": tmp_path / "no" / "labels.csv",
    }[name]
    before = (cells / "0.png").read_bytes(), trained().read_bytes()
    assert refusal(trained(), cells, "-o", target).startswith(f"-o got {target}, which is ")
    assert ((cells / "0.png").read_bytes(), trained().read_bytes()) == before


def test_what_cannot_be_is_refused_in_a_line(trained, cells, tmp_path):
    assert "--top got 4; the model knows 3 classes" in refusal(trained(), cells, "--top", 4)
    assert "--top is for one label an image" in refusal(trained(True), cells, "--top", 2)
    assert "12 of 12 images cannot be read" in refusal(deeper(trained(), tmp_path), cells)
    assert "(uint8, the model learnt from uint16)" in refusal(deeper(trained(), tmp_path), cells)
    assert "does not exist; give images" in refusal(trained(), tmp_path / "none")
    assert "is no model" in refusal(cells / "0.png", cells)


def deeper(path, folder):
    """The same model, but for 16-bit images."""
    kept = torch.load(path, weights_only=True)
    torch.save({**kept, "dtype": "uint16"}, folder / "deep.model")
    return folder / "deep.model"


def test_it_writes_into_a_pipe_and_stops_when_nobody_reads(trained, cells, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True)
    assert predict(trained(), cells, "-o", pipe).exit_code == 0
    assert reader.communicate()[0] == predict(trained(), cells).stdout
    assert pipe.is_fifo()
    command = f"{sys.executable} -m cellbench predict {trained()} {cells} | true"
    out = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stderr
    assert "Traceback" not in out.stderr
    assert "Broken" not in out.stderr


def test_where_nobody_sees_a_bar_a_line_now_and_then_says_how_long_it_takes(trained, cells, monkeypatch):
    monkeypatch.setattr(sys.modules["cellbench.cli.predict"], "SAID_EVERY", 0.0)
    monkeypatch.setattr(labelling, "BATCH", 5)
    said = predict(trained(), cells).stderr
    assert "5 of 12 images, about <1 s left\n10 of 12 images" in said
    assert "12 of 12" not in said


def test_a_model_trained_in_a_run_keeps_its_format(trained):
    assert vars(models.load(trained())).keys() == {
        *("method", "revision", "params", "seed", "preprocessing", "measured", "dataset", "fingerprint", "split"),
        *("limit", "synthetic", "classes", "channels", "height", "width", "dtype", "multilabel", "thresholds"),
        *("scores", "metrics", "version", "state"),
    }
