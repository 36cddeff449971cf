"""What is drawn: specifications hold the numbers of their charts, and every kind renders to every form."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import linregress

from cellbench import load_results
from cellbench.reporting.charts import FORMATS, registry, render, style
from cellbench.reporting.charts.kinds.bars import bars
from cellbench.reporting.charts.registry import kinds
from cellbench.results.rows.row import Row

from ..made_records import METHODS, TAKEN, TRUTH, epochs, of_size, predictions, several_labels
from ..made_results import sizes
from .specification import layers, texts, views

KINDS = tuple(kinds())


@pytest.fixture
def evidence(results):
    def gather(*records: Any) -> list[Row]:
        return load_results(results(*records)).rows

    return gather


@pytest.fixture
def examples(record, under_stress) -> dict[str, list]:
    """For each kind, records that it can draw; seeds where they matter."""
    for method in ("cnn", "svm-hog"):
        under_stress(
            record(method),
            rotation=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4],
            dimmer=[0.9, 0.9, 0.8, 0.8, 0.7, 0.2],
            answered=True,
        )
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
        "reliability": [(record(method), predictions(TRUTH, TAKEN)) for method in ("cnn", "svm-hog")],
        "abstention": [(record(method), predictions(TRUTH, TAKEN)) for method in ("cnn", "svm-hog")],
        "depth": [record(net, seed=seed, shift=-seed / 100) for net in nets for seed in (0, 1)],
        "learning-curve": [of_size(record, "cnn", n, seed=s, shift=-s / 20) for n in (100, 1000) for s in (0, 1)],
        "svm-time": sizes(),
        "stress": [record("cnn"), record("svm-hog")],
    }


def made(kind: str, rows: list[Row]) -> Any:
    return kinds()[kind].chart(rows)


def close_to(points: list[tuple[float, float]]) -> Any:
    return [pytest.approx(point) for point in points]


def sizes_of_letters(part: Any) -> list[float]:
    """Every size of letters that a specification asks for."""
    if isinstance(part, dict):
        own = [value for name, value in part.items() if name.lower().endswith("fontsize")]
        return own + [size for value in part.values() for size in sizes_of_letters(value)]
    return [size for value in part for size in sizes_of_letters(value)] if isinstance(part, list) else []


def heading(spec: dict[str, Any]) -> list[str]:
    return spec["title"]["text"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_of_every_chart_is_read_in_print(kind, evidence, examples):
    spec = render.specification(made(kind, evidence(*examples[kind])))
    assert min(sizes_of_letters(spec)) >= 8
    assert heading(spec)[0].startswith(("hep2, split", "atlas, split", "synthetic-yeast-full (simulated)"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [style.WIDTH, style.NARROW])
def test_every_chart_is_as_wide_as_the_page_or_the_telephone(kind, width, evidence, examples):
    chart = made(kind, evidence(*examples[kind]))
    svg = render.vl_convert.vegalite_to_svg({**render.panels(chart, width), "config": style.CONFIG})
    found = float(svg.split('width="')[1].split('"')[0])
    assert 0.6 * width <= found <= 1.06 * width


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_written_in_every_form_and_again_as_the_same_file(kind, evidence, examples, tmp_path):
    chart = made(kind, evidence(*examples[kind]))
    starts = {"png": b"\x89PNG", "svg": b"<svg", "pdf": b"%PDF", "json": b"{"}
    for form in FORMATS:
        for name in "ab":
            render.save(chart, tmp_path / name, form)
        assert (tmp_path / "a").read_bytes().startswith(starts[form])
        if form != "pdf":  # whose parts the renderer writes in another order each time
            assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert "/vega-lite/v6" in json.loads((tmp_path / "a").read_text("utf-8"))["$schema"]  # the last form


@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_has_a_table_whose_columns_its_points_fill(kind, evidence, examples):
    chart = made(kind, evidence(*examples[kind]))
    assert chart.points
    told = [[column.text(point.get(column.field)) for column in chart.columns] for point in chart.points]
    assert all(line[0] for line in told)
    assert any(text.endswith(" %") or text.replace(".", "").isdigit() for line in told for text in line)


@pytest.mark.parametrize("kind", ["time", "bars", "depth", "learning-curve", "svm-time"])
def test_axes_say_what_they_are(kind, evidence, examples):
    drawn = layers(made(kind, evidence(*examples[kind])))
    titles = {
        one.encoding[axis]["axis"].get("title")
        for one in drawn
        for axis in "xy"
        if "axis" in one.encoding.get(axis, {})
    }
    assert len(titles - {None}) >= (1 if kind == "bars" else 2)


def test_time_draws_every_method_at_its_place_and_the_front_through_those_not_beaten(evidence, examples):
    chart = made("time", evidence(*examples["time"]))
    assert [view["title"] for view in views(chart)] == ["CPU, 2 processor threads", "CUDA, 2 processor threads"]
    for view, device in zip(views(chart), ("cpu", "cuda"), strict=True):
        rows = [row for row in chart.rows if row["device"] == device]
        drawn = layers(chart, panel=view["title"])
        (steps,) = [one for one in drawn if one.mark == "line"]
        shown = sorted((row for row in rows if row["front"]), key=lambda row: row["seconds"])
        corners = steps.values("x", "y")
        assert corners[0] == (shown[0]["seconds"], shown[0]["figure"])
        assert {(row["seconds"], row["figure"]) for row in shown} <= set(corners)
        high = steps.encoding["x"]["scale"]["domain"][1]
        assert corners[-1] == (high, shown[-1]["figure"])  # to the end of the axis
        points = [one for one in drawn if one.mark == "point"][-1]
        assert set(points.values("x", "y")) == {(row["seconds"], row["figure"]) for row in rows}
        assert set(texts(chart, view["title"])) == {row["label"] for row in rows}
        assert points.encoding["x"]["scale"]["type"] == "log"
        fills = {datum["fill"] for datum in points.data}
        assert (fills == {style.WHITE}) == (device == "cuda")


@pytest.mark.parametrize("kind", ["time", "per-class", "thresholds", "learning-curve"])
def test_a_method_has_its_colour_and_shape_in_every_chart(kind, evidence, examples):
    for one in layers(made(kind, evidence(*examples[kind])), "point"):
        for datum in one.data:
            if one.encoding.get("shape", {}).get("field") == "shape" and datum.get("label") == "cnn":
                assert (datum["colour"], datum["shape"]) in {
                    (style.colour("cnn"), style.shape("cnn")),
                    (style.WHITE, style.shape("cnn")),  # the paper below it
                }
        if one.encoding.get("shape", {}).get("field") == "name":
            scale, hue = one.encoding["shape"]["scale"], one.encoding["stroke"]["scale"]
            at = scale["domain"].index("cnn")
            assert (hue["range"][at], scale["range"][at]) == (style.colour("cnn"), style.shape("cnn"))


def test_history_draws_train_and_val_of_each_net_and_a_band_over_seeds(evidence, examples):
    chart = made("history", evidence(*examples["history"]))
    assert [view["title"] for view in views(chart) if "title" in view] == [row["name"] for row in chart.rows]
    net = next(row for row in chart.rows if row["method"] == "cnn")
    loss = layers(chart, panel="cnn")
    for line, part in zip([one for one in loss if one.mark == "line"], ("train", "val"), strict=True):
        assert line.values("x", "y") == close_to(list(zip([1, 2, 3], net[part]["loss"].means, strict=True)))
        assert {datum["part"] for datum in line.data} == {part}
    kept = next(one for one in loss if one.mark == "rule")
    assert kept.values("x") == [(2,)]
    band = [one for one in loss if one.mark == "area"][-1]
    assert band.data[0]["loss"] + band.data[0]["loss_sd"] == pytest.approx(3.5 + net["val"]["loss"].deviations[0])
    losses = [line for row in chart.rows for line in layers(chart, "line", row["name"])]
    assert len({str(line.encoding["y"]["scale"]["domain"]) for line in losses}) == 1


def test_history_joins_the_epochs_after_which_val_was_scored(evidence, record):
    rows = tuple({"epoch": at, "train_loss": 4.0 - at, "train_accuracy": 0.5} for at in (1, 2, 3))
    scored = tuple({**row, "val_loss": 9.0, "val_accuracy": 0.4} if row["epoch"] != 2 else row for row in rows)
    train, val = layers(made("history", evidence(record("cnn", history=scored))), "line", "cnn")
    assert train.values("x") == [(1,), (2,), (3,)]
    assert val.values("x", "y") == [(1, 9.0), (3, 9.0)]


def test_a_net_that_blew_up_does_not_flatten_the_others(evidence, record):
    nets = [record(net, history=epochs(3, 2, 1)) for net in ("cnn", "plain18", "resnet18")]
    chart = made("history", evidence(*nets, record("resnet34", history=epochs(5000, 2, 1))))
    (line, *_) = layers(chart, "line", "cnn")
    assert line.encoding["y"]["scale"]["domain"][1] < 10
    assert line.look["clip"]
    assert "Losses above 6.2 are cut off: resnet34 reaches 5e+03." in chart.notes


def test_bars_are_as_long_as_their_figures_and_claims_are_marked(evidence, examples):
    chart = bars(evidence(*examples["bars"]), {"svm-hog": {"test": 0.5}})
    filled, outline = layers(chart, "bar")
    lengths = [row[part] for row in chart.rows for part in ("train", "val", "test")]
    assert filled.values("x") == outline.values("x") == [(length,) for length in lengths]
    assert texts(chart) == list(dict.fromkeys(f"{100 * length:.1f}" for length in lengths))
    assert filled.encoding["x"]["scale"]["domain"] == [0, 1]
    strengths = filled.encoding["opacity"]["scale"]
    assert dict(zip(strengths["domain"], strengths["range"], strict=True)) == {"train": 0.3, "val": 0.62, "test": 1.0}
    (claims,) = layers(chart, "point")
    assert [value for (value,) in claims.values("x") if value is not None] == [0.5]


def test_depth_draws_the_errors_of_both_kinds_with_bars_over_seeds_on_train(evidence, examples):
    chart = made("depth", evidence(*examples["depth"]))
    rows = {row["kind"]: row for row in chart.rows}
    for part in ("train", "test"):
        (points,) = layers(chart, "point", f"error on {part}")
        for kind in ("plain", "residual"):
            drawn = [datum for datum in points.data if datum["name"] == kind]
            expected = list(zip([18, 34], rows[kind]["errors"][part], strict=True))
            assert [(datum["depth"], datum["error"]) for datum in drawn] == close_to(expected)
            assert all(("low" in datum) == (part == "train") for datum in drawn)  # two seeds have no interval
            for datum in drawn:
                if "low" in datum:
                    assert (datum["high"] - datum["low"]) / 2 == pytest.approx(np.std([0, 0.01], ddof=1))
        assert points.encoding["y"]["scale"]["domain"][0] == 0


def test_the_learning_curve_draws_means_at_each_size(evidence, examples):
    chart = made("learning-curve", evidence(*examples["learning-curve"]))
    (points,) = layers(chart, "point")
    assert [(datum["n_train"], datum["y"]) for datum in points.data] == close_to([(100, 0.833), (1000, 0.833)])
    assert texts(chart) == ["cnn"]


def test_confusion_writes_the_percentages_that_its_colours_show(evidence, examples):
    chart = made("confusion", evidence(*examples["confusion"]))
    for view, row in zip(views(chart), chart.rows, strict=True):
        (heat,) = layers(chart, "rect", view["title"])
        shares = {(datum["true"], datum["taken"]): datum for datum in heat.data}
        for (i, k), share in np.ndenumerate(row["shares"]):
            datum = shares[row["classes"][i], row["classes"][k]]
            assert datum["share"] == (None if np.isnan(share) else share)
            assert datum["text"] == (f"{100 * share:.0f}" if share >= 0.005 else "")
        assert "Homogeneous  n=4" in {datum["line"] for datum in heat.data}


def test_per_class_draws_a_line_for_each_class_the_most_frequent_on_top(evidence, examples):
    chart = made("per-class", evidence(*examples["per-class"]))
    (points,) = layers(chart, "point")
    for row in chart.rows:
        drawn = {datum["class"]: datum["f1"] for datum in points.data if datum["name"] == row["name"]}
        f1 = dict(zip(row["classes"], row["f1"], strict=True))
        assert drawn == {name: None if np.isnan(value) else value for name, value in f1.items()}
    order = points.encoding["y"]["sort"]
    assert order[0] == "Speckled  n=1,800"
    assert order[-1] == "Golgi  n=449"


def many_classes(record, method: str):
    n = 14
    truth = np.repeat(np.arange(n), 2)
    taken = np.where(truth % (4 if method == "resnet18" else 3) == 0, (truth + 1) % n, truth)
    counts = {part: list(range(10, 10 + n)) for part in ("train", "val", "test")}
    facts = {"classes": [f"class {k}" for k in range(n)], "counts": counts}
    return record(method, facts=facts), predictions(truth.tolist(), taken.tolist(), n)


def test_confusion_of_many_classes_shows_two_methods_one_below_the_other(evidence, record):
    methods = ("cnn", "svm-hog", "resnet18")
    chart = made("confusion", evidence(*(many_classes(record, method) for method in methods)))
    assert [row["method"] for row in chart.rows] == ["resnet18", "svm-hog"]
    assert render.panels(chart)["columns"] == 1


def test_thresholds_draws_the_sweep_its_best_and_what_was_chosen(evidence, examples):
    chart = made("thresholds", evidence(*examples["thresholds"]))
    (row,) = chart.rows
    (curve,) = layers(chart, "line")
    assert [value for (value,) in curve.values("y")] == pytest.approx(row["macro_f1"])
    (best,) = [datum for datum in curve.data if datum["best"]]
    assert (best["threshold"], best["macro_f1"]) == (pytest.approx(row["best"]), row["macro_f1"].max())
    assert layers(chart, "rule")[0].values("y") == [(row["chosen"],)]


def test_svm_time_draws_points_and_the_power_law_through_them(evidence, examples):
    chart = made("svm-time", evidence(*examples["svm-time"]))
    assert [view["title"] for view in views(chart)] == ["svm-hog"]
    torch = next(row for row in chart.rows if row["solver"] == "torch")
    points = list(zip(torch["sizes"], torch["fit_seconds"], strict=True))
    assert close_to(points) in [one.values("x", "y") for one in layers(chart, "point")]
    assert close_to([points[0], points[-1]]) in [one.values("x", "y") for one in layers(chart, "line")]
    assert len({one.look["fillOpacity"] for one in layers(chart, "point")[:2]}) == 2  # one for each backend
    claimed = linregress(*np.log([(5e3, 188), (1e4, 614), (3e4, 4377), (6.5e4, 568 * 60)]).T)
    assert set(texts(chart)) == {
        "torch, C=10: n^1.50 ± 0.000",
        "libsvm, C=10",
        f"claimed by the study, CPU: n^{claimed.slope:.2f} ± {claimed.stderr:.2f}",
    }


def test_depth_is_drawn_where_one_kind_of_net_has_one_depth_and_no_interval(evidence, record):
    chart = made("depth", evidence(*(record(net) for net in ("plain18", "plain34", "resnet18"))))
    (points,) = layers(chart, "point", "error on train")
    assert points.encoding["y"]["scale"]["domain"][1] == pytest.approx(1.1 * (1 - 0.911))  # plain34 on test


def test_what_no_font_has_is_written_as_a_question_mark_and_a_note_says_so(evidence, record, monkeypatch):
    monkeypatch.setattr(render, "without_font", lambda text: {letter for letter in text if letter in "細胞"})
    spec = render.specification(made("bars", evidence(record("cnn", dataset="細胞 A"))))
    assert heading(spec)[0].startswith("?? A, split official")
    assert "No font on this machine has 2 of the characters" in json.dumps(spec, ensure_ascii=False)
    assert "細" not in json.dumps(spec, ensure_ascii=False)


def test_the_kind_that_the_docs_add_is_25_lines_and_draws(evidence, record, monkeypatch):
    page = (Path(__file__).parents[3] / "docs" / "plots.md").read_text("utf-8")
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.S) if "@chart(" in block]
    assert len([line for line in code.splitlines() if line.strip()]) <= 25
    kinds()
    monkeypatch.setattr(registry, "_KINDS", dict(registry._KINDS))
    exec(code, {"__package__": "cellbench.reporting.charts.kinds"})
    chart = made("val-test", evidence(record("cnn"), record("svm-hog")))
    (points,) = layers(chart, "point")
    assert set(points.values("x", "y")) == {(0.869, 0.858), (0.846, 0.832)}
    assert heading(render.specification(chart)) == ["hep2, split official: val against test"]
