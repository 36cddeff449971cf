"""Records keep their keys: what is on record is what its settings come to when they are checked today."""

import json
from pathlib import Path

import pytest

from cellbench.core.records.runs import RunRecord, canonical
from cellbench.core.scoring.decision import Decision
from cellbench.datasets.preprocessing import Preprocessing
from cellbench.methods import methods
from cellbench.running.planning.plan import settled

RECORDS = sorted((Path(__file__).parents[2] / "results").rglob("s*.json"))


def test_there_are_records():
    assert len(RECORDS) > 50


@pytest.mark.parametrize("method", sorted({path.parent.name for path in RECORDS}))
def test_settings_on_record_are_taken_as_they_are(method):
    for path in (path for path in RECORDS if path.parent.name == method):
        text = path.read_text(encoding="utf-8")
        spec = RunRecord.from_json(text).spec  # refuses a key that is not that of the spec
        params, *_ = settled(methods[spec.method], spec.params)
        recorded = json.loads(text)["spec"]["params"]
        checked = canonical(vars(params))
        assert {name: checked[name] for name in recorded} == recorded, path  # some settings are younger than records
        assert canonical(Preprocessing.of_steps(spec.preprocessing).steps) == spec.preprocessing, path
        assert canonical(Decision(**spec.decision).changes) == spec.decision, path
