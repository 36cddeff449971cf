"""What a command says by default: this machine's records, and the answer after a run."""

import json

import pytest
from click.testing import CliRunner

from cellbench.cli import cli
from cellbench.core.records.store import Store
from cellbench.methods import methods
from cellbench.running.planning.options import RunOptions
from cellbench.running.planning.quick import METHODS, choose_quick

from ...reporting.made_records import make


@pytest.fixture
def call(monkeypatch, tmp_path):
    """Invoke a command in an empty folder, on a machine called 'here'."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cellbench.core.machine.environment.machine_name", lambda: "here")
    return lambda *arguments: CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False)


@pytest.fixture
def shared(call, tmp_path):
    """Results of this machine and of two others."""
    for machine, method in (("here", "svm-hog"), ("there", "cnn"), ("elsewhere", "mlp"), ("elsewhere", "svm-flat")):
        Store(tmp_path / "results", machine).save(make(method))


def machines(outcome):
    return {row["machine"] for row in json.loads(outcome.stdout)}


ONLY_HERE = (
    "Only runs of here are shown; there are others of elsewhere (2 runs), there (1 run): --machine NAME, or "
    "--machine all\n"
)


def test_without_a_folder_this_machine_s_records_are_shown_and_the_others_named(call, shared):
    outcome = call("table", "--format", "json")
    assert machines(outcome) == {"here"}
    assert outcome.stderr == ONLY_HERE


def test_all_machines_or_another_one_are_shown_when_asked_for(call, shared):
    every = call("table", "--format", "json", "--machine", "all")
    assert machines(every) == {"here", "there", "elsewhere"}
    assert every.stderr == ""
    assert machines(call("table", "--format", "json", "--machine", "there")) == {"there"}


def test_a_folder_that_is_named_is_shown_whole(call, shared):
    outcome = call("table", "results", "--format", "json")
    assert machines(outcome) == {"here", "there", "elsewhere"}
    assert outcome.stderr == ""
    assert machines(call("table", "results", "--machine", "here", "--format", "json")) == {"here"}


def test_where_this_machine_has_no_record_all_are_shown(call, shared, monkeypatch):
    monkeypatch.setattr("cellbench.core.machine.environment.machine_name", lambda: "new")
    assert machines(call("table", "--format", "json")) == {"here", "there", "elsewhere"}


def test_findings_plots_and_report_take_the_same_machine(call, shared, tmp_path):
    (said,) = json.loads(call("findings", "--format", "json").stdout)["sentences"]
    assert said["machine"] == "here"
    assert call("report", "--no-cells").stderr == ONLY_HERE
    assert "elsewhere" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert call("plot", "time").stderr.startswith(ONLY_HERE)


def test_a_machine_without_a_record_is_refused_with_those_that_have_one(shared):
    outcome = CliRunner().invoke(cli, ["table", "--machine", "her"])
    assert str(outcome.exception) == "--machine got 'her', which has no record here; did you mean 'here' or 'there'?"


# run


def test_quick_chooses_a_floor_two_svms_and_the_quick_net_on_the_embedded_cells():
    options = choose_quick(RunOptions(quick=True))
    assert options.methods == tuple(name for name in METHODS if name in methods)
    assert "svm-hog" in options.methods
    assert options.datasets == ("synthetic-yeast",)


def test_quick_takes_the_images_that_are_named():
    options = choose_quick(RunOptions(quick=True, datasets=("my_cells/",)))
    assert options.datasets == ("my_cells/",)


def test_quick_and_methods_of_one_s_own_are_refused(call):
    outcome = CliRunner().invoke(cli, ["run", "--quick", "-m", "cnn"])
    assert str(outcome.exception) == (
        "--quick chooses the methods itself, and --method was given too; leave one of them out"
    )


def test_methods_are_listed_under_their_families(call):
    lines = call("list", "methods").stdout.split("\n")
    svm = lines.index("svm: support vector machines on hand-made features")
    deep = lines.index("deep: nets trained on these images")
    assert svm < next(i for i, line in enumerate(lines) if line.startswith("svm-hog ")) < deep
    assert deep < next(i for i, line in enumerate(lines) if line.startswith("resnet18 "))
    known = {entry.name for entry in methods.entries()}
    assert len([line for line in lines if line.split(" ")[0] in known]) == len(known)
