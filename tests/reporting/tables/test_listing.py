from click.testing import CliRunner

from cellbench import load_results
from cellbench.cli import cli
from cellbench.reporting.tables.table import render
from cellbench.reporting.tables.views.runs import runs


def test_what_tells_runs_apart_is_shown(results, record):
    root = results(
        record("cnn"),
        record("cnn", split="id-block"),
        record("cnn", limit=1500),
        record("cnn", overrides={"epochs": 3}),
        record("cnn", overrides={"lr": 0.5}),
        record("cnn", device="cuda"),
        record("svm-hog"),
        record("cnn", seed=1),
    )
    table = runs(load_results(root))
    shown = {
        tuple(column.value(row) for column in table.columns if column.title not in ("machine", "content", "file"))[:8]
        for row in table.rows
    }
    assert len(shown) == len(table.rows) == 8
    assert ("hep2", "id-block", "all", "cnn", "lr=0.1", "16", "0", "cpu") in shown
    assert ("hep2", "official", "1,500", "cnn", "lr=0.1", "16", "0", "cpu") in shown
    assert ("hep2", "official", "all", "cnn", "lr=0.5", "16", "0", "cpu") in shown
    assert ("hep2", "official", "all", "cnn", "lr=0.1", "3", "0", "cpu") in shown
    assert ("hep2", "official", "all", "svm-hog", "", None, "0", "cpu") in shown


def test_content_is_shown_where_two_data_sets_have_one_name(results, record):
    def titles(*records):
        table = runs(load_results(results(*records)))
        return [column.title for column in table.columns if column.shown(table.rows)]

    assert "content" not in titles(record("cnn"), record("cnn", dataset="blood", fingerprint="77"))
    assert "content" in titles(record("cnn", fingerprint="88"))


def test_a_failed_run_shows_its_reason_and_no_figure_is_nan(results, record):
    root = results(record("cnn"), record("mlp", status="failed", reason="no memory"))
    text = render([runs(load_results(root))], "text")
    assert text.startswith("2 runs: 1 ok, 1 failed\n")
    (line,) = (line for line in text.split("\n") if "mlp" in line)
    assert "failed  no memory" in line
    assert line.endswith(".json")
    assert "nan" not in text.lower()


def test_one_run_is_one_run(results, record):
    assert runs(load_results(results(record("cnn")))).title == "1 run: 1 ok"


def test_the_command_keeps_to_the_terminal_and_names_files_that_are_no_records(results, record, monkeypatch):
    root = results(record("cnn"))
    (root / "x.json").write_text("{}")
    monkeypatch.setenv("COLUMNS", "100")
    narrow = CliRunner().invoke(cli, ["list", "results", str(root)], catch_exceptions=False)
    assert max(map(len, narrow.stdout.splitlines())) <= 100
    assert "Left out to fit the terminal: file." in narrow.stdout
    assert narrow.stderr == "passed over x.json: not a cellbench record (no schema_version)\n"
    wide = CliRunner().invoke(cli, ["list", "results", str(root), "--wide"], catch_exceptions=False)
    assert "example-cpu-2c-abc123/hep2/cnn/s0-" in wide.stdout
