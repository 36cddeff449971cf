"""Results: every file is read once, and what is made of them opens none."""

import sys
from collections import Counter
from pathlib import Path

import pytest

from cellbench import load_results
from cellbench.reporting.findings import findings, sentences
from cellbench.reporting.report.page import report
from cellbench.reporting.tables.by_view import tables
from cellbench.reporting.tables.registry import VIEWS
from cellbench.results.results import Results

from ..reporting.made_results import judgements

_opened: list[str] = []
sys.addaudithook(lambda event, args: _opened.append(str(args[0])) if event == "open" else None)


@pytest.fixture
def opened():
    """How often each file below a folder was opened since the test began."""
    _opened.clear()
    return lambda folder: Counter(file for file in _opened if file.startswith(str(folder)) and Path(file).is_file())


def test_a_report_with_every_table_and_verdict_opens_every_file_once(results, opened):
    folder = results(*judgements())
    opened(folder)
    _opened.clear()
    found = load_results(folder)
    report(found)
    for view in VIEWS:
        tables(found, view)
    findings(found)
    sentences(found)
    files = {str(file): 1 for pattern in ("*.json", "*.npz") for file in folder.rglob(pattern)}
    assert len(files) == 10 + 9
    assert opened(folder) == files


def test_once_read_a_folder_is_no_longer_needed(results):
    folder = results(*judgements())
    found = load_results(folder)
    predicted = [run.predicted() for run in found.runs]
    for file in folder.rglob("*.*"):
        file.unlink()
    assert [run.predicted() for run in found.runs] == predicted
    assert [run.record.spec.method for run in found.runs] == found.to_frame()["method"].tolist()
    assert tables(found, "per-class")


def test_runs_are_pooled_once(results, record):
    found = load_results(results(record("cnn"), record("cnn", seed=1)))
    assert found.rows is found.rows
    (row,) = found.rows
    assert [run.record.spec.seed for run in row["runs"]] == row["seeds"] == [0, 1]
    assert [str(run.file) for run in row["runs"]] == row["files"]


def test_a_part_of_the_results_keeps_its_runs(results, record):
    found = load_results(results(record("cnn"), record("mlp"), record("resnet18")))
    part = found.only(found.frame["method"] != "cnn")
    assert [row["runs"][0].record.spec.method for row in part.rows] == [row["method"] for row in part.rows]
    assert {row["method"] for row in part.rows} == {"mlp", "resnet18"}
    assert found.only([True] * 3) is found


def test_the_frame_is_the_callers_to_change(results, record):
    found = Results.load(results(record("cnn")))
    frame = found.to_frame()
    frame["method"] = "other"
    assert found.rows[0]["method"] == "cnn"


def test_what_rows_carry_for_others_is_no_column_of_a_table(results, record):
    found = load_results(results(record("cnn"), record("cnn", seed=1)))
    assert found.rows[0]["gap_accuracy"] == pytest.approx(0.911 - 0.858)
    with pytest.raises(Exception, match="no column or setting 'gap_accuracy'"):
        found.where(["gap_accuracy>0"])
