"""`cellbench run --save-models`, and `cellbench predict` with what it kept: labels of new images are the run's own."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from cellbench.cli import cli
from cellbench.core.records.store import read_predictions, read_records
from cellbench.core.scoring.calibration import calibrate
from cellbench.datasets import datasets
from cellbench.datasets.files import cache
from cellbench.datasets.sources import synthetic_hpa, synthetic_yeast
from cellbench.methods import methods

from ..program import call


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """An environment whose cache holds few simulated cells, and results of runs on them that saved their models."""
    base = tmp_path_factory.mktemp("predict")
    environment = {"CELLBENCH_DATA": str(base / "cache"), "XDG_STATE_HOME": str(base / "state")}
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
        *("run", "-d", "synthetic-yeast", "-d", "synthetic-hpa", "-m", "svm-hog", "-m", "cnn", "--limit", 80),
        *("--epochs", 1, "--set", "cnn:batch=16", "--save-models", "-o", base / "results"),
        environment=environment,
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
    out = call("predict", path.with_suffix(".model"), base / dataset, "--all-scores", environment=environment)
    assert out.returncode == 0, out.stderr
    assert f"{method}, learnt on simulated images of {dataset}" in out.stderr
    assert out.stderr.endswith("\n40 images labelled\n")
    rows = {int(Path(row["file"]).stem): row for row in csv.DictReader(io.StringIO(out.stdout))}
    kept_scores, classes = read_predictions(path), record.facts["classes"]
    rule = calibrate(kept_scores["val_scores"], kept_scores["val_labels"])
    for index, scores in zip(kept_scores["test_index"], kept_scores["test_scores"], strict=True):
        row = rows.pop(index)
        if dataset == "synthetic-hpa":
            thresholds = np.array(record.chosen["thresholds"], np.float32)
            chosen = np.flatnonzero(scores > thresholds)
        else:
            chosen = [scores.argmax()]
        assert row["label"] == ";".join(classes[k] for k in chosen)
        probabilities = [float(row[f"probability:{name}"]) for name in classes]
        np.testing.assert_allclose(probabilities, rule(scores[None])[0], rtol=1e-4, atol=1e-5)
        assert row["probability"] == ";".join(row[f"probability:{classes[k]}"] for k in chosen)
    assert not rows


def test_a_saved_net_is_where_another_data_set_starts_from(kept):
    environment, base = kept
    (first,) = (base / "results").rglob("synthetic-yeast/cnn/*.model")
    out = call(
        *("run", "-d", "synthetic-hpa", "-m", "cnn", "--set", f"weights={first}", "--set", "batch=16"),
        *("--epochs", 1, "-o", base / "transfer"),
        environment=environment,
    )
    assert out.returncode == 0, out.stderr
    ((_, _, record, _),) = read_records(base / "transfer", lambda *_: None)
    assert record.facts["weights"] == first.name
    assert record.facts["weights_channels"].startswith("2 → 4")
    assert len(record.facts["weights_new"]) == 1  # the last layer: 12 classes there, 10 here


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
