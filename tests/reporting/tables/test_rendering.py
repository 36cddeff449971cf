import csv
import io
import json
import os
import re
from pathlib import Path

import pytest

from cellbench import load_results
from cellbench.reporting.tables.by_view import tables
from cellbench.reporting.tables.registry import VIEWS
from cellbench.reporting.tables.table import BYTES, PERCENT, RATIO, SECONDS, Column, Table, render

from ..made_records import make
from ..made_results import backends, donors, judgements, sizes, sure

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def shown(results, everything):
    return lambda view="all", runs="default": tables(load_results(results(*everything)).select(runs)[0], view)


@pytest.fixture
def on_request(results, under_stress):
    """The tables of a view that is shown to those who name it, of records made for it."""
    made = {"parity": backends, "scaling": sizes, "per-class": judgements, "efficiency": judgements}
    made |= {"leave-one-out": donors, "summary": judgements, "calibration": sure, "abstention": sure}
    made["stress"] = lambda: [make("cnn"), make("svm-hog"), make("mlp")]
    under_stress(make("cnn"), rotation=[0.9, 0.9, 0.89, 0.88, 0.88, 0.87], seen={"rotation": {"rotate": 180}})
    under_stress(make("svm-hog"), rotation=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4], answered=True)
    return lambda view: tables(load_results(results(*made[view]())), view)


def column(kind, *values, **more):
    """Text of a table with one column `x`, line by line."""
    rows = tuple({"x": value} | {k: v[i] for k, v in more.items()} for i, value in enumerate(values))
    spread = Column("x", "x", kind, spread=bool(more))
    return render([Table("view", "title", (spread,), rows)], "text").split("\n")[2:]


