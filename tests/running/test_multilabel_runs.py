"""Every standard method on simulated human cells of several labels, from the command line to the table."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from sklearn import metrics as reference

from cellbench import load_results
from cellbench.core.records.runs import RunRecord
from cellbench.core.records.store import Store, read_records
from cellbench.datasets import datasets
from cellbench.datasets.files import cache
from cellbench.datasets.sources.synthetic_hpa import TEN, simulate_dataset
from cellbench.methods import methods
from cellbench.results.rows.settings import with_settings
from cellbench.running.planning.plan import Override, make_plan
from cellbench.running.single_run import execute

from ..cli.program import call

pytestmark = pytest.mark.long

STANDARD = sorted(entry.name for entry in methods.entries() if entry.standard)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tmp_path_factory.mktemp("matrix")


@pytest.fixture(scope="module")
def prepared(base):
    """The folder of a small `synthetic-hpa`, in the cache at `base`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLBENCH_DATA", str(base / "cache"))
        return cache.prepare(
            datasets["synthetic-hpa"].key,
            lambda scratch: simulate_dataset("synthetic-hpa", {"train": 60, "val": 40, "test": 50}, TEN),
        )


@pytest.fixture(scope="module")
def results(base, prepared):
    """The folder of results of `run -d synthetic-hpa` with all standard methods."""
    environment = {"CELLBENCH_DATA": str(base / "cache"), "XDG_STATE_HOME": str(base / "state")}
    settings = ["--epochs", "1", "--set", "size=32", "--set", "probe-*:weights=none"]  # published ones may not be there
    out = call("run", "-d", "synthetic-hpa", *settings, "-o", base / "results", environment=environment)
    assert out.returncode == 0, out.stderr
    assert out.stdout.startswith(f"{len(STANDARD)} ok.")
    return base / "results"


def records(results: Path) -> dict[str, tuple[RunRecord, dict[str, np.ndarray]]]:
    """The record of each method with its stored scores and labels."""
    found = {}
    for path, _, record, _ in read_records(results, lambda path, why: pytest.fail(f"{path}: {why}")):
        with np.load(path.with_suffix(".npz")) as file:
            found[record.spec.method] = record, dict(file)
    return found


def test_every_standard_method_gives_a_record(results):
    found = records(results)
    assert sorted(found) == STANDARD
    assert len(STANDARD) == 12
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
        out = call("table", results, "--view", "leaderboard", "--format", style)
        assert out.returncode == 0, out.stderr
        return out.stdout

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


RULES = ("per-class", "global", "majority-apart", 0.15)


@pytest.fixture(scope="module", params=["svm-flat", "cnn"])
def by_rule(request, base, prepared):
    """The folder of results of a method with each rule of thresholds, and record and predictions of each."""
    store, found = Store(base / f"rules-{request.param}", "here"), {}
    for rule in RULES:
        sets = [Override("*", "thresholds", rule), Override("*", "size", 32), Override("cnn", "epochs", 3)]
        fitting = [override for override in sets if override.scope in ("*", request.param)]
        (job,) = make_plan([request.param], [prepared], overrides=fitting)
        found[rule] = execute(job)
        store.save(*found[rule])
    return base / f"rules-{request.param}", found


def macro_f1(stored, part, probabilities):
    """scikit-learn's macro-F1 of stored scores, over the classes that have a positive, at a probability a class."""
    truth, decided = stored[f"{part}_labels"], expit(stored[f"{part}_scores"].astype(float)) > probabilities
    present = truth.any(0)
    return reference.f1_score(truth[:, present], decided[:, present], average="macro", zero_division=0)


def test_each_rule_chooses_on_val_what_a_search_of_all_its_choices_finds_best(by_rule):
    """The smallest of equals, and for the classes on more than a fifth of the images once more."""
    _, found = by_rule
    grid = np.arange(1, 20) / 20
    chosen = {rule: record.chosen for rule, (record, _) in found.items()}
    _, stored = found["global"]
    figures = [macro_f1(stored, "val", np.full(10, p)) for p in grid]
    first = np.full(10, grid[np.argmax(figures)])
    assert chosen["global"]["threshold_sweep"]["val_macro_f1"] == pytest.approx(figures)
    assert len(set(figures)) > 2
    assert expit(chosen["global"]["thresholds"]) == pytest.approx(first)
    majority = stored["val_labels"].mean(0) > 0.2
    assert chosen["majority-apart"]["majority_sweep"]["classes"] == np.flatnonzero(majority).tolist() != []
    apart = [np.where(majority, p, first) for p in grid]
    figures = [macro_f1(stored, "val", each) for each in apart]
    assert chosen["majority-apart"]["majority_sweep"]["val_macro_f1"] == pytest.approx(figures)
    assert expit(chosen["majority-apart"]["thresholds"]) == pytest.approx(apart[int(np.argmax(figures))])
    assert expit(chosen[0.15]["thresholds"]) == pytest.approx([0.15] * 10)
    assert not any("sweep" in name for rule in ("per-class", 0.15) for name in chosen[rule])


def test_a_rule_changes_what_is_decided_and_no_score(by_rule):
    _, found = by_rule
    _, plain = found["per-class"]
    for record, stored in found.values():
        assert all(np.array_equal(stored[name], plain[name]) for name in plain)
        expected = macro_f1(stored, "test", expit(record.chosen["thresholds"]))
        assert record.metrics["test"]["macro_f1"] == pytest.approx(expected)
    assert len({record.metrics["test"]["macro_f1"] for record, _ in found.values()}) > 1


def test_each_rule_has_a_row_of_its_own_that_names_it(by_rule):
    folder, found = by_rule
    results = load_results(folder)
    assert results.passed_over == []
    rows = {row["settings"].partition("thresholds=")[2]: row for row in with_settings(results.rows)}
    assert rows.keys() == {"", "global", "majority-apart", "0.15"}
    for rule, (record, _) in found.items():
        shown = rows["" if rule == "per-class" else str(rule)]
        assert shown["test_macro_f1"] == record.metrics["test"]["macro_f1"]
