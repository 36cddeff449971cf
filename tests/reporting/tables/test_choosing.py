"""--where and --sort: which rows tables show, and in which order."""

import json

import pytest
from click.testing import CliRunner

from cellbench.cli.results.table import table
from cellbench.core.errors import UsageError
from cellbench.reporting.tables.choosing import ordered
from cellbench.reporting.tables.table import Table

from ..made_records import STEADY, judged, make


@pytest.fixture
def shown(results):
    """Rows of a view as programs get them, of some records."""
    root = results(
        judged("resnet18", 0.9, 1, facts=STEADY),
        judged("cnn", 0.8, 2, facts=STEADY),
        judged("svm-hog", 0.7, 3),
        *(make("mlp", seed=seed, shift=shift) for seed, shift in enumerate((0.0, -0.2))),
        make("vgg11", status="failed", reason="x"),
        make("svm-flat", limit=100),
    )

    def show(*arguments):
        outcome = CliRunner().invoke(table, [str(root), "--format", "json", *arguments])
        if outcome.exception and not isinstance(outcome.exception, SystemExit):
            raise outcome.exception
        return json.loads(outcome.stdout)

    return show


def methods(rows):
    return [row["method"] for row in rows]


def test_rows_are_chosen_by_names_and_figures(shown):
    board = ("--view", "leaderboard")
    assert methods(shown(*board, "--where", "method=*n*")) == ["resnet18", "cnn"]
    assert methods(shown(*board, "--where", "test_accuracy>=0.75")) == ["resnet18", "cnn"]
    assert methods(shown(*board, "--where", "family=svm", "--where", "C=*10*")) == ["svm-hog"]
    assert methods(shown(*board, "--where", "limit=100", "--runs", "all")) == ["svm-flat"]


def test_a_figure_is_chosen_by_the_mean_over_seeds_so_none_is_dropped_for_its_bad_luck(shown):
    (row,) = shown("--view", "leaderboard", "--where", "method=mlp", "--where", "test_accuracy<0.7")
    assert row["seeds"] == [0, 1]  # 0.759 and 0.559
    with pytest.raises(UsageError, match="no result has"):
        shown("--view", "leaderboard", "--where", "method=mlp", "--where", "test_accuracy>0.7")


def test_columns_of_a_view_choose_lines_of_it(shown):
    rows = shown("--view", "per-class", "--where", "class=Golgi", "--where", "family=deep")
    assert [(row["class"], row["method"]) for row in rows] == [("Golgi", "resnet18"), ("Golgi", "cnn")]
    assert methods(shown("--view", "efficiency", "--where", "pareto=*parameters*")) == ["resnet18", "cnn"]


def test_the_best_is_told_among_the_rows_that_are_shown(shown):
    assert [row["tied"] for row in shown("--view", "leaderboard", "--where", "method!=resnet18")][:2] == [True, False]


def test_rows_are_sorted_by_a_column_and_missing_ones_stand_last(shown):
    board = ("--view", "leaderboard", "--sort")
    assert methods(shown(*board, "train_seconds")) == ["svm-hog", "mlp", "cnn", "resnet18", "vgg11"]
    assert methods(shown(*board, "-train_seconds")) == ["resnet18", "cnn", "mlp", "svm-hog", "vgg11"]


def test_unknown_columns_are_told_with_the_nearest(shown):
    with pytest.raises(UsageError, match=r"'train_second'.*did you mean 'train_seconds'"):
        shown("--sort", "train_second")
    with pytest.raises(UsageError, match=r"'metod'; did you mean 'method'"):
        shown("--where", "metod=cnn")


def test_rows_that_the_default_leaves_out_are_told_of_where_none_is_left(shown):
    with pytest.raises(UsageError, match=r"no result has limit=100; limit is none \(1 other run .*--runs all\)"):
        shown("--where", "limit=100")


def test_a_table_without_the_column_keeps_its_order():
    here, other = Table("a", "", (), ({"x": 2}, {"x": 1})), Table("b", "", (), ({"y": 2}, {"y": 1}))
    assert [next(iter(row.values())) for table in ordered([here, other], "x") for row in table.rows] == [1, 2, 2, 1]
