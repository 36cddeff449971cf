import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cellbench
from cellbench import load_results
from cellbench.core.errors import UsageError
from cellbench.results.columns import COLUMNS, REAL, TEXT, WHOLE, YES_NO


def test_the_documentation_has_every_column_in_order_with_its_type():
    types = {"text": TEXT, "whole": WHOLE, "real": REAL, "yes/no": YES_NO, "yes/no/missing": "boolean"}
    text = (Path(__file__).parents[2] / "docs" / "results-frame.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    told = {name: types[kind] for names, kind in rows for name in re.findall(r"`(\w+)`", names)}
    assert list(told.items()) == list(COLUMNS.items())


def test_the_package_offers_the_frame_and_its_import_stays_light(results, record):
    assert cellbench.load_results(results(record("cnn"))).folder.name == "results"
    with pytest.raises(AttributeError, match="no attribute 'load_result'"):
        cellbench.load_result  # noqa: B018
    code = "import sys, cellbench; assert not {'pandas', 'numpy'} & sys.modules.keys(); cellbench.load_results"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_record_becomes_a_row(results, record):
    root = results(record("cnn", seed=3, device="cuda"), machine="box-1")
    frame = load_results(root).to_frame()
    row = frame.iloc[0]
    assert len(frame) == 1
    assert row[["dataset", "method", "device", "machine", "seed", "status"]].tolist() == [
        "hep2",
        "cnn",
        "cuda",
        "box-1",
        3,
        "ok",
    ]
    assert row["test_accuracy"] == 0.858
    assert row["train_seconds"] == pytest.approx(0.4 + 61.0)  # features + fit; nothing was transferred
    assert row["warmup_seconds"] == row["seconds_warmup"] == 0.62
    assert row["predict_ms_per_image"] == pytest.approx(1000 * 0.77 / 2720)
    assert (row["n_train"], row["n_val"], row["n_test"], row["n_classes"]) == (8701, 2175, 2720, 6)
    assert (row["smallest_class"], row["smallest_class_n"]) == ("Golgi", 449)
    assert (row["largest_class"], row["largest_class_n"]) == ("Speckled", 1800)
    assert (row["input"], row["threads"], row["gpu"]) == ("1×64×64", 2, "Example GPU")
    assert json.loads(row["params"]) == {"epochs": 16, "lr": 0.1}
    assert (root / row["path"]).is_file()


def test_what_a_record_does_not_hold_is_missing(results, record):
    row = load_results(results(record("svm-flat", status="failed", reason="no memory"))).to_frame().iloc[0]
    assert row["reason"] == "no memory"
    assert all(math.isnan(row[name]) for name in ("test_accuracy", "train_seconds", "predict_ms_per_image"))
    assert row[["limit", "depth", "parameters", "host_memory", "gpu"]].isna().all()


def test_a_run_is_default_without_limit_and_changed_settings(results, record):
    root = results(record("cnn"), record("cnn", limit=100), record("cnn", overrides={"lr": 0.2}))
    frame = load_results(root).to_frame()
    assert frame["default"].sum() == 1
    assert frame.loc[frame["default"], "overrides"].item() == "{}"
    assert frame.loc[frame["default"], "limit"].isna().all()


def test_images_are_not_counted_by_class_where_labels_overlap(results, record):
    facts = {"n": {"train": 700, "val": 90, "test": 80}}
    row = load_results(results(record("cnn", facts=facts))).to_frame().iloc[0]
    assert (row["n_train"], row["n_val"], row["n_test"]) == (700, 90, 80)


def test_other_metrics_of_a_record_become_columns(results, record):
    frame = load_results(results(record("cnn", metrics={"test": {"accuracy": 0.5, "auc": 0.75, "n": 10}}))).to_frame()
    assert frame["test_auc"].tolist() == [0.75]


def test_bad_files_are_named_and_left_as_they_are(results, record):
    root = results(record("cnn"))
    good = next(root.rglob("*.json"))
    edited = json.loads(good.read_text())
    texts = {
        "notes.json": '{"by": "hand"}',
        "broken.json": '{"schema_version": 1,',
        "odd.json": json.dumps({**edited, "metrics": {"test": {"accuracy": "high"}}}),
        "list.json": json.dumps({**edited, "facts": []}),
        "status.json": json.dumps({**edited, "status": "great"}),
        "seed.json": json.dumps({**edited, "spec": {**edited["spec"], "seed": 9}}),
        "infinite.json": json.dumps({**edited, "spec": {**edited["spec"], "params": {"lr": math.inf}}}),
    }
    for name, text in texts.items():
        (good.parent / name).write_text(text)
    found = load_results(root)
    passed_over = {path.rpartition("/")[2]: reason for path, reason in found.passed_over}
    assert len(found.rows) == 1
    assert passed_over.keys() == texts.keys()
    assert passed_over["notes.json"] == "not a cellbench record (no schema_version)"
    assert "edited by hand" in passed_over["seed.json"]
    assert "its metrics.test.accuracy is 'high'; it should be a valid number" in passed_over["odd.json"]
    assert "its status is 'great'; it should be 'ok', 'failed', 'timeout' or 'skipped'" in passed_over["status.json"]
    assert {path.name: path.read_text() for path in good.parent.iterdir() if path.name in texts} == texts


def test_a_missing_folder_is_told_with_the_command_that_makes_results(tmp_path):
    with pytest.raises(UsageError, match=r"no results folder at '.*nowhere'; .*cellbench run --all"):
        load_results(tmp_path / "nowhere")


def test_a_slip_in_a_folders_name_is_met_with_the_folder_beside_it(tmp_path, monkeypatch):
    for name in ("results", "tests"):
        (tmp_path / name).mkdir()
    meant = re.escape(f"did you mean '{tmp_path / 'results'}'? Or make results with: cellbench run --all")
    with pytest.raises(UsageError, match=rf"no results folder at '.*reslts'; {meant}"):
        load_results(tmp_path / "reslts")
    (tmp_path / "results").rmdir()
    with pytest.raises(UsageError, match=r"no results folder at '.*results'; make results"):  # tests is another word
        load_results(tmp_path / "results")
    monkeypatch.setattr(Path, "iterdir", lambda _: (_ for _ in ()).throw(PermissionError()))
    with pytest.raises(UsageError, match=r"no results folder at '.*reslts'; make results"):
        load_results(tmp_path / "reslts")


def test_a_folder_without_records_is_told_with_what_it_holds(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UsageError, match=r"no records in .*x\.json: not a cellbench record.*cellbench run --all"):
        load_results(tmp_path)
