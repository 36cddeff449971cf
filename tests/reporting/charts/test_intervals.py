"""Bars of test figures are the intervals of the tables, and are called what these call them."""

import pytest

from cellbench import load_results
from cellbench.reporting.charts import chart as charts
from cellbench.reporting.charts.registry import kinds
from cellbench.reporting.report.page import report
from cellbench.reporting.tables.by_view import tables
from cellbench.results import certainty

from ..made_records import CLASSES, judged, make
from .specification import layers

NETS = ("plain18", "plain34", "resnet18", "resnet34")


def sized(method, share, luck, n, **changes):
    facts = {"n": {"train": n, "val": 200, "test": 600}}
    return judged(method, share, luck, limit=n, facts=facts, **changes)


@pytest.fixture
def drawn(results):
    """Of records the layers of a kind, its chart, and the rows of the tables of a view by method and limit."""

    def draw(kind, *records, view="leaderboard"):
        given = load_results(results(*records))
        found = tables(given, view)
        chart = kinds()[kind].chart(given.rows)
        rows = {(row["method"], row["limit"]): row for table in found for row in table.rows}
        return layers(chart), chart, rows, [note for table in found for note in table.notes]

    return draw


def ends(drawn, panel="", **chosen):
    """(low, high) of the bars of the marks whose data have these values."""
    points = [one for one in drawn if one.mark in ("point", "bar") and panel in ("", one.panel)][-1]
    data = [datum for datum in points.data if all(datum[name] == value for name, value in chosen.items())]
    return [(datum["low"], datum["high"]) for datum in data if "low" in datum]


def interval_of(row, figure="test_accuracy"):
    return pytest.approx((row[f"{figure}_low"], row[f"{figure}_high"]))


def test_the_bar_of_accuracy_against_time_is_the_interval_of_the_table(drawn):
    marks, chart, rows, _ = drawn("time", judged("resnet18", 0.93, 1), judged("svm-hog", 0.8, 2))
    for row in chart.rows:
        assert ends(marks, label=row["method"]) == [interval_of(rows[row["method"], None])]
    bars = next(one for one in marks if one.mark == "rule" and "y2" in one.encoding)
    assert bars.values("y", "y2") == [interval_of(rows[row["method"], None]) for row in chart.rows]


def test_figures_call_their_bars_what_the_table_calls_them(drawn):
    records = judged("resnet18", 0.93, 1, groups=8), judged("svm-hog", 0.8, 2, groups=8)
    for kind, bars in (("time", "Bars of accuracy"), ("bars", "Lines on test")):
        _, chart, _, notes = drawn(kind, *records)
        words = "95 % interval, over groups within class, of the models as trained."
        assert f"{bars}: {words}" in chart.notes
        assert f"± of accuracy and F1: half of the {words}" in notes


def test_lines_on_bars_are_the_intervals_of_the_table_on_test_alone(drawn):
    marks, chart, rows, _ = drawn("bars", judged("resnet18", 0.93, 1), judged("svm-hog", 0.8, 2))
    assert ends(marks, part="test") == [interval_of(rows[row["method"], None]) for row in chart.rows]
    assert ends(marks, part="train") == ends(marks, part="val") == []


def test_the_learning_curve_has_at_each_size_the_interval_of_its_table(drawn):
    records = [sized("cnn", 0.7 + n / 10000, n, n) for n in (500, 1000, 2000)]
    marks, _, rows, _ = drawn("learning-curve", *records)
    assert ends(marks) == [interval_of(rows["cnn", n]) for n in (500, 1000, 2000)]


def test_errors_on_test_have_the_interval_of_accuracy_turned_over_and_those_on_train_the_deviation_of_seeds(drawn):
    records = [judged(net, 0.8, 2 * at + seed, seed=seed, shift=0) for at, net in enumerate(NETS) for seed in (0, 1)]
    marks, chart, rows, _ = drawn("depth", *records)
    for kind, names in (("plain", NETS[:2]), ("residual", NETS[2:])):
        expected = [rows[name, None] for name in names]
        assert ends(marks, "error on test", name=kind) == [
            pytest.approx((1 - row["test_accuracy_high"], 1 - row["test_accuracy_low"])) for row in expected
        ]
    assert ends(marks, "error on train") == []  # seeds agree on train
    assert "Bars on test: 95 % interval, over test images, of the models as trained." in chart.notes


def test_f1_of_a_class_has_the_interval_of_the_table_by_class(results):
    given = load_results(results(judged("cnn", 0.8, 1)))
    (table,) = tables(given, "per-class")
    marks = layers(kinds()["per-class"].chart(given.rows))
    by_class = {row["class"]: row for row in table.rows}
    for name in CLASSES:
        expected = pytest.approx((by_class[name]["f1_low"], by_class[name]["f1_high"]))
        assert ends(marks, **{"class": name}) == [expected]


def test_rows_with_another_interval_or_none_are_named(drawn, record):
    seeds = [make("mlp", seed=seed, shift=0.02 * seed) for seed in range(3)]
    _, chart, rows, _ = drawn("bars", judged("resnet18", 0.93, 1), judged("cnn", 0.9, 2), *seeds, record("alexnet"))
    assert (rows["mlp", None]["interval_over"], rows["alexnet", None]["interval_over"]) == ("seeds", None)
    assert (
        "Lines on test: 95 % interval, over test images, of the models as trained; of mlp over seeds. "
        "None of alexnet: it takes predictions or three seeds."
    ) in chart.notes


def test_without_any_interval_nothing_is_said_of_bars(drawn, record):
    _, chart, *_ = drawn("time", record("cnn"), record("svm-hog"))
    assert not [note for note in chart.notes if "interval" in note or "Bars" in note]


def test_no_more_predictions_are_read_than_for_a_table(drawn, monkeypatch):
    monkeypatch.setattr(certainty, "MOST_FILES", 2)
    monkeypatch.setattr(charts, "MOST_FILES", 2)
    records = [
        judged(method, share, at) for at, (method, share) in enumerate((("cnn", 0.7), ("mlp", 0.5), ("vgg11", 0.9)))
    ]
    _, chart, rows, _ = drawn("time", *records)
    spans = {row["method"]: row["span"] for row in chart.rows}
    assert spans["mlp"] is rows["mlp", None]["test_accuracy_low"] is None
    assert spans["vgg11"] == interval_of(rows["vgg11", None])
    assert any("None of mlp: the predictions of 2 runs are read." in note for note in chart.notes)


def test_the_page_draws_and_tells_the_interval_of_its_leaderboard(results):
    content = report(load_results(results(judged("resnet18", 0.93, 1), judged("svm-hog", 0.8, 2))))
    tables = {one.kind.name: (one.heads, one.lines) for one in content.figures}
    (board,) = content.boards
    for row in board.table.rows:
        low, high = row["test_accuracy_low"], row["test_accuracy_high"]
        words = f"{100 * low:.1f} to {100 * high:.1f} over test images"
        heads, lines = tables["time"]
        (line,) = [line for line in lines if line[0] == row["method"]]
        assert line[heads.index("95 % interval")] == words
        assert line[heads.index("accuracy on test")] == f"{100 * row['test_accuracy']:.1f} %"
        heads, lines = tables["bars"]
        (line,) = [line for line in lines if line[:2] == [row["method"], "test"]]
        assert line[heads.index("95 % interval")] == words
