import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cellbench import load_results
from cellbench.cli.results.table import HELP, table
from cellbench.core.errors import UsageError
from cellbench.reporting.tables import FORMATS
from cellbench.reporting.tables.by_view import tables
from cellbench.reporting.tables.registry import VIEWS, View
from cellbench.reporting.tables.table import WRITERS


@pytest.fixture
def run(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    return lambda *arguments: CliRunner().invoke(table, [str(a) for a in arguments], catch_exceptions=True)


def test_the_choices_are_what_reporting_offers():
    assert tuple(WRITERS) == FORMATS
    (view,) = [option for option in table.params if option.name == "view"]
    assert tuple(view.type.choices) == ("all", *VIEWS)
    assert all(f"{name:<15}{view.summary}" in HELP for name, view in VIEWS.items())
    assert all(callable(view.table) for view in VIEWS.values())


def test_a_view_is_one_entry(results, record, monkeypatch):
    monkeypatch.setitem(VIEWS, "toy", View("leaderboard:leaderboard", "a toy"))
    (shown,) = tables(load_results(results(record("cnn"))), "toy")
    assert [row["method"] for row in shown.rows] == ["cnn"]


def test_tables_go_to_stdout_and_bad_files_to_stderr(run, results, record):
    root = results(record("cnn"), record("cnn", limit=100))
    (root / "x.json").write_text("{}")
    outcome = run(root, "--view", "leaderboard")
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith("hep2, split official, content 5f3a9c, input 1×64×64\n")
    assert outcome.stdout.endswith(
        "1 other run (limited data or changed settings) is not shown; see it with: --runs all\n"
    )
    assert outcome.stderr == "passed over x.json: not a cellbench record (no schema_version)\n"


def test_what_programs_read_is_data_only(run, results, record):
    outcome = run(results(record("cnn"), record("cnn", limit=100)), "--format", "json", "--view", "leaderboard")
    assert [row["method"] for row in json.loads(outcome.stdout)] == ["cnn"]
    assert "1 other run" in outcome.stderr


def test_all_runs_are_shown_when_asked_for(run, results, record):
    outcome = run(results(record("cnn"), record("cnn", limit=100)), "--runs", "all", "--view", "leaderboard")
    assert "limited to 100 training images" in outcome.stdout
    assert "other run" not in outcome.output


@pytest.mark.parametrize("view", ["parity", "scaling"])
def test_views_that_compare_settings_or_limits_take_every_run_and_show_on_request_alone(run, results, record, view):
    limited = record("svm-hog", limit=100, overrides={"backend": "torch"})
    root = results(record("svm-hog"), limited)
    assert "svm-hog" in run(root, "--view", view).stdout
    assert "other run" not in run(root, "--view", view).output
    rows = json.loads(run(root, "--format", "json").stdout)
    assert {row["view"] for row in rows} == {"leaderboard", "svm-vs-deep"}


def test_when_every_run_is_limited_all_are_shown_and_a_line_says_so(run, results, record):
    outcome = run(results(record("cnn", limit=100)))
    assert outcome.exit_code == 0
    assert "limited to 100 training images" in outcome.stdout
    assert outcome.stdout.endswith("with default settings, so all runs are shown.\n")


def test_a_missing_folder_is_a_usage_error(run, tmp_path):
    outcome = run(tmp_path / "nowhere")
    assert isinstance(outcome.exception, UsageError)
    assert outcome.exception.exit_code == 2


def test_the_width_of_the_terminal_is_kept_unless_all_is_asked_for(run, results, record, monkeypatch):
    root = results(record("cnn"))
    assert "warm-up" in run(root).stdout.split("---")[0]
    monkeypatch.setenv("COLUMNS", "90")
    narrow = run(root, "--view", "leaderboard")
    assert max(map(len, narrow.stdout.splitlines())) <= 90
    assert "Left out to fit the terminal: warm-up" in narrow.stdout
    assert "warm-up" in run(root, "--wide").stdout.split("---")[0]
    assert "warm-up (s)" in run(root, "--format", "markdown").stdout


def test_a_command_that_would_write_elsewhere_is_completed(run, results, record, monkeypatch):
    root = results(record("cnn"))
    added = run(root, "--view", "depth").stdout.rstrip().split("\n")[-1]
    assert added == f"To have what is got with `cellbench run` in this folder, add: -o {root}"
    monkeypatch.chdir(root.parent)  # where `run` writes by default
    assert "-o" not in run("results", "--view", "depth").stdout


def test_help_needs_no_heavy_import():
    code = "import sys, cellbench.cli.results.table; assert not {'pandas', 'numpy', 'tabulate'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
