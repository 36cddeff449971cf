"""Whatever is added is added in one place: a toy of each kind is found wherever things of its kind are shown."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from .reporting.made_records import make, of_several_labels, saved

FOUND = [
    ("method", "list methods", "toy-method"),
    ("method", "table", "toy-method"),
    ("method", "chart", "toy-method"),
    ("method", "page", "toy-method"),
    ("net", "list methods", "toy-net"),
    ("data set", "list datasets", "toy-set"),
    ("data set", "table", "toy-set"),
    ("data set", "chart", "toy-set"),
    ("data set", "page", "toy-set"),
    ("metric", "table", "toy share"),
    ("metric", "table of data", "test_toy_share"),
    ("metric", "page", "toy share"),
    ("view", "table --help", "what a toy view shows"),
    ("view", "view", "toy-method"),
    ("chart kind", "plot --help", "what a toy chart shows"),
    ("chart kind", "plot", "toy-chart-toy-set.png"),
    ("chart kind", "page", "A toy chart"),
    ("suite", "list suites", "What a toy suite asks"),
    ("suite", "claims", "toy label"),
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What commands write once a toy of each kind was added, by the names in `toys`."""
    folder = tmp_path_factory.mktemp("toys")
    of_set = make("cnn", dataset="toy-set")
    several = make("cnn", facts={"multilabel": True}, **of_several_labels(0.7))
    metrics = {part: {**figures, "toy_share": 0.3} for part, figures in several.metrics.items()}
    of_method = replace(of_set, spec=replace(of_set.spec, method="toy-method"))
    saved(folder / "records", of_method, replace(several, metrics=metrics))
    program = [sys.executable, str(Path(__file__).with_name("toys.py"))]
    done = subprocess.run(program, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("kind", "where", "what"), FOUND)
def test_what_is_added_in_one_place_is_found(written, kind, where, what):
    assert what in written[where], kind
