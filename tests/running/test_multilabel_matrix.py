"""Every standard method on simulated human cells of several labels, from the command line to the table."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as reference

from cellbench.core.runs import RunRecord
from cellbench.core.store import read_records
from cellbench.datasets import cache, datasets
from cellbench.datasets.synthetic_hpa import TEN, simulate_dataset
from cellbench.methods import methods

STANDARD = sorted(entry.name for entry in methods.entries() if entry.standard)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The folder of results of `run -d synthetic-hpa` with all standard methods, on a small `synthetic-hpa`."""
    base = tmp_path_factory.mktemp("matrix")
    environment = {**os.environ, "CELLBENCH_DATA": str(base / "cache"), "XDG_STATE_HOME": str(base / "state")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLBENCH_DATA", environment["CELLBENCH_DATA"])
        cache.prepare(
            datasets["synthetic-hpa"].key,
            lambda scratch: simulate_dataset("synthetic-hpa", {"train": 60, "val": 40, "test": 50}, TEN),
        )
    command = ["run", "-d", "synthetic-hpa", "--epochs", "1", "--set", "size=32", "-o", str(base / "results")]
    out = subprocess.run(
        [sys.executable, "-m", "cellbench", *command], env=environment, capture_output=True, text=True, check=False
    )
    assert out.returncode == 0, out.stderr
    assert out.stdout.startswith(f"{len(STANDARD)} ok.")
    return base / "results"


def records(results: Path) -> dict[str, tuple[RunRecord, dict[str, np.ndarray]]]:
    """The record of each method with its stored scores and labels."""
    found = {}
    for path, _, record in read_records(results, lambda path, why: pytest.fail(f"{path}: {why}")):
        with np.load(path.with_suffix(".npz")) as file:
            found[record.spec.method] = record, dict(file)
    return found


def test_every_standard_method_gives_a_record(results):
    found = records(results)
    assert sorted(found) == STANDARD
    assert len(STANDARD) == 11
    assert {record.status for record, _ in found.values()} == {"ok"}


@pytest.mark.parametrize("part", ["val", "test"])
@pytest.mark.parametrize("method", STANDARD)
def test_the_figures_on_record_are_scikit_learns_on_the_stored_scores(results, method, part):
    record, stored = records(results)[method]
    truth, scores = stored[f"{part}_labels"], stored[f"{part}_scores"]
    predicted = scores > np.array(record.chosen["thresholds"], np.float32)
    present = truth.any(0)
    f1, by_image = reference.f1_score, {"average": "samples", "zero_division": 0}
    precision, recall = reference.precision_score, reference.recall_score
    p, r = precision(truth, predicted, **by_image), recall(truth, predicted, **by_image)
    expected = {
        "n": len(truth),
        "macro_f1": f1(truth[:, present], predicted[:, present], average="macro", zero_division=0),
        "micro_f1": f1(truth, predicted, average="micro"),
        "exact_match": reference.accuracy_score(truth, predicted),
        "sample_averaged_f1": 2 * p * r / (p + r),
        "mean_average_precision": reference.average_precision_score(truth[:, present], scores[:, present]),
    }
    assert record.metrics[part] == pytest.approx(expected)
    f1_of_class = f1(truth, predicted, average=None, zero_division=0)
    told = [x for x in record.per_class[part]["f1"] if x is not None]
    assert told == pytest.approx(list(f1_of_class[present]))
    assert record.per_class[part]["n"] == truth.sum(0).tolist()


@pytest.mark.parametrize("method", STANDARD)
def test_thresholds_are_fitted_on_val(results, method):
    """No other threshold of a class gives a better F1 on val."""
    record, stored = records(results)[method]
    truth, scores = stored["val_labels"], stored["val_scores"]
    for k, threshold in enumerate(record.chosen["thresholds"]):
        if truth[:, k].any():
            best = max(reference.f1_score(truth[:, k], scores[:, k] >= at) for at in scores[:, k])
            assert reference.f1_score(truth[:, k], scores[:, k] > np.float32(threshold)) == pytest.approx(best)


def test_the_leaderboard_shows_the_figures_of_several_labels(results):
    def table(style: str) -> str:
        arguments = ["table", str(results), "--view", "leaderboard", "--format", style]
        return subprocess.run(
            [sys.executable, "-m", "cellbench", *arguments], capture_output=True, text=True, check=True
        ).stdout

    heading = next(line for line in table("markdown").splitlines() if line.startswith("| method"))
    for title in ("macro-F1", "micro-F1", "mAP", "exact match", "sample-averaged F1"):
        assert f"{title} (%)" in heading
    assert "accuracy" not in heading
    rows = json.loads(table("json"))
    assert [row["test_macro_f1"] for row in rows] == sorted((row["test_macro_f1"] for row in rows), reverse=True)
    for method, (record, _) in records(results).items():
        row = next(row for row in rows if row["method"] == method)
        for name, value in record.metrics["test"].items():
            assert row[f"test_{name}"] == pytest.approx(value)
