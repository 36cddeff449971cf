"""The comparison with the commit before: what it says, and that a run that failed is no measurement."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import click
import pytest

FILE = Path(__file__).parents[1] / "benchmarks" / "parent.py"
SPEC = importlib.util.spec_from_file_location("parent", FILE)
assert SPEC
assert SPEC.loader
parent = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(parent)

OPTION = """
import pathlib, sys
def pytest_addoption(parser):
    parser.addoption("--ratios", type=pathlib.Path)
def pytest_sessionfinish(session):
    import cellbench
    session.config.getoption("--ratios").write_text(cellbench.RATIOS)
"""


def version(folder, test, ratio):
    """A folder with a package and one benchmark, as `git archive` makes it."""
    for part in parent.PARTS:
        (folder / part).mkdir(parents=True)
    (folder / "cellbench" / "__init__.py").write_text(f"RATIOS = '{{\"test_it\": {ratio}}}'")
    (folder / "benchmarks" / "conftest.py").write_text(OPTION)
    (folder / "benchmarks" / "test_it.py").write_text(f"def test_it():\n    {test}\n")
    return folder


def test_each_version_runs_its_own_benchmarks_on_its_own_package(tmp_path):
    assert parent._ratios(version(tmp_path / "new", "pass", 4.5), "") == {"test_it": 4.5}
    assert parent._ratios(version(tmp_path / "old", "import sys", 5.5), "it") == {"test_it": 5.5}


def test_a_benchmark_that_fails_ends_the_comparison(tmp_path):
    with pytest.raises(click.ClickException, match="benchmarks of the old version ended with 1") as raised:
        parent._ratios(version(tmp_path / "old", "assert 2 > 3", 5.5), "")
    assert "assert 2 > 3" in raised.value.message


def test_what_is_said_of_the_pairs(capsys):
    runs = [{"same": 5 + 0.01 * (i % 2), "lost": 4 - 0.01 * (i % 2), "added": 1.0} for i in range(10)]
    before = [{"same": 5 + 0.01 * (i % 3), "lost": 5.0, "gone": 1.0} for i in range(10)]
    assert parent._judged({"new": runs, "old": before}, 0.0) == ["as before", "slower"]
    shown = capsys.readouterr().out.splitlines()
    assert set(shown[:2]) == {
        "added: not compared, as only the new version has it",
        "gone: not compared, as only the old version has it",
    }
    assert shown[3].startswith("lost: 0.80 × as fast as before, limit 1.00 ×: slower")
    assert parent._judged({"new": runs, "old": before}, 0.25) == ["too noisy", "too noisy"]


def test_quick_works_are_timed_by_new_processes_for_each_pair_in_turn_by_the_package_of_each_version(tmp_path):
    code = """
import json, os, sys
from pathlib import Path
import cellbench
print(json.dumps({"package": str(Path(cellbench.__file__).parent), "works": ["it"]}), flush=True)
for line in sys.stdin:
    assert line == "it\\n"
    with open("../turns", "a") as file:
        print(cellbench.RATIOS, os.getpid(), file=file)
    print(json.loads(cellbench.RATIOS)["test_it"], flush=True)
"""
    for name, seconds in (("new", 2.0), ("old", 4.0)):
        (version(tmp_path / name, "pass", seconds) / "benchmarks" / "quick.py").write_text(code)
    found = parent._quick_pairs(tmp_path, 3)
    assert [run["it"] for run in found["new"]] == pytest.approx([0.5] * 3)
    assert [run["it"] for run in found["old"]] == pytest.approx([0.25] * 3)
    turns = (tmp_path / "turns").read_text().splitlines()
    assert len(turns) == 3 * 2 * parent.TURNS
    assert len(set(turns)) == 3 * 2  # processes
    assert ["2.0" in turn for turn in turns[:4]] == [False, True, True, False]


def test_a_version_that_took_another_package_is_refused(tmp_path):
    (tmp_path / "new").mkdir()
    answer = f'import json; print(json.dumps({{"package": {str(tmp_path)!r}, "works": []}}))'
    with (
        subprocess.Popen([sys.executable, "-c", answer], stdout=subprocess.PIPE, text=True) as process,
        pytest.raises(click.ClickException, match="the new version took the package in"),
    ):
        parent._works(process, tmp_path / "new")


def test_a_commit_that_is_not_there_is_told(tmp_path):
    with pytest.raises(click.UsageError, match="--against no-such-commit"):
        parent._export("no-such-commit", tmp_path / "old")
