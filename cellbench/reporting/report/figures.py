"""The figures of `cellbench plot` for a page: the same data, told point by point."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...results.results import Results
from ...results.rows import HARDWARE, Line, by
from ..captions import device_of, labels_of
from ..plots.bars import PARTS
from ..plots.chart import Chart, span_told
from ..plots.depth import KINDS as TWINS
from ..plots.depth import MARKS as DEPTH_SIGNS
from ..plots.depth import PARTS as ERRORS
from ..plots.fit_time import LIBRARIES, fitted, power
from ..plots.history import FIGURES, LONG
from ..plots.kinds import outcomes
from ..plots.style import GREY
from ..plots.tradeoff import along_bars, along_steps, pareto, reach_of_time
from .drawing import (
    INK,
    Axis,
    Bar,
    Curve,
    Drawing,
    Key,
    Name,
    Panel,
    Sheet,
    clock,
    colour,
    images,
    key,
    named,
    names_beside,
    names_near,
    numbers,
    panel,
    path,
    percents,
    room_for,
)

MOST_DOTS = 25  # told of a curve
MOST_NAMES = 30  # beside points: of more those on the front are named
DASHES = {"--": "6 3", "-.": "6 3 1.5 3", ":": "1.5 3"}


@dataclass(frozen=True)
class Matrices:
    """The confusion matrices of a data set; see plots.confusion.chart."""

    dataset: str
    split: str
    chart: Chart


Span = tuple[float, float]
Parts = tuple[tuple[Panel, ...], tuple[Key, ...]]


def drawings(results: Results, runs: str, conditions: Sequence[str]) -> tuple[list[Drawing], list[Matrices]]:
    """Every figure that the results allow, in the order of DRAWN; and the confusion matrices, which become tables."""
    found: list[Drawing] = []
    matrices: list[Matrices] = []
    for outcome in outcomes(results, [*DRAWN, "confusion"], runs, conditions):
        if outcome.chart is None:
            continue
        chart, where = outcome.chart, (outcome.dataset, outcome.split)
        if outcome.kind == "confusion":
            matrices.append(Matrices(*where, chart))
            continue
        panels, keys = DRAWN[outcome.kind](chart)
        found.append(Drawing(outcome.kind, *where, chart.title, chart.subtitle, chart.notes, panels, keys))
    return found, matrices


def said(seconds: float) -> str:
    """A time in a unit that suits it."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _deviating(sd: float | None) -> str:
    return f" (standard deviation over seeds: {100 * sd:.1f})" if sd else ""


def _reaching(values: Sequence[float], spans: Iterable[Span | None]) -> list[float]:
    """Values and the ends of their bars."""
    return [*values, *(end for span in spans if span for end in span)]


def _where(row: Line, several: bool) -> str:
    return row["label"] + (f", {device_of(row)}" if several else "")


def _time(chart: Chart) -> Parts:
    measured = ("macro-F1" if "macro-F1" in chart.title else "accuracy") + " on test"
    panels = by(chart.rows, HARDWARE)
    x = clock([time for row in chart.rows for time in reach_of_time(row)], "training time (logarithmic)")
    y = percents(_reaching([row["figure"] for row in chart.rows], [row["span"] for row in chart.rows]), measured)
    several = len({row["machine"] for row in chart.rows}) > 1
    drawn = []
    for points in panels:
        front = pareto(points)
        called = points if len(points) <= MOST_NAMES else front or points[:MOST_NAMES]
        where = f"{points[0]['device'].upper()}, {points[0]['threads'] or '?'} threads"
        title = (where + f", {points[0]['machine']}" * several) if len(panels) > 1 else ""
        sheet = Sheet(x, y, height=340 if len(panels) == 1 else 290, title=title)
        curves = [
            Curve(
                row["method"],
                row["label"],
                [row["seconds"]],
                [row["figure"]],
                [
                    f"{row['label']}, {device_of(row)}\n{measured}: {share(row['figure'])}"
                    f"{span_told(row['span'], row['interval_over'])}\ntraining: {said(row['seconds'])}"
                    + "\non the Pareto front"
                    * row["front"]
                ],
                open=row["device"] != "cpu",
                x_span=[reach_of_time(row) if row["seconds_sd"] else None],
                y_span=[row["span"]],
            )
            for row in points
        ]
        corners = [(point["seconds"], point["figure"]) for point in front[:1]]  # no front where all were disturbed
        for here, after in itertools.pairwise(front):
            corners += [(after["seconds"], here["figure"]), (after["seconds"], after["figure"])]
        drawn.append(
            panel(
                sheet,
                curves,
                steps=path([sheet.at(*corner) for corner in corners]),
                names=names_near(
                    sheet,
                    [(row["seconds"], row["figure"]) for row in called],
                    [row["label"] for row in called],
                    [
                        *((row["seconds"], row["figure"]) for row in points),
                        *along_bars(points),
                        *along_steps(front),
                    ],
                ),
            )
        )
    return tuple(drawn), ()


