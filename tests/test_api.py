"""The public functions of `cellbench`, beside the command line that does the same."""

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest

import cellbench
from cellbench import svm
from cellbench.api import run
from cellbench.cli.runs.run import run as command
from cellbench.core.errors import DataError, UsageError
from cellbench.datasets import datasets
from cellbench.datasets.opening import FolderKeywords
from cellbench.datasets.toy import rings
from cellbench.running.planning.options import RunOptions

REPEATABLE = {"dataset": "datasets", "method": "methods", "suite": "suites", "plugin": "plugins"}
OF_THE_COMMAND_LINE = {"dry_run", "scheduler"}  # the first lists what would be run, the second is an executor's
OF_PROGRAMS = {"executor"}  # one for which the command has names


@pytest.fixture
def toy_set(monkeypatch):
    """A data set called rings."""
    monkeypatch.setattr(datasets, "_added", dict(datasets._entries))
    cellbench.dataset("rings", "", licence="", size="")(lambda scratch, source: rings())
    return "rings"


def keywords(function):
    plain = {name for name, one in inspect.signature(function).parameters.items() if one.kind is not one.VAR_KEYWORD}
    return plain | set(FolderKeywords.__annotations__)


def test_importing_it_loads_nothing_heavy():
    code = (
        "import sys, cellbench; assert 'run' in dir(cellbench); "
        "print({'torch', 'pandas', 'numpy', 'click'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


@pytest.mark.parametrize("name", cellbench.__all__)
def test_every_public_name_is_there(name):
    assert getattr(cellbench, name) is not None


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="has no attribute 'train'"):
        _ = cellbench.train


def test_run_takes_what_the_command_takes_by_the_same_names():
    longest = [max(option.opts, key=len).removeprefix("--").replace("-", "_") for option in command.params]
    options = {REPEATABLE.get(name, name) for name in longest} - OF_THE_COMMAND_LINE
    assert keywords(run) == options | OF_PROGRAMS


def test_every_keyword_reaches_the_options_with_the_same_default():
    defaults = RunOptions()
    given = inspect.signature(run).parameters
    for name in set(given) - OF_PROGRAMS - {"folder"}:
        assert str(given[name].default) == str(getattr(defaults, name)), name


def test_a_run_trains_saves_and_gives_its_results(toy_set, tmp_path, capsys):
    results = cellbench.run(toy_set, "svm-flat", set={"C": 3}, seeds=range(2), limit=30, output=tmp_path / "out")
    (row,) = results.to_frame().to_dict("records")  # no seed changes an SVM
    assert (row["method"], row["limit"], row["status"]) == ("svm-flat", 30, "ok")
    assert json.loads(row["params"])["C"] == 3
    assert len(list((tmp_path / "out").rglob("*.json"))) == 1
    assert "svm-flat" in str(results)
    assert repr(results).startswith("<results of 1 run in ")
    assert "<td" in results._repr_html_()
    said = capsys.readouterr()
    assert "svm-flat on toy, seed 0: test accuracy" in said.err
    assert said.out == ""
    again = cellbench.run([toy_set], ["svm-flat"], set=["C=3"], limit=30, output=tmp_path / "out", quiet=True)
    assert again.frame["path"].tolist() == results.frame["path"].tolist()
    assert capsys.readouterr().err == ""


def test_two_shards_do_every_run_once_and_an_empty_one_has_no_results(toy_set, tmp_path):
    asked = {"datasets": toy_set, "methods": ["svm-flat", "floor-majority"], "output": tmp_path, "quiet": True}
    before, counts = set(), []
    for shard in ("1/2", "2/2"):
        cellbench.run(**asked, shard=shard)
        now = {path.name for path in tmp_path.rglob("*.json")}
        counts.append(len(now - before))
        before = now
    assert sum(counts) == 2
    empty = next(n for n in range(1, 10) if not any(int(name[3:15], 16) % 9 == n - 1 for name in before))
    nothing = cellbench.run(**asked, shard=f"{empty}/9")
    assert (len(nothing.frame), len(nothing.rows)) == (0, 0)


def test_an_executor_of_ones_own_does_the_runs(toy_set, tmp_path):
    from cellbench.running.executors import LocalExecutor

    class Counting(LocalExecutor):
        done = 0

        def run(self, tasks, listener):
            for outcome in super().run(tasks, listener):
                self.done += 1
                yield outcome

    executor = Counting()
    cellbench.run(toy_set, ["svm-flat", "floor-majority"], output=tmp_path, quiet=True, executor=executor)
    assert executor.done == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "nothing was chosen; say --quick"),
        ({"methods": "svm-flatt"}, "no method matches 'svm-flatt'; did you mean 'svm-flat'"),
        ({"methods": "svm-flat", "limit": 0}, "--limit got 0; give a number from 1"),
        ({"methods": "cnn", "epochs": 0}, "--epochs got 0; give a number from 1"),
        ({"methods": "cnn", "device": "gpu"}, "--device got 'gpu'; give one of auto, cpu, cuda"),
        ({"methods": "cnn", "seeds": []}, "--seeds got ''; write 0, 0-2 or 0,3,5"),
        ({"methods": "cnn", "seeds": -1}, "--seeds got '-1'"),
        ({"methods": "cnn", "timeout": 0}, "--timeout got 0; give a number of seconds above zero"),
    ],
)
def test_what_the_command_refuses_is_refused(options, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        cellbench.run(output=tmp_path, **options)


def test_a_data_set_is_opened_by_name_with_any_split(toy_set):
    assert len(cellbench.open_dataset(toy_set)) == len(rings())
    assert cellbench.open_dataset(toy_set, split="stratified").split.name == "stratified"
    with pytest.raises(UsageError, match="--labels is for folders of images, not for 'rings'"):
        cellbench.open_dataset(toy_set, labels="labels.csv")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="does not exist; give a folder of images"):
        cellbench.open_dataset(tmp_path / "cells")


def test_inspect_tells_what_the_command_tells(toy_set, tmp_path, monkeypatch):
    monkeypatch.setattr("cellbench.datasets.audit.shortcuts.TREES", 20)
    found = cellbench.inspect(toy_set, output=tmp_path / "cells.png")
    assert found.name == "toy"
    assert {result.check for result in found.checks} >= {"exact-duplicates", "order"}
    assert (tmp_path / "cells.png").stat().st_size > 0


def test_suspect_labels_are_ranked_from_a_program_as_from_the_command_line(toy_set, tmp_path):
    pytest.importorskip("cleanlab")
    found = cellbench.suspect_labels(toy_set, limit=60, output=tmp_path / "suspects.csv")
    assert len(found) == 60
    one, *_ = found.first(1)
    assert (tmp_path / "suspects.csv").read_text().splitlines()[1].startswith(f"1,{one.position},{one.name},")
    assert not (tmp_path / "suspects.png").exists()


def test_the_svm_and_the_features_are_used_by_themselves():
    data = rings()
    features = cellbench.features.hog(data.images).numpy()
    model = cellbench.svm.SVC(C=1.0).fit(features[data.split.train], data.labels[data.split.train])
    assert cellbench.svm is svm
    assert np.mean(model.predict(features[data.split.test]) == data.labels[data.split.test]) > 0.5
