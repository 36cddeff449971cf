"""What is drawn: the lines, points and bars of each figure have the numbers of its chart."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy.stats import linregress

from cellbench import load_results
from cellbench.reporting.plots import bars, style
from cellbench.reporting.plots.kinds import KINDS
from cellbench.results.rows import Row

from .conftest import METHODS, sizes
from .test_plots_charts import TAKEN, TRUTH, epochs, of_size, predictions, several_labels


@pytest.fixture
def evidence(results):
    def gather(*records: Any) -> list[Row]:
        return load_results(results(*records)).rows

    return gather


@pytest.fixture
def examples(record) -> dict[str, list]:
    """For each kind, records that it can draw; seeds where they matter."""
    nets = ("plain18", "plain34", "resnet18", "resnet34")
    return {
        "time": [*(record(method) for method in METHODS), record("cnn", device="cuda", seconds={"fit": 2.0})],
        "bars": [record("cnn", seed=0), record("cnn", seed=1, shift=0.04), record("svm-hog")],
        "history": [
            *(record("cnn", seed=s, history=epochs(3 + s, 2, 1), chosen={"epoch": 2}) for s in (0, 1)),
            *(record(net, history=epochs(4, 3, 2.5, 2), chosen={"epoch": 4}) for net in nets),
        ],
        "confusion": [(record(method), predictions(TRUTH, TAKEN)) for method in ("cnn", "svm-hog")],
        "per-class": [(record(method), predictions(TRUTH, TAKEN)) for method in ("cnn", "svm-hog")],
        "thresholds": [several_labels(record)[0]],
        "depth": [record(net, seed=seed, shift=seed / 100) for net in nets for seed in (0, 1)],
        "learning-curve": [of_size(record, "cnn", n, seed=s, shift=-s / 20) for n in (100, 1000) for s in (0, 1)],
        "svm-time": sizes(),
    }


def figure_of(kind: str, evidence: list[Row]) -> tuple[Any, Figure]:
    chart = KINDS[kind].chart(evidence)
    return chart, KINDS[kind].draw(chart)


def lines_of(axes: Axes) -> list[list[tuple[float, float]]]:
    return [list(zip(*line.get_data(), strict=True)) for line in axes.lines]


def close_to(points: list[tuple[float, float]]) -> Any:
    return [pytest.approx(point) for point in points]


@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_of_every_figure_is_read_in_print(kind, evidence, examples):
    _, figure = figure_of(kind, evidence(*examples[kind]))
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert figure.get_figwidth() == 7.2
    assert min(text.get_fontsize() for text in texts) >= 8
    assert figure.texts[0].get_text().startswith(("hep2, split", "atlas, split", "synthetic-yeast-full (simulated)"))


@pytest.mark.parametrize("kind", ["time", "confusion"])
def test_a_figure_is_the_same_file_when_drawn_again(kind, evidence, examples, tmp_path):
    shown = evidence(*examples[kind])
    for name in ("a.svg", "b.svg"):
        style.save(figure_of(kind, shown)[1], tmp_path / name, "svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "a.svg").read_bytes()


@pytest.mark.parametrize("kind", ["time", "bars", "depth", "learning-curve", "svm-time"])
def test_axes_say_what_they_are(kind, evidence, examples):
    _, figure = figure_of(kind, evidence(*examples[kind]))
    assert figure.axes[-1].get_xlabel()
    assert {axes.get_ylabel() for axes in figure.axes} != {""} or kind == "bars"


def test_time_draws_every_method_at_its_place_and_the_front_through_those_not_beaten(evidence, examples):
    chart, figure = figure_of("time", evidence(*examples["time"]))
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "CPU, 2 processor threads",
        "CUDA, 2 processor threads",
    ]
    for axes, device in zip(figure.axes, ("cpu", "cuda"), strict=True):
        rows = [row for row in chart.rows if row["device"] == device]
        front, *points = axes.lines
        shown = sorted((row for row in rows if row["front"]), key=lambda row: row["seconds"])
        assert lines_of(axes)[0] == [(row["seconds"], row["figure"]) for row in shown]
        assert front.get_drawstyle() == "steps-post"
        drawn = {(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in points}
        assert drawn == {(row["seconds"], row["figure"]) for row in rows}
        assert {text.get_text() for text in axes.texts} == {row["label"] for row in rows}
        assert axes.get_xscale() == "log"
    assert {line.get_markerfacecolor() for line in figure.axes[1].lines[1:]} == {"white"}
    assert "white" not in {line.get_markerfacecolor() for line in figure.axes[0].lines[1:]}


@pytest.mark.parametrize("kind", ["time", "history", "per-class", "thresholds", "learning-curve"])
def test_a_method_has_its_colour_and_marker_in_every_figure(kind, evidence, examples):
    _, figure = figure_of(kind, evidence(*examples[kind]))
    assert style.look("cnn") in {(line.get_color(), line.get_marker()) for axes in figure.axes for line in axes.lines}


def test_names_of_methods_do_not_cover_each_other_in_time(evidence, examples):
    _, figure = figure_of("time", evidence(*examples["time"]))
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[:at])


def test_history_draws_train_and_val_of_each_net_and_a_band_over_seeds(evidence, examples):
    chart, figure = figure_of("history", evidence(*examples["history"]))
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")] == [
        row["label"] for row in chart.rows
    ]
    net = next(row for row in chart.rows if row["method"] == "cnn")
    loss = figure.axes[0]
    for line, part in zip(loss.lines, ("train", "val"), strict=False):
        assert line.get_xdata().tolist() == [1, 2, 3]
        assert line.get_ydata() == pytest.approx(net[f"{part}_loss"])
    assert loss.lines[2].get_xdata() == [2, 2]  # the epoch that was kept
    bands = [band for band in loss.collections if isinstance(band, PolyCollection)]
    reached = bands[1].get_paths()[0].vertices[:, 1]
    assert reached.max() == pytest.approx(3.5 + net["val_loss_sd"][0])
    assert len({axes.get_ylim() for axes in figure.axes[:3]}) == 1


def test_history_joins_the_epochs_after_which_val_was_scored(evidence, record):
    rows = tuple({"epoch": at, "train_loss": 4.0 - at, "train_accuracy": 0.5} for at in (1, 2, 3))
    scored = tuple({**row, "val_loss": 9.0, "val_accuracy": 0.4} if row["epoch"] != 2 else row for row in rows)
    _, figure = figure_of("history", evidence(record("cnn", history=scored)))
    train, val = figure.axes[0].lines
    assert (train.get_xdata().tolist(), val.get_xdata().tolist()) == ([1, 2, 3], [1, 3])
    assert val.get_ydata().tolist() == [9.0, 9.0]


def test_bars_are_as_long_as_their_figures_and_claims_are_marked(evidence, examples):
    chart = bars.chart(evidence(*examples["bars"]), {"svm-hog": {"test": 0.5}})
    figure = bars.draw(chart)
    (axes,) = figure.axes
    lengths = [bar.get_width() for bar in axes.patches]
    assert lengths == pytest.approx([row[part] for row in chart.rows for part in ("train", "val", "test")])
    assert [text.get_text() for text in axes.texts] == [f"{100 * length:.1f}" for length in lengths]
    assert axes.get_xlim()[0] == 0
    (claim,) = [line for line in axes.lines if line.get_marker() == "D"]
    assert claim.get_xdata() == [0.5]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "train",
        "val",
        "test",
        "claimed, not measured here",
    ]


def test_depth_draws_the_errors_of_both_kinds_with_bars_over_seeds_on_train(evidence, examples):
    chart, figure = figure_of("depth", evidence(*examples["depth"]))
    for axes, part in zip(figure.axes, ("train", "test"), strict=True):
        rows = {row["kind"]: row for row in chart.rows}
        for container, kind in zip(axes.containers, ("plain", "residual"), strict=True):
            line, _, spreads = container.lines
            expected = list(zip([18, 34], rows[kind][f"{part}_error"], strict=True))
            assert list(zip(*line.get_data(), strict=True)) == close_to(expected)
            assert len(spreads) == (part == "train")  # two seeds have no interval
            for spread in spreads:
                low, high = spread.get_segments()[0][:, 1]
                assert (high - low) / 2 == pytest.approx(np.std([0, 0.01], ddof=1))
        assert axes.get_ylim()[0] == 0


def test_the_learning_curve_draws_means_at_each_size(evidence, examples):
    _, figure = figure_of("learning-curve", evidence(*examples["learning-curve"]))
    (axes,) = figure.axes
    line, *_ = axes.containers[0].lines
    assert list(zip(*line.get_data(), strict=True)) == close_to([(100, 0.833), (1000, 0.833)])
    assert [text.get_text() for text in axes.texts] == ["cnn"]


def test_confusion_writes_the_percentages_that_its_colours_show(evidence, examples):
    chart, figure = figure_of("confusion", evidence(*examples["confusion"]))
    for axes, row in zip(figure.axes, chart.rows, strict=True):
        shown = np.asarray(axes.images[0].get_array().filled(np.nan))
        assert np.array_equal(shown, row["shares"], equal_nan=True)
        written = {text.get_position(): text.get_text() for text in axes.texts}
        for (i, k), share in np.ndenumerate(row["shares"]):
            assert written.get((k, i), "") == (f"{100 * share:.0f}" if share >= 0.005 else "")
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert "Homogeneous  n=4" in names


def test_per_class_draws_f1_above_the_number_of_training_images(evidence, examples):
    chart, figure = figure_of("per-class", evidence(*examples["per-class"]))
    (axes,) = figure.axes
    for container, row in zip(axes.containers, chart.rows, strict=True):
        line = container.lines[0]
        assert line.get_xdata().tolist() == row["n_train"]
        assert np.array_equal(line.get_ydata(), row["f1"], equal_nan=True)
    assert {text.get_text() for text in axes.texts} == set(chart.rows[0]["classes"]) - {"Golgi"}  # no test image


def many_classes(record, method: str):
    n = 14
    truth = np.repeat(np.arange(n), 2)
    taken = np.where(truth % 3 == 0, (truth + 1) % n, truth)
    counts = {part: list(range(10, 10 + n)) for part in ("train", "val", "test")}
    facts = {"classes": [f"class {k}" for k in range(n)], "counts": counts}
    return record(method, facts=facts), predictions(truth.tolist(), taken.tolist(), n)


def test_of_many_classes_each_has_a_line_of_its_own_the_most_frequent_on_top(evidence, record):
    chart, figure = figure_of("per-class", evidence(many_classes(record, "cnn"), many_classes(record, "svm-hog")))
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [f"class {k}  n={10 + k}" for k in reversed(range(14))]
    assert axes.yaxis_inverted()
    for container, row in zip(axes.containers, chart.rows, strict=True):
        line = container.lines[0]
        assert line.get_ydata().tolist() == list(range(14))
        assert line.get_xdata() == pytest.approx(row["f1"][::-1])


def test_confusion_of_many_classes_shows_two_methods_one_below_the_other(evidence, record):
    methods = ("cnn", "svm-hog", "resnet18")
    chart, figure = figure_of("confusion", evidence(*(many_classes(record, method) for method in methods)))
    assert [row["method"] for row in chart.rows] == ["resnet18", "svm-hog"]
    upper, lower = (axes.get_position() for axes in figure.axes)
    assert upper.x0 == lower.x0
    assert upper.y0 > lower.y1


def test_thresholds_draws_the_sweep_its_best_and_what_was_chosen(evidence, examples):
    chart, figure = figure_of("thresholds", evidence(*examples["thresholds"]))
    (axes,), (row,) = figure.axes, chart.rows
    curve, best, chosen = axes.lines[:3]
    assert curve.get_ydata() == pytest.approx(row["macro_f1"])
    assert (best.get_xdata()[0], best.get_ydata()[0]) == (row["best"], row["macro_f1"].max())
    assert chosen.get_ydata() == [row["chosen"]] * 2


def test_svm_time_draws_points_and_the_power_law_through_them(evidence, examples):
    chart, figure = figure_of("svm-time", evidence(*examples["svm-time"]))
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "svm-hog"
    drawn = lines_of(axes)
    torch = next(row for row in chart.rows if row["solver"] == "torch")
    points = list(zip(torch["sizes"], torch["fit_seconds"], strict=True))
    assert close_to(points) in drawn
    assert close_to([points[0], points[-1]]) in drawn
    markers = [line.get_markerfacecolor() for line in axes.lines if line.get_marker() not in ("None", "x")]
    assert len({to_hex(colour) for colour in markers}) == 2  # one for each backend
    claimed = linregress(*np.log([(5e3, 188), (1e4, 614), (3e4, 4377), (6.5e4, 568 * 60)]).T)
    assert {text.get_text() for text in axes.texts} == {
        "torch, C=10: n^1.50 ± 0.000",
        "libsvm, C=10",
        f"claimed by the study, CPU: n^{claimed.slope:.2f} ± {claimed.stderr:.2f}",
    }


def test_depth_is_drawn_where_one_kind_of_net_has_one_depth_and_no_interval(evidence, record):
    chart = KINDS["depth"].chart(evidence(*(record(net) for net in ("plain18", "plain34", "resnet18"))))
    axes = KINDS["depth"].draw(chart).axes[0]
    assert axes.get_ylim()[1] == pytest.approx(1.1 * (1 - 0.911))  # the largest error: plain34 on test
