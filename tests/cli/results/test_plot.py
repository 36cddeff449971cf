import subprocess
import sys

import pytest
from click.testing import CliRunner

from cellbench import load_results
from cellbench.cli.results.plot import plot
from cellbench.core.errors import UsageError
from cellbench.core.records.store import Store
from cellbench.reporting.charts import FORMATS, registry
from cellbench.reporting.charts.kinds.bars import bars
from cellbench.reporting.report.page import report

from ...reporting.made_records import make


@pytest.fixture
def root(tmp_path):
    store = Store(tmp_path / "records", "example-cpu-2c-abc123")
    for record in (
        make("cnn"),
        make("svm-hog"),
        make("cnn", split="id-block"),
        make("svm-hog", limit=100, facts={"n": {"train": 100, "val": 500, "test": 500}}),
        make("cnn", dataset="blood"),
    ):
        store.save(record)
    return tmp_path / "records"


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(plot, [str(a) for a in arguments])


def refused(outcome) -> str:
    assert isinstance(outcome.exception, UsageError)
    assert outcome.exception.exit_code == 2
    return str(outcome.exception)


@pytest.fixture
def toy(monkeypatch):
    """A kind of chart that a module of its own would add."""
    registry.kinds()
    monkeypatch.setattr(registry, "_KINDS", dict(registry._KINDS))
    registry.chart("toy", "A toy", "what a toy shows", place=5)(bars)


def test_a_new_kind_is_in_the_help_among_all_and_on_the_page_without_a_second_list(toy, run, root):
    assert "toy             what a toy shows" in run("--help").stdout
    assert run("toy", root, "-d", "blood").stdout.split() == ["toy-blood.png"]
    assert run("all", root, "-d", "blood").stdout.split()[0] == "plots/toy-blood.png"
    assert report(load_results(root)).figures[0].kind.heading == "A toy"


def test_help_names_every_kind_and_form(run):
    told = run("--help").stdout
    assert all(f"\n  {kind.name:<16}{kind.about}" in told for kind in registry.kinds().values())
    assert "|".join(FORMATS) in told


def test_each_data_set_and_split_gets_a_file_whose_name_is_printed(run, root, tmp_path):
    outcome = run("time", root)
    assert outcome.exit_code == 0
    names = ["time-blood.png", "time-hep2-id-block.png", "time-hep2-official.png"]
    assert outcome.stdout.split() == names
    assert {path.name for path in tmp_path.glob("*.png")} == set(names)
    assert outcome.stderr == (
        "1 other run (limited data or changed settings) left out; all are taken with: --runs all\n"
    )


@pytest.mark.parametrize(
    ("arguments", "name", "start"),
    [
        (["-o", "x.svg"], "x.svg", b"<svg"),
        (["-o", "new/x.PDF"], "new/x.PDF", b"%PDF"),
        (["-o", "x.json"], "x.json", b'{\n "'),
        (["--format", "svg"], "bars-blood.svg", b"<svg"),
        (["-o", "new"], "new/bars-blood.png", b"\x89PNG"),
        (["-o", "new/", "--format", "pdf"], "new/bars-blood.pdf", b"%PDF"),
        (["-o", "x.dat", "--format", "pdf"], "x.dat", b"%PDF"),
    ],
)
def test_the_format_is_that_of_the_ending_or_of_the_option(run, root, tmp_path, arguments, name, start):
    outcome = run("bars", root, "-d", "blood", *arguments)
    assert outcome.stdout.split() == [name]
    assert (tmp_path / name).read_bytes()[:4] == start


def test_conditions_and_data_sets_choose_what_is_drawn(run, root):
    assert run("bars", root, "--dataset", "h*", "--where", "split=official").stdout.split() == ["bars-hep2.png"]
    assert run("time", root, "--where", "limit=100").stdout.split() == ["time-hep2.png"]
    assert run("time", root, "-d", "hep2", "--where", "split=official", "--runs", "all").stdout.split() == [
        "time-hep2-all.png",
        "time-hep2-n100.png",
    ]