def _bars(chart: Chart) -> Parts:
    several = len({device_of(row) for row in chart.rows}) > 1
    labels = [_where(row, several) for row in chart.rows]
    x = percents([0, 1], "macro-F1" if "macro-F1" in chart.title else "accuracy", 0, 1)
    sheet = Sheet(x, named(labels), height=60 + 48 * len(labels), right=48)
    left, top, _, bottom = sheet.frame
    line = (bottom - top) / len(labels)
    bars = []
    for at, row in enumerate(chart.rows):
        for place, (part, strength) in enumerate(PARTS.items()):
            if row[part] is None:
                continue
            right, middle = sheet.at(row[part], at)
            y = middle + (place - 1) * line * 0.27 - line * 0.125
            text, sd = f"{100 * row[part]:.1f}", row[f"{part}_sd"]
            span = row["span"] if part == "test" else None
            ends = (round(sheet.at(span[0], at)[0], 1), round(sheet.at(span[1], at)[0], 1)) if span else None
            told = span_told(span, row["interval_over"]) or _deviating(sd)
            tip = f"{labels[at]}\n{part}: {share(row[part])}{told}"
            hue = colour(row["method"])
            box = (round(left, 1), round(y, 1), round(right - left, 1), round(line * 0.25, 1))
            bars.append(Bar(part, *box, hue, strength, tip, text, part == "test", ends))
    keys = tuple(Key(f"{part}", GREY, f"bar {strength}", False) for part, strength in PARTS.items())
    return (panel(sheet, bars=tuple(bars)),), keys


def _history(chart: Chart) -> Parts:
    several = len({device_of(net) for net in chart.rows}) > 1
    panels: list[Panel] = []
    scales = {name: _scale(chart, name) for name in FIGURES}
    for net in chart.rows:
        epochs = net["epochs"]
        for name in FIGURES:
            texts = {t: f"{t:.0f}" for t in numbers([0, len(epochs)], low=0.5, high=len(epochs) + 0.5).texts if t >= 1}
            x = Axis(0.5, len(epochs) + 0.5, {t: text for t, text in texts.items() if t == int(t)}, "epoch")
            title = f"{_where(net, several)}: {name}"
            sheet = Sheet(x, scales[name], width=300, height=200, title=title)
            curves = [_epochs(net, part, name) for part in ("train", "val")]
            kept = tuple(round(sheet.at(epoch, scales[name].low)[0], 1) for epoch in sorted(set(net["kept"])))
            panels.append(panel(sheet, curves, uprights=kept))
    keys = (Key("train", INK, "", False, "4 3"), Key("val", INK, "", False))
    return tuple(panels), keys


