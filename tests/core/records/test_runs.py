"""Specs, keys, records and the log."""

import dataclasses
import json
from pathlib import Path

import pytest

from cellbench.core.errors import UsageError
from cellbench.core.records.runs import RunLog, RunRecord, RunSpec, canonical

SPEC = RunSpec("toy", "abc", "official", {"size": 64}, "svm-flat", 1, {"C": (1, 10), "gamma": "scale"})


def record(**changes) -> RunRecord:
    base = RunRecord(
        SPEC,
        "ok",
        metrics={"test": {"accuracy": 0.1 + 0.2, "n": 7}},
        per_class={"test": {"f1": [0.3, None], "n": [7, 0]}},
        seconds={"features": 1.5, "transfer": 0.25, "fit": 2.0, "predict": 9.0, "warmup": 7.0},
        history=({"C": 1, "val_macro_f1": 0.5},),
        facts={"classes": ["é", "b"]},
    )
    return dataclasses.replace(base, **changes)


def test_equal_settings_written_differently_have_one_key():
    same = dataclasses.replace(SPEC, params={"gamma": "scale", "C": [1.0, 10.0]})
    assert same.key == SPEC.key


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"limit": 10},
        {"device": "cuda"},
        {"params": {"C": 2}},
        {"fingerprint": "x"},
        {"revision": 2},
        {"split": "s"},
        {"dataset": "other"},
        {"method": "other"},
        {"preprocessing": {}},
        {"deterministic": True},
        {"decision": {"thresholds": "global"}},
    ],
)
def test_every_field_of_a_spec_changes_its_key(change):
    assert dataclasses.replace(SPEC, **change).key != SPEC.key


def test_the_key_is_the_same_for_ever():
    assert SPEC.key == "2191a344f658"


def test_a_spec_of_the_default_decision_is_written_as_before_there_was_one():
    assert "decision" not in json.loads(record().to_json())["spec"]
    spec = dataclasses.replace(SPEC, decision={"thresholds": 0.15})
    again = RunRecord.from_json(record(spec=spec).to_json())
    assert (again.spec, again.spec.decision) == (
        dataclasses.replace(spec, params={"C": [1, 10], "gamma": "scale"}),
        {"thresholds": 0.15},
    )


def test_every_shipped_record_is_read_with_the_key_it_was_given():
    shipped = sorted((Path(__file__).parents[3] / "results").rglob("*.json"))
    assert shipped
    for path in shipped:
        key = RunRecord.from_json(path.read_text(encoding="utf-8")).spec.key
        assert path.stem.rpartition("-")[2] == key


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_is_no_setting_is_refused(value):
    with pytest.raises(UsageError):
        canonical({"C": value})


def test_a_record_comes_back_as_it_was_written():
    text = record().to_json()
    again = RunRecord.from_json(text)
    assert again.to_json() == text
    assert again.metrics["test"]["accuracy"] == 0.1 + 0.2
    assert again.facts["classes"] == ["é", "b"]
    assert again.per_class["test"]["f1"] == [0.3, None]


def test_a_record_from_before_figures_by_class_were_kept_is_read():
    document = json.loads(record().to_json())
    del document["per_class"]
    assert RunRecord.from_json(json.dumps(document)).per_class == {}


def test_training_time_is_features_transfer_and_fit():
    assert record().training_seconds == 3.75


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda d: d.update(schema_version=99), "format 99"),
        (lambda d: d.pop("schema_version"), "no schema_version"),
        (lambda d: d["spec"].update(seed=5), "edited by hand"),
        (lambda d: d.pop("status"), "its status is missing"),
        (lambda d: d["spec"].pop("method"), "its spec.method is missing"),
    ],
)
def test_what_is_not_a_record_says_why(edit, reason):
    document = json.loads(record().to_json())
    edit(document)
    with pytest.raises(ValueError, match=reason):
        RunRecord.from_json(json.dumps(document))


def test_phases_add_up_and_never_nest():
    heard = []
    log = RunLog(lambda kind, facts: heard.append((kind, dict(facts))))
    for _ in range(2):
        with log.phase("fit"):
            pass
    log.epoch(epoch=1, val_accuracy=0.5)
    assert list(log.seconds) == ["fit"]
    assert heard == [("phase", {"name": "fit"})] * 2 + [("epoch", {"epoch": 1, "val_accuracy": 0.5})]
    with pytest.raises(ValueError, match="opened inside"), log.phase("fit"), log.phase("load"):
        pass
    with pytest.raises(ValueError, match="no phase"), log.phase("training"):
        pass
