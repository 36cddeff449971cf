"""500 damaged records and predictions before everything that reads results: no traceback, and no wrong figure."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cellbench import load_results
from cellbench.core.records.store import Store, read_predictions
from cellbench.reporting.charts.registry import kinds, outcomes
from cellbench.reporting.tables.by_view import tables
from cellbench.reporting.tables.registry import VIEWS
from cellbench.reporting.tables.table import render
from cellbench.results.rows.row import as_rows

from ...reporting.made_records import MACHINE, fitted, make, saved, several_labels
from ...reporting.made_results import backends, judgements, sizes
from ..program import call
from .damage import damage

COPIES = 500


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A folder of records that every reader has something to show of."""
    folder = tmp_path_factory.mktemp("whole") / "results"
    epochs = tuple({"epoch": e, "train_loss": 1 / e, "val_loss": 0.5, "val_macro_f1": 0.5} for e in (1, 2, 3))
    records = [*judgements(), *backends(), *sizes()[:4], several_labels(make, chosen={"thresholds": [0.0] * 6})[0]]
    records += [make(net, history=epochs, chosen={"epoch": 2}) for net in ("plain18", "plain34", "resnet34")]
    return saved(folder, *records)


@pytest.fixture(scope="module")
def damaged(whole, tmp_path_factory):
    """The same folder with 500 damaged copies, and which files these are."""
    folder = tmp_path_factory.mktemp("damaged") / "results"
    shutil.copytree(whole, folder)
    return folder, damage(folder, COPIES, seed=0)


@pytest.fixture(scope="module")
def found(damaged):
    return load_results(damaged[0])


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_shown_in_every_form(found, view):
    shown = tables(found, view)
    for style in ("text", "markdown", "latex"):
        assert render(shown, style)


@pytest.mark.parametrize("kind", kinds())
def test_every_chart_is_drawn(found, kind):
    for outcome in outcomes(found, [kind], "all"):
        assert outcome.lacking or json.dumps(outcome.chart.panels())


def test_every_other_reader_goes_on(whole, tmp_path):
    folder = tmp_path / "results"
    shutil.copytree(whole, folder)
    files = damage(folder, 60, seed=1)
    for command in (
        ("table", folder, "--runs", "all", "--format", "json"),
        ("findings", folder, "--format", "json"),
        ("compare", whole, folder),
        ("compare", folder, whole, "--format", "csv"),
        ("report", folder, "-o", tmp_path / "r.html", "--runs", "all"),
        ("list", "results", folder),
    ):
        out = call(*command)
        assert out.returncode == 0, (command, out.stderr[-2000:])
        assert "Traceback" not in out.stderr
        assert out.stderr.count("passed over ") > len(files) / 3
    out = call("export", folder, "--to", "csv", "-o", tmp_path / "cells.csv", "--where", "dataset=wells")
    assert out.returncode in (0, 2), out.stderr  # 2: a copy has other classes


def test_what_is_whole_has_the_figures_that_it_has_alone(found, whole):
    alone, among = (
        {row["path"]: row for row in as_rows(each.frame.drop(columns=["agreement"]))}
        for each in (load_results(whole), found)
    )
    assert {path: among[path] for path in alone} == alone


def test_no_figure_is_one_that_cannot_be(found):
    frame = found.frame
    for name in frame:
        if name.endswith(("accuracy", "macro_f1", "exact_match")) or name == "others":
            assert frame[name].dropna().between(0, 1).all(), name
        if name.startswith("seconds_") or name.endswith(("_n", "_memory")):
            assert (frame[name].dropna() >= 0).all(), name


def test_predictions_are_those_of_their_record_or_are_not_used(damaged, found):
    used = 0
    for run in found.runs:
        if run.file.with_suffix(".npz") not in damaged[1]:
            continue
        for part in ("val", "test"):
            if (kept := run.predicted(part)) is not None:
                used += 1
                figures = run.record.metrics[part]
                assert len(kept.index) == len(kept.truth) == figures["n"]
                if kept.truth.ndim == 1:
                    assert (kept.predicted == kept.truth).mean() == pytest.approx(figures["accuracy"])
    assert 0 < used < len(damaged[1]) / 2


def test_predictions_that_are_not_used_are_named_once(tmp_path):
    record, arrays = fitted(*judgements()[0])
    path = Store(tmp_path, MACHINE).save(record, arrays)
    file = path.with_suffix(".npz")
    file.write_bytes(file.read_bytes()[:-40])
    assert read_predictions(path) is None
    named = [line for line in call("table", tmp_path).stderr.splitlines() if file.name in line]
    assert named == [f"passed over {file}: predictions that are not those of the record, as they are damaged"]

    Store(tmp_path, MACHINE).save(record, {**arrays, "test_labels": np.roll(arrays["test_labels"], 1)})
    (line,) = [line for line in call("table", tmp_path).stderr.splitlines() if file.name in line]
    assert "as they give test accuracy 0." in line
    assert line.endswith(f"and the record has {record.metrics['test']['accuracy']:.6g}")