def test_all_draws_what_it_can_into_a_folder_and_says_what_is_lacking(run, root):
    outcome = run("all", root, "-d", "hep2", "--where", "split=official")
    assert outcome.exit_code == 0
    assert outcome.stdout.split() == [
        f"plots/{kind}-hep2.png" for kind in ("time", "bars", "learning-curve", "svm-time")
    ]
    told = outcome.stderr.splitlines()
    kinds_lacking = ["depth", "reliability", "abstention", "per-class", "stress", "history", "thresholds", "confusion"]
    assert [line.split(": ")[1] for line in told[:-1]] == [f"{k} of hep2, split official" for k in kinds_lacking]
    assert told[kinds_lacking.index("history")].endswith(
        f"get one with: cellbench run --dataset hep2 --method cnn --device cpu -o {root}"
    )


def test_what_is_lacking_is_told_with_the_command_that_makes_it(run, root):
    assert refused(run("depth", root, "-d", "blood")) == (
        "depth of blood, split official: no plain or residual net at two depths; get one with: "
        "cellbench run --dataset blood --method plain18 "
        f"--method resnet18 --method plain34 --method resnet34 --device cpu -o {root}"
    )
    root.rename(root.parent / "results")  # where `run` writes by default
    assert "-o" not in refused(run("depth", "results", "-d", "blood"))


def test_a_kind_that_several_lack_is_told_once(run, root):
    told = refused(run("depth", root))
    assert told.startswith(
        "depth of hep2, split official (nor of blood, split official; hep2, split id-block): no plain"
    )
    assert told.count("cellbench run") == 1


def test_runs_that_were_left_out_are_told_where_nothing_is_drawn(run, root):
    assert refused(run("history", root, "-d", "hep2", "--where", "split=official")).endswith(
        "(1 other run (limited data or changed settings) left out; all are taken with: --runs all)"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tim"], "no plot is called 'tim'; did you mean 'time'"),
        (["records"], "'records' is a folder, and the kind of plot comes first: cellbench plot all records"),
        (["time", "records", "-d", "hep"], "no result is of a data set 'hep'; did you mean 'hep2'?"),
        (
            ["time", "records", "--where", "metod=cnn"],
            "results have no column or setting 'metod'; did you mean 'method'",
        ),
        (["time", "records", "-o", "x.gif"], "-o x.gif ends in .gif; figures are written as png, svg, pdf, json"),
        (["time", "records", "-o", "x.png", "--format", "svg"], "-o x.png and --format svg disagree"),
        (["all", "records", "-o", "x.png"], "-o x.png is a file, and `all` draws several; give a folder"),
        (["time", "nowhere"], "no results folder at 'nowhere'"),
        (
            ["time", "records", "-o", "x.png"],
            "-o x.png is one file, and there are 3 figures (blood, split official; hep2, split id-block; hep2, split "
            "official); choose with --dataset, --where split=NAME or --where limit=N, or give -o a folder",
        ),
        (["time", "records", "-d", "blood", "-o", "records/example-cpu-2c-abc123/x.png/y.png"], ""),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(run, root, arguments, told):
    if not told:
        (root / "example-cpu-2c-abc123" / "x.png").touch()
        told = "cannot write records/example-cpu-2c-abc123/x.png/y.png: "
    assert refused(run(*arguments)).startswith(told)


def test_a_file_that_is_no_record_is_passed_over_and_named(run, root):
    (root / "x.json").write_text("{}")
    assert run("time", root, "-d", "blood").stderr.startswith("passed over x.json: not a cellbench record")


def test_help_needs_no_heavy_import():
    heavy = "{'pandas', 'numpy', 'altair', 'vl_convert'}"
    code = f"import sys, cellbench.cli.results.plot; assert not {heavy} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