@pytest.mark.parametrize(("style", "ending"), [("text", "txt"), ("markdown", "md"), ("latex", "tex")])
@pytest.mark.parametrize("view", VIEWS)
def test_views_look_as_in_their_golden_files(shown, on_request, view, style, ending):
    """CELLBENCH_UPDATE_GOLDEN=1 rewrites them; read the difference before it is committed."""
    found = on_request(view) if VIEWS[view].on_request else shown(view)
    text, golden = render(found, style) + "\n", GOLDEN / f"{view}.{ending}"
    if os.environ.get("CELLBENCH_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize(("style", "ending"), [("text", "txt"), ("markdown", "md"), ("latex", "tex")])
def test_intervals_and_ties_look_as_in_their_golden_files(results, style, ending):
    found = tables(load_results(results(*judgements())))
    text, golden = render(found, style, 100) + "\n", GOLDEN / f"certainty.{ending}"
    if os.environ.get("CELLBENCH_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_text_fits_a_terminal_of_132_columns(shown):
    text = render(shown(), "text", 132)
    assert max(map(len, text.split("\n"))) <= 132
    left_out = re.findall(r"Left out to fit the terminal: ([^.]+)\. To", " ".join(text.split()))
    assert left_out == ["memory"]  # of the one table that tells two contests apart


@pytest.mark.parametrize("width", [80, 100, 120])
def test_text_fits_the_terminal_and_names_the_columns_left_out(results, record, width):
    shown = tables(load_results(results(record("svm-hog"), record("resnet18"))))
    text = render(shown, "text", width)
    commands = [line for line in text.split("\n") if line.startswith("  cellbench ")]  # whole, to be copied
    assert max(len(line) for line in text.split("\n") if line not in commands) <= width
    for table, block in zip(shown, text.split("\n\n\n"), strict=True):
        (heading,) = re.findall(r"\n\n((?:.+\n)+)-[- ]+\n", block)
        told = re.search(r"Left out to fit the terminal: ([^.]+)\. To", " ".join(block.split()))
        left_out = told[1].split(", ") if told else []
        for column in table.columns:
            word = column.title.split("\n")[0]
            if column.shown(table.rows) and column.title not in ("gap", "seeds"):
                assert (column.title_in_line in left_out) or word in heading, column.title


def test_columns_that_can_best_be_spared_go_first(results, record):
    (table,) = tables(load_results(results(record("resnet18"))), "leaderboard")
    told = [re.search(r"terminal: ([^.]+)\. To", " ".join(render([table], "text", w).split())) for w in (104, 100, 80)]
    assert [found and found[1] for found in told] == ["warm-up", "warm-up", "warm-up, params, memory, predict"]


def test_a_pipe_gets_every_column(results, record):
    (table,) = tables(load_results(results(record("resnet18"))), "leaderboard")
    assert "Left out" not in render([table], "text")
    assert "warm-up" in render([table], "text")


def test_a_command_stands_on_a_line_of_its_own():
    note = "No net has a result here, which is a pity; get one with: cellbench run --dataset x --method cnn --limit 1"
    text = render([Table("view", "title", (), (), (note,))], "text", 60)
    assert text.split("\n")[-1] == "  cellbench run --dataset x --method cnn --limit 1"
    assert text.split("\n")[-2].endswith("get one with:")


def test_one_unit_serves_a_whole_column():
    assert column(SECONDS, 90, 5400) == ["   x", " min", "----", " 1.5", "90.0"]
    assert column(SECONDS, 5400, None, 0.5)[1].strip() == "s"
    assert column(BYTES, 2.5e9, 1.25e9) == ["   x", "  GB", "----", "2.50", "1.25"]
    assert column(BYTES, 2.5e9, 700e6) == ["    x", "   MB", "-----", "2,500", "  700"]


def test_figures_align_with_and_without_a_spread():
    assert column(PERCENT, 0.951, 0.5, None, x_sd=(0.004, None, None)) == [
        "         x",
        "         %",
        "----------",
        "95.1 ± 0.4",
        "50.0",
        "   –",
    ]


def test_ratios_show_two_digits_that_count():
    assert [line.strip() for line in column(RATIO, 30.4, 3.14, 0.314, 1234)[3:]] == ["30", "3.1", "0.31", "1,234"]


def test_a_remark_stands_in_place_of_missing_figures(results, record):
    root = results(record("cnn"), record("mlp", status="timeout", reason="stopped after 60 s"))
    line = render(tables(load_results(root), "leaderboard"), "text").split("\n")[7]
    assert re.fullmatch(r"mlp     cpu \(2\)    timeout: stopped after 60 s +0 of 1", line)


def test_part_of_the_seeds_is_shown_as_such(results, record):
    root = results(record("cnn"), record("cnn", seed=1), record("cnn", seed=2, status="failed", reason="no memory"))
    lines = render(tables(load_results(root), "leaderboard"), "text").split("\n")
    assert lines[6].endswith("2 of 3")
    assert lines[7].strip() == "seed 2 failed: no memory"


def test_markup_in_a_reason_stays_text(results, record):
    root = results(record("cnn", status="failed", reason="a|b_50%"))
    board = tables(load_results(root), "leaderboard")
    assert "a\\|b\\_50%" in render(board, "markdown")
    assert r"a|b\_50\%" in render(board, "latex")


def test_json_holds_raw_figures_and_only_documented_keys(shown, on_request):
    named = [table for view in VIEWS if VIEWS[view].on_request for table in on_request(view)]
    rows = json.loads(render([*shown(), *named], "json"))
    best = next(row for row in rows if (row["dataset"], row["split"]) == ("hep2", "official"))
    assert (best["view"], best["method"], best["seeds"]) == ("leaderboard", "resnet34", [0, 1, 2])
    assert best["test_accuracy"] == pytest.approx(0.941 + 0.001 / 3)
    assert best["parameters"] == 21_284_358
    documented = (Path(__file__).parents[3] / "docs" / "table-json.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)`", documented))
    assert {name.removesuffix("_sd") for row in rows for name in row} <= told


def test_csv_holds_the_same_figures_as_json(shown, on_request):
    found = [*shown(), *on_request("scaling")]
    for from_json, from_csv in zip(
        json.loads(render(found, "json")), csv.DictReader(io.StringIO(render(found, "csv"))), strict=True
    ):
        for name, value in from_json.items():
            if isinstance(value, bool) or value is None:
                assert from_csv[name] == ("" if value is None else str(value))
            elif isinstance(value, int | float):
                assert float(from_csv[name]) == value
            elif isinstance(value, list):
                assert json.loads(from_csv[name]) == value
            else:
                assert from_csv[name] == value
