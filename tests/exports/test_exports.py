"""What is exported is read back by the other library alone, and agrees with records and predictions."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellbench import load_results
from cellbench.core.errors import UsageError
from cellbench.core.records.store import read_predictions
from cellbench.exports.formats import FORMATS, export
from cellbench.exports.tables import parquet

from ..cli.program import call
from .conftest import RUNS

WITHOUT_ANNDATA = (
    'anndata is not here: pip install ".[anndata]" (on Python 3.11 it takes pandas below 3); tox -e anndata'
)


def predictions(folder, method):
    """The record of a method's run as JSON, and its predictions."""
    (path,) = (path for path in folder.rglob("*.json") if path.parent.name == method)
    return json.loads(path.read_text()), read_predictions(path)


def label_of(folder, name):
    """The label that the table of the images gives a file, as text, and its donor's number."""
    with (folder.parent / "rings" / "labels.csv").open() as file:
        row = next(row for row in csv.DictReader(file) if row["file"] == name)
    return row["label"], int(row["donor"].split()[1])


@pytest.mark.parametrize("several", [False, True])
def test_csv_and_parquet_hold_each_images_file_label_group_and_scores(small, tmp_path, several):
    import pyarrow.parquet as pq

    folder = small(several)
    target, notes = export(load_results(folder), "csv", tmp_path / "cells.csv")
    assert notes == []
    with target.open() as file:
        lines = list(csv.DictReader(file))
    rows = pq.read_table(export(load_results(folder), "parquet", tmp_path / "cells.parquet")[0]).to_pylist()
    assert (
        len(lines) == len(rows) == 3 * sum(len(predictions(folder, "mlp")[1][f"{p}_labels"]) for p in ("val", "test"))
    )
    for method in RUNS:
        record, kept = predictions(folder, method)
        for part in ("val", "test"):
            own = [row for row in rows if (row["method"], row["part"]) == (method, part)]
            assert {row["run"] for row in own} == {record["key"]}
            assert [row["index"] for row in own] == kept[f"{part}_index"].tolist()
            scores = [[row[f"score:ring {k}"] for k in range(3)] for row in own]
            np.testing.assert_allclose(scores, kept[f"{part}_scores"], rtol=1e-6)
    for row, line in zip(rows, lines, strict=True):
        label = ";".join(row["label"]) if several else row["label"]
        assert (label, row["group"]) == label_of(folder, row["id"])
        assert (line["id"], line["label"], line["group"]) == (row["id"], label, str(row["group"]))
        assert row["correct"] == (row["label"] == row["predicted"])
    test = [row for row in rows if row["part"] == "test" and row["method"] == "svm-hog"]
    figure = record_metric(folder, "svm-hog", "exact_match" if several else "accuracy")
    assert np.mean([row["correct"] for row in test]) == pytest.approx(figure)


def record_metric(folder, method, name):
    return predictions(folder, method)[0]["metrics"]["test"][name]


def test_without_the_images_the_names_of_files_are_missing_and_that_is_told(made, tmp_path, monkeypatch):
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "empty"))
    target, notes = export(load_results(made()), "csv", tmp_path / "cells.csv", ["method=mlp"])
    missing = "the images of 'rings' are not prepared here; type: cellbench prepare FOLDER, that of 'rings'"
    assert notes == [f"no names of files: {missing}"]
    with target.open() as file:
        assert {row["id"] for row in csv.DictReader(file)} == {""}