def _scale(chart: Chart, name: str) -> Axis:
    values = [v for net in chart.rows for part in ("train", "val") for v in net[f"{part}_{name}"] if math.isfinite(v)]
    if name == "accuracy":
        return percents(values, "accuracy")
    low, high = min(values, default=0.1), max(values, default=1)
    if high > LONG * low > 0:
        ticks = [10.0**k for k in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
        return Axis(low / 1.3, high * 1.3, {t: f"{t:g}" for t in ticks if low / 1.3 <= t <= high * 1.3}, "loss", True)
    return numbers(values, "loss (nats)")


def _epochs(net: Line, part: str, name: str) -> Curve:
    epochs, values, deviation = net["epochs"], net[f"{part}_{name}"], net[f"{part}_{name}_sd"]
    scored = [i for i, value in enumerate(values) if math.isfinite(value)]  # val is not, after some epochs
    shown = scored[:: max(1, math.ceil(len(scored) / MOST_DOTS))]
    solid = part == "val"

    def tip(i: int) -> str:
        sd = None if deviation is None else deviation[i]
        figure = share(values[i]) + _deviating(sd) if name == "accuracy" else f"{values[i]:.3g}"
        return f"{net['label']}, epoch {epochs[i]}\n{name} on {part}: {figure}"

    tips = [tip(i) if i in shown else "" for i in range(len(epochs))]
    look: dict[str, Any] = {} if solid else {"dash": "4 3", "strength": 0.65}
    return Curve(net["method"], part, epochs, values, tips, joined=True, marked=False, **look)


def _depth(chart: Chart) -> Parts:
    several = len({(row["device"], row["machine"], row["settings"]) for row in chart.rows}) > 1
    widths = len({row["width"] for row in chart.rows}) > 1
    panels: list[Panel] = []
    curves: list[Curve] = []
    top = max(max(_reaching(row[f"{part}_error"], row[f"{part}_span"])) for row in chart.rows for part in ERRORS)
    depths = sorted({depth for row in chart.rows for depth in row["depths"]})
    for part in ERRORS:
        x = depth_axis(depths)
        sheet = Sheet(x, percents([0, top], "error = 1 − accuracy", 0), 290, 250, title=f"error on {part}")
        curves = []
        for row in chart.rows:
            hue, line = TWINS[row["kind"]]
            told = [row["kind"], row["width"] * widths, *([device_of(row), row["settings"]] if several else [])]
            label = ", ".join(filter(None, told))
            errors, spans = row[f"{part}_error"], row[f"{part}_span"]
            tips = [
                f"{label}, {depth} layers\nerror on {part}: {share(e)}"
                + (f" ({'95 % interval' if part == 'test' else 'one deviation over seeds'}: " * bool(s))
                + (f"{100 * s[0]:.1f} to {100 * s[1]:.1f})" if s else "")
                for depth, e, s in zip(row["depths"], errors, spans, strict=True)
            ]
            curves.append(
                Curve(
                    row["kind"],
                    label,
                    row["depths"],
                    errors,
                    tips,
                    row["device"] != "cpu",
                    y_span=spans,
                    joined=True,
                    dash=DASHES.get(line, ""),
                    hue=hue,
                    sign=DEPTH_SIGNS[row["width"]],
                )
            )
        panels.append(panel(sheet, curves))
    return tuple(panels), key(curves)


def depth_axis(depths: Sequence[int]) -> Axis:
    """Linear, with a tick at each depth that leaves room for it."""
    room = 0.05 * (depths[-1] - depths[0])
    ticks = [depths[0]]
    for depth in depths[1:]:
        if depth - ticks[-1] >= 2 * room:
            ticks.append(depth)
    return Axis(depths[0] - room, depths[-1] + room, {depth: str(depth) for depth in ticks}, "depth (layers)")


def _learning(chart: Chart) -> Parts:
    several = len({device_of(row) for row in chart.rows}) > 1
    labels = [_where(row, several) for row in chart.rows]
    measured = ("macro-F1" if "macro-F1" in chart.title else "accuracy") + " on test"
    x = images([n for row in chart.rows for n in row["sizes"]], "training images (val not counted, log scale)")
    y = percents([v for row in chart.rows for v in _reaching(row["figures"], row["spans"])], measured)
    sheet = Sheet(x, y, right=room_for(labels))
    curves = [
        Curve(
            row["method"],
            label,
            row["sizes"],
            row["figures"],
            [
                f"{label}\n{labels_of({'n_train': n, 'n_val': val})}\n{measured}: {share(f)}{span_told(s, over)}"
                for n, val, f, s, over in zip(
                    row["sizes"], row["val_sizes"], row["figures"], row["spans"], row["overs"], strict=True
                )
            ],
            row["device"] != "cpu",
            y_span=row["spans"],
            joined=True,
        )
        for row, label in zip(chart.rows, labels, strict=True)
    ]
    ends = [(row["sizes"][-1], row["figures"][-1]) for row in chart.rows]
    return (panel(sheet, curves, names=names_beside(sheet, ends, labels)),), ()


def _svm_time(chart: Chart) -> Parts:
    rows = chart.rows
    several = len({device_of(row) for row in rows if not row["claimed"]}) > 1
    x = images([n for row in rows for n in row["sizes"]], "training images (logarithmic)")
    y = clock([s for row in rows for s in row["fit_seconds"]], "fit time (logarithmic)")
    labels = [_fit_label(row, several) for row in rows]
    sheet = Sheet(x, y, width=820, right=room_for(labels))
    curves = []
    for row, label in zip(rows, labels, strict=True):
        tips = [f"{label}\n{n:,} images: {said(s)}" for n, s in zip(row["sizes"], row["fit_seconds"], strict=True)]
        fitting = [row["sizes"][0], row["sizes"][-1]] if row["exponent"] is not None else row["sizes"]
        line = fitted(row, fitting) if row["exponent"] is not None else row["fit_seconds"]
        look: dict[str, Any] = {"hue": GREY, "sign": "x"} if row["claimed"] else {}
        dash = DASHES.get(str(LIBRARIES.get(row["solver"], ("-",))[0]), "")
        method = row["method"] or "svm"
        curves.append(Curve(method, label, fitting, line, (), joined=True, dash=dash, **look))
        curves.append(Curve(method, label, row["sizes"], row["fit_seconds"], tips, row["device"] == "cuda", **look))
    ends = [(row["sizes"][-1], row["fit_seconds"][-1]) for row in rows]
    return (panel(sheet, curves, names=names_beside(sheet, ends, labels)),), ()


def _fit_label(row: Line, several: bool) -> str:
    if row["claimed"]:
        return "claimed by the study"
    told = [row["method"], row["solver"] or "", row["settings"], device_of(row) if several else ""]
    return ", ".join(filter(None, told)) + power(row)


def _per_class(chart: Chart) -> Parts:
    several = len({device_of(row) for row in chart.rows}) > 1
    first = chart.rows[0]
    order = np.argsort(-np.array(first["n_train"]), kind="stable").tolist()
    names = [f"{first['classes'][k]}  n={first['n_train'][k]:,}" for k in order]
    x = percents(
        [v for row in chart.rows for v in _reaching(row["f1"], row["spans"])], "F1 on test; n: training images"
    )
    sheet = Sheet(x, named(names), height=60 + 30 * len(names))
    curves = []
    for row in chart.rows:
        label = _where(row, several)
        spans: list[Span | None] = [row["spans"][k] for k in order]
        tips = [
            f"{label}\n{row['classes'][k]}: F1 {share(row['f1'][k])}{span_told(span, row['interval_over'])}\n"
            f"{row['n_train'][k]:,} training images"
            for k, span in zip(order, spans, strict=True)
        ]
        f1 = [row["f1"][k] for k in order]
        curves.append(Curve(row["method"], label, f1, range(len(order)), tips, row["device"] != "cpu", spans))
    return (panel(sheet, curves),), key(curves)


def _thresholds(chart: Chart) -> Parts:
    several = len({device_of(row) for row in chart.rows}) > 1
    chosen = [row for row in chart.rows if row["chosen"] is not None]
    texts = [f"{_where(row, several)}: chosen {share(row['chosen'])}" for row in chosen]
    x = Axis(0, 1, {k / 10: f"{k / 10:g}" for k in range(0, 11, 2)}, "threshold on the sigmoid of the score")
    every = [v for row in chart.rows for v in (*row["macro_f1"], row["chosen"] or 0)]
    sheet = Sheet(x, percents(every, "macro-F1 on val", 0), width=820, right=room_for(texts))
    curves = []
    for row in chart.rows:
        label = _where(row, several)
        tips = [
            f"{label}\nthreshold {t:.2f}: {share(f)}" for t, f in zip(row["thresholds"], row["macro_f1"], strict=True)
        ]
        curves.append(Curve(row["method"], label, row["thresholds"], row["macro_f1"], tips, joined=True))
    names: tuple[Name, ...] = names_beside(sheet, [(1.0, row["chosen"]) for row in chosen], texts)
    levels = tuple(round(sheet.at(0, row["chosen"])[1], 1) for row in chosen)
    return (panel(sheet, curves, names=names, levels=levels),), key(curves)


DRAWN: dict[str, Callable[[Chart], Parts]] = {
    "time": _time,
    "bars": _bars,
    "learning-curve": _learning,
    "depth": _depth,
    "per-class": _per_class,
    "history": _history,
    "thresholds": _thresholds,
    "svm-time": _svm_time,
}
