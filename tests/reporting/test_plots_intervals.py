"""Bars of test figures are the intervals of the tables, and are called what these call them."""

import pytest
from matplotlib.container import ErrorbarContainer

from cellbench import load_results
from cellbench.reporting.plots import chart as charts
from cellbench.reporting.plots.kinds import KINDS
from cellbench.reporting.report.page import report
from cellbench.reporting.tables.views import tables
from cellbench.results import certainty

from .conftest import CLASSES, judged, make

NETS = ("plain18", "plain34", "resnet18", "resnet34")


def sized(method, share, luck, n, **changes):
    facts = {"n": {"train": n, "val": 200, "test": 600}}
    return judged(method, share, luck, limit=n, facts=facts, **changes)


@pytest.fixture
def drawn(results):
    """Of records the axes of a kind, its chart, and the rows of the tables of a view by method and limit."""

    def draw(kind, *records, view="leaderboard"):
        given = load_results(results(*records))
        found = tables(given, view)
        chart = KINDS[kind].chart(given.rows)
        rows = {(row["method"], row["limit"]): row for table in found for row in table.rows}
        return KINDS[kind].draw(chart).axes, chart, rows, [note for table in found for note in table.notes]

    return draw


def ends(container, which=-1, along=1):
    """(low, high) of the bars of an errorbar, those along x (0) or y (1)."""
    return [tuple(segment[:, along]) for segment in container.lines[2][which].get_segments() if len(segment)]


def told(row, figure="test_accuracy"):
    return pytest.approx((row[f"{figure}_low"], row[f"{figure}_high"]))


def test_the_bar_of_accuracy_against_time_is_the_interval_of_the_table(drawn):
    (axes,), chart, rows, _ = drawn("time", judged("resnet18", 0.93, 1), judged("svm-hog", 0.8, 2))
    for container, row in zip(axes.containers, chart.rows, strict=True):
        assert ends(container) == [told(rows[row["method"], None])]


def test_figures_call_their_bars_what_the_table_calls_them(drawn):
    records = judged("resnet18", 0.93, 1, groups=8), judged("svm-hog", 0.8, 2, groups=8)
    for kind, bars in (("time", "Bars of accuracy"), ("bars", "Lines on test")):
        _, chart, _, notes = drawn(kind, *records)
        words = "95 % interval, over groups within class, of the models as trained."
        assert f"{bars}: {words}" in chart.notes
        assert f"± of accuracy and F1: half of the {words}" in notes


def test_lines_on_bars_are_the_intervals_of_the_table_on_test_alone(drawn):
    (axes,), chart, rows, _ = drawn("bars", judged("resnet18", 0.93, 1), judged("svm-hog", 0.8, 2))
    spans = [ends(container, along=0) for container in axes.containers if isinstance(container, ErrorbarContainer)]
    assert spans == [[told(rows[row["method"], None])] for row in chart.rows]


def test_the_learning_curve_has_at_each_size_the_interval_of_its_table(drawn):
    records = [sized("cnn", 0.7 + n / 10000, n, n) for n in (500, 1000, 2000)]
    (axes,), _, rows, _ = drawn("learning-curve", *records)
    assert ends(axes.containers[0]) == [told(rows["cnn", n]) for n in (500, 1000, 2000)]


def test_errors_on_test_have_the_interval_of_accuracy_turned_over_and_those_on_train_the_deviation_of_seeds(drawn):
    records = [judged(net, 0.8, 2 * at + seed, seed=seed, shift=0) for at, net in enumerate(NETS) for seed in (0, 1)]
    (train, test), chart, rows, _ = drawn("depth", *records)
    for container, names in zip(test.containers, (NETS[:2], NETS[2:]), strict=True):
        expected = [rows[name, None] for name in names]
        assert ends(container) == [
            pytest.approx((1 - row["test_accuracy_high"], 1 - row["test_accuracy_low"])) for row in expected
        ]
    assert [len(container.lines[2]) for container in train.containers] == [0, 0]  # seeds agree on train
    assert "Bars on test: 95 % interval, over test images, of the models as trained." in chart.notes


def test_f1_of_a_class_has_the_interval_of_the_table_by_class(results):
    given = load_results(results(judged("cnn", 0.8, 1)))
    (table,) = tables(given, "per-class")
    (axes,) = KINDS["per-class"].draw(KINDS["per-class"].chart(given.rows)).axes
    by_class = {row["class"]: row for row in table.rows}
    assert ends(axes.containers[0]) == [pytest.approx((by_class[c]["f1_low"], by_class[c]["f1_high"])) for c in CLASSES]


def test_rows_with_another_interval_or_none_are_named(drawn, record):
    seeds = [make("mlp", seed=seed, shift=0.02 * seed) for seed in range(3)]
    _, chart, rows, _ = drawn("bars", judged("resnet18", 0.93, 1), judged("cnn", 0.9, 2), *seeds, record("alexnet"))
    assert (rows["mlp", None]["interval_over"], rows["alexnet", None]["interval_over"]) == ("seeds", None)
    assert (
        "Lines on test: 95 % interval, over test images; of mlp over seeds, of the models as trained. "
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
    assert spans["vgg11"] == told(rows["vgg11", None])
    assert any("None of mlp: the predictions of 2 runs are read." in note for note in chart.notes)


def test_the_page_draws_and_tells_the_interval_of_its_leaderboard(results):
    content = report(load_results(results(judged("resnet18", 0.93, 1), judged("svm-hog", 0.8, 2))))
    (time,) = [one for one in content.drawings if one.kind == "time"]
    (bars,) = [one for one in content.drawings if one.kind == "bars"]
    (board,) = content.boards
    scale = [(y, float(text.split()[0]) / 100) for y, text in time.panels[0].y_ticks]
    (y0, a0), (y1, a1) = scale[0], scale[-1]
    for row in board.table.rows:
        low, high = row["test_accuracy_low"], row["test_accuracy_high"]
        words = f" (95 % interval over test images: {100 * low:.1f} to {100 * high:.1f})"
        (mark,) = [line.marks[0] for line in time.panels[0].lines if line.series == row["method"]]
        assert words in mark.tip
        ((_, bottom, _, top),) = mark.bars
        for y, figure in ((bottom, low), (top, high)):
            assert y == pytest.approx(y0 + (y1 - y0) * (figure - a0) / (a1 - a0), abs=0.2)
        (bar,) = [bar for bar in bars.panels[0].bars if bar.tip.startswith(f"{row['method']}\ntest")]
        assert words in bar.tip
        unit = bar.width / row["test_accuracy"]
        assert bar.span == pytest.approx((bar.x + unit * low, bar.x + unit * high), abs=0.2)