def test_hugging_face_loads_the_folder_and_its_card_names_runs_and_licence(small, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    import datasets

    folder = small()
    target, _ = export(load_results(folder), "huggingface", tmp_path / "hub")
    assert sorted(path.name for path in target.rglob("*") if path.is_file()) == [
        *("README.md", "test.parquet", "validation.parquet"),
    ]
    loaded = datasets.load_dataset(str(target), "folder-rings", cache_dir=str(tmp_path / "cache"))
    for split, part in (("validation", "val"), ("test", "test")):
        kept = predictions(folder, "mlp")[1]
        own = loaded[split].filter(lambda row: row["method"] == "mlp")
        assert own["index"][:] == kept[f"{part}_index"].tolist()
        np.testing.assert_allclose(own["score:ring 2"][:], kept[f"{part}_scores"][:, 2], rtol=1e-6)
    card = (target / "README.md").read_text()
    record = predictions(folder, "mlp")[0]
    assert f"| mlp | grouped | 0 | {record['key']} | {record['metrics']['test']['accuracy']:.4f} |" in card
    assert "- Licence of the images: your own images\n" in card


def test_mlflow_reads_settings_figures_and_history_and_nothing_is_added_twice(small, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    folder = small()
    target, notes = export(load_results(folder), "mlflow", tmp_path / "store", ["method=mlp"])
    assert notes == []
    _, notes = export(load_results(folder), "mlflow", target)
    assert notes == ["1 run that the store had already left as they are"]
    client = MlflowClient(tracking_uri=f"sqlite:///{target / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("folder:rings, grouped")
    runs = {run.data.tags["cellbench.method"]: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == set(RUNS)
    record = predictions(folder, "mlp")[0]
    run = runs["mlp"]
    assert run.data.tags["cellbench.key"] == record["key"]
    assert run.data.params["epochs"] == "2"
    assert run.data.params["seed"] == "0"
    for part in ("train", "val", "test"):
        for name, value in record["metrics"][part].items():
            assert run.data.metrics[f"{part}/{name}"] == pytest.approx(value)
    history = client.get_metric_history(run.info.run_id, "history/train_loss")
    assert [(at.step, at.value) for at in history] == [(row["epoch"], row["train_loss"]) for row in record["history"]]
    file = client.download_artifacts(run.info.run_id, f"s0-{record['key']}.json", str(tmp_path))
    assert json.loads(Path(file).read_text()) == record


def test_a_store_that_is_none_of_mlflows_is_refused_in_a_line_and_left_as_it_is(small, tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"no data base " * 100)
    with pytest.raises(UsageError, match=r"^MLflow cannot use the store in .*; give a new folder with -o$") as caught:
        export(load_results(small()), "mlflow", tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "mlflow.db").read_bytes() == b"no data base " * 100


def test_anndata_holds_what_the_classifier_saw_beside_labels_and_scores(small, tmp_path):
    anndata = pytest.importorskip("anndata", reason=WITHOUT_ANNDATA)
    folder = small()
    target, notes = export(load_results(folder), "anndata", tmp_path / "cells")
    files = {path.name.rsplit("-s0-")[0]: path for path in target.iterdir()}
    assert set(files) == set(RUNS)
    assert len([note for note in notes if note.startswith("svm-hog-s0-") and "X is its scores" in note]) == 1
    for method, width in (("svm-hog", 3), ("mlp", 512), ("probe-knn", 64)):
        record, kept = predictions(folder, method)
        cells = anndata.read_h5ad(files[method])
        scores = np.concatenate([kept["val_scores"], kept["test_scores"]])
        np.testing.assert_array_equal(cells.obsm["scores"], scores)
        assert cells.X.shape == (len(scores), width)
        assert list(cells.obs["label"]) == [label_of(folder, name)[0] for name in cells.obs_names]
        assert list(cells.obs["group"]) == [label_of(folder, name)[1] for name in cells.obs_names]
        assert cells.uns["provenance"]["run"] == record["key"]
        assert json.loads(cells.uns["provenance"]["spec"]) == record["spec"]
        assert cells.uns["provenance"]["metrics"]["test"]["accuracy"] == record["metrics"]["test"]["accuracy"]
    own = anndata.read_h5ad(files["svm-hog"])
    np.testing.assert_array_equal(own.X, own.obsm["scores"])
    assert list(own.var_names) == ["ring 0", "ring 1", "ring 2"]
    probe = anndata.read_h5ad(files["probe-knn"])
    assert probe.uns["X"] == "embedding by the frozen encoder"
    unit = probe.X / np.linalg.norm(probe.X, axis=1, keepdims=True)
    assert (unit @ unit.T > 0).all()  # means of activations behind ReLU


@pytest.mark.parametrize("several", [True])
def test_anndata_joins_several_labels(small, tmp_path, several):
    anndata = pytest.importorskip("anndata", reason=WITHOUT_ANNDATA)
    folder = small(several)
    target, _ = export(load_results(folder), "anndata", tmp_path / "cells", ["method=mlp"])
    (file,) = target.iterdir()
    cells = anndata.read_h5ad(file)
    assert list(cells.obs["label"]) == [label_of(folder, name)[0] for name in cells.obs_names]


def test_what_cannot_be_is_refused_and_leaves_nothing(small, tmp_path):
    results = load_results(small())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(UsageError, match="which is not empty; --to huggingface writes a new folder"):
        export(results, "huggingface", tmp_path / "full")
    with pytest.raises(UsageError, match=r"which is a folder; --to csv writes a file, such as -o cells\.csv"):
        export(results, "csv", tmp_path / "full")
    with pytest.raises(UsageError, match="which is a file; --to mlflow writes a folder"):
        export(results, "mlflow", tmp_path / "full" / "x")
    with pytest.raises(UsageError, match="no result has method=mlp and C=77"):
        export(results, "csv", tmp_path / "a.csv", ["method=mlp", "C=77"])
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def answers(classes, *parts):
    """Predictions of six images a part, all right."""
    labels = np.arange(6) % classes
    one = {"labels": labels, "scores": np.eye(classes, dtype=np.float32)[labels], "index": np.arange(6)}
    return {f"{part}_{name}": values for part in parts for name, values in one.items()}


def of_two_classes(record, **changes):
    counts = {part: [3, 3] for part in ("train", "val", "test")}
    return record("cnn", dataset="blood", facts={"classes": ["a", "b"], "counts": counts}, **changes)


def test_data_sets_of_other_classes_do_not_share_a_table(results, record, tmp_path):
    scored = [(record("cnn"), answers(6, "val", "test")), (of_two_classes(record), answers(2, "val", "test"))]
    with pytest.raises(
        UsageError, match=r"(hep2 and blood|blood and hep2) have other classes.*such as --where dataset="
    ):
        export(load_results(results(*scored)), "csv", tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


def test_data_sets_without_predictions_are_left_out_by_name_and_the_others_written(
    results, record, tmp_path, monkeypatch
):
    import pyarrow.parquet as pq

    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "empty"))
    kept = (record("cnn"), answers(6, "val", "test"))
    of_test = (record("mlp"), answers(6, "test"))
    found = load_results(results(kept, of_test, of_two_classes(record), of_two_classes(record, seed=1)))
    told = "2 runs on blood without predictions beside the record left out"
    hub, notes = export(found, "huggingface", tmp_path / "hub")
    assert notes[0] == told
    assert sorted(path.name for path in hub.iterdir()) == ["README.md", "hep2"]
    assert "blood" not in (hub / "README.md").read_text()
    assert pq.read_table(hub / "hep2" / "test.parquet").num_rows == 12
    assert pq.read_table(hub / "hep2" / "validation.parquet").num_rows == 6
    table, notes = export(found, "csv", tmp_path / "a.csv")
    assert notes[0] == told
    assert len(table.read_text().splitlines()) == 1 + 18
    (only_test, _) = export(found, "huggingface", tmp_path / "test", ["method=mlp"])
    assert [path.name for path in (only_test / "hep2").iterdir()] == ["test.parquet"]
    assert "validation" not in (only_test / "README.md").read_text()
    for to in ("csv", "parquet", "huggingface"):
        with pytest.raises(UsageError, match="none of these runs has its predictions"):
            export(found, to, tmp_path / "none", ["dataset=blood"])
    assert not (tmp_path / "none").exists()


def test_the_command_says_where_it_wrote_and_what_is_missing(made, tmp_path):
    environment = {"CELLBENCH_DATA": str(tmp_path / "empty")}
    out = call("export", made(), "--to", "csv", "-o", tmp_path / "cells.csv", environment=environment)
    assert (out.returncode, out.stdout) == (0, f"{tmp_path / 'cells.csv'}\n")
    assert out.stderr.startswith("no names of files: ")
    for name in FORMATS:
        assert f"\n  {name} " in call("export", "--help").stdout


def test_runs_that_predict_no_label_at_all_stand_beside_those_that_do(tmp_path):
    import pyarrow.parquet as pq

    frames = [pd.DataFrame({"id": ["a"], "predicted": [labels]}) for labels in ([], ["nucleus"])]
    parquet(frames, tmp_path / "cells.parquet")
    assert pq.read_table(tmp_path / "cells.parquet")["predicted"].to_pylist() == [[], ["nucleus"]]
