"""`history`: loss and accuracy by epoch on train and val, a pair of panels for each method."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import altair as alt
import numpy as np
from numpy.typing import NDArray

from ....results.rows.row import Line, Row
from ...captions import counts_of, get_one
from ..axes import Frame, Ruler, finite, numbers, percents, room_for
from ..chart import Chart, LackingError, failures, heading, labelled, named, seeds, simulated
from ..compose import Part, Spec, grid, layered, stacked
from ..layers import Column, Datum, data, tooltips
from ..registry import chart
from ..style import GREY, NARROW, colour, shape

CURVES = ("loss", "accuracy")
DASHES = {"train": [4, 2], "val": [1, 0]}
LONG = 50  # the axis is logarithmic if the largest loss is more than this times the smallest
OFF = 2  # losses above this times the median of the nets' largest losses are cut off
LEGEND = (
    "Dashed, pale: train, as seen in training: of augmented images while the weights still changed, loss with label "
    "smoothing. Solid: val. The dotted vertical line marks the epoch whose weights were kept."
)
SUMMARY = (
    Column("name", "net"),
    Column("epochs", "epochs", "count"),
    Column("kept", "weights kept after epoch"),
    Column("train_loss", "last loss on train", "number"),
    Column("val_loss", "last loss on val", "number"),
    Column("train_accuracy", "last accuracy on train", "percent"),
    Column("val_accuracy", "last accuracy on val", "percent"),
    Column("best", "best accuracy on val", "percent"),
)
COLUMNS = (
    Column("name", "net"),
    Column("part", "part"),
    Column("epoch", "epoch", "count"),
    Column("loss", "loss", "number"),
    Column("accuracy", "accuracy", "percent"),
    Column("loss_sd", "standard deviation of loss", "number"),
    Column("accuracy_sd", "standard deviation of accuracy", "percent"),
)
WHOLE = "datum.value == floor(datum.value) ? format(datum.value, 'd') : ''"  # no half epochs
SEVERAL = "With several labels an image, accuracy is the share of images whose labels are all right at threshold 0."


class Curve(NamedTuple):
    """A figure by epoch, averaged over seeds.

    means: (epochs,), NaN for epochs after which it was not scored. deviations: standard deviations over seeds,
    (epochs,), or None for a single seed.
    """

    means: NDArray[np.float64]
    deviations: NDArray[np.float64] | None


@chart("history", "Loss and accuracy by epoch", "loss and accuracy by epoch, net by net", place=60)
def history(pooled: Sequence[Row]) -> Chart:
    """Return the chart of training histories, with a row for each labelled net.

    Keys of a row: `label`; `epochs` (n,); `kept`, the epoch chosen by each seed; `train` and `val`, each with a
    Curve of `loss` and one of `accuracy`.
    """
    pooled = labelled(pooled)
    nets = named([net for row in pooled if (net := _net(row))])
    if not nets:
        raise LackingError(f"no net has a history of epochs; {get_one(pooled[0], 'cnn')}")
    drawn = [row for row in pooled if row["family"] == "deep"]
    return Chart(
        heading(pooled, "loss and accuracy by epoch"),
        f"{counts_of(pooled)}; {seeds([row for row in drawn if row['seeds']], 'bands')}",
        tuple(nets),
        (
            LEGEND,
            *([SEVERAL] if pooled[0]["several_labels"] else []),
            *_cut_off(nets),
            *simulated(pooled),
            *failures(drawn),
        ),
        partial(draw, nets),
        SUMMARY,
        tuple(_summary(net) for net in nets),
    )


def _net(row: Row) -> Line | None:
    records = [run.record for run in row.runs]
    histories = [record.history for record in records if any("val_loss" in entry for entry in record.history)]
    if not histories:
        return None
    epochs = min(len(history) for history in histories)  # a seed that stopped early has fewer
    entries = [history[:epochs] for history in histories]
    return {
        **{name: row[name] for name in ("method", "label", "device", "threads", "machine")},
        "epochs": np.arange(1, epochs + 1),
        "kept": [record.chosen["epoch"] for record in records if "epoch" in record.chosen],
        **{part: {figure: _curve(entries, f"{part}_{figure}") for figure in CURVES} for part in DASHES},
    }


def _curve(entries: Sequence[Sequence[Mapping[str, float]]], name: str) -> Curve:
    """Return the curve of a figure of records' histories, one for each seed, such as 'val_loss'."""
    seeds = np.array([[epoch.get(name, math.nan) for epoch in history] for history in entries])
    return Curve(seeds.mean(0), seeds.std(0, ddof=1) if len(seeds) > 1 else None)


def _summary(net: Line) -> Datum:
    """Return the line of a net in the table beside the chart, which would be too long with a line for each epoch."""
    train, val = ({name: finite(net[part][name].means) for name in CURVES} for part in DASHES)
    return {
        "name": net["name"],
        "epochs": len(net["epochs"]),
        "kept": ", ".join(map(str, net["kept"])),
        "train_loss": _last(train["loss"]),
        "train_accuracy": _last(train["accuracy"]),
        "val_loss": _last(val["loss"]),
        "val_accuracy": _last(val["accuracy"]),
        "best": max(val["accuracy"], default=None),
    }


def _last(values: Sequence[float]) -> float | None:
    return values[-1] if values else None


def _points(net: Line, part: str) -> list[Datum]:
    """Return a point for each epoch after which the part was scored; val is not scored after every epoch."""
    entries: list[Datum] = []
    for at, epoch in enumerate(net["epochs"].tolist()):
        known: dict[str, object] = {"name": net["name"], "part": part, "epoch": epoch}
        for name in CURVES:
            means, deviations = net[part][name]
            if math.isfinite(means[at]):
                known[name] = float(means[at])
                if deviations is not None:
                    known[f"{name}_sd"] = float(deviations[at])
        if len(known) > 3:
            entries.append(known)
    return entries


def _losses(net: Line) -> list[float]:
    return finite([loss for part in DASHES for loss in net[part]["loss"].means])


def highest_shown(nets: Sequence[Line]) -> float:
    """Return the largest loss to show, limited so that a net that diverged does not flatten all other curves."""
    largest = [max(losses) for net in nets if (losses := _losses(net))]
    return min(max(largest, default=1.0), OFF * float(np.median(largest or [1.0])))


def _cut_off(nets: Sequence[Line]) -> list[str]:
    top = highest_shown(nets)
    higher = [
        f"{net['name']} reaches {max(losses):.3g}" for net in nets if (losses := _losses(net)) and max(losses) > top
    ]
    return [f"Losses above {top:.3g} are cut off: {'; '.join(higher)}."] if higher else []


def draw(nets: Sequence[Line], width: float) -> Spec:
    """Return panels of loss above accuracy, methods side by side, three in a line; y axes are shared."""
    columns = min(len(nets), 1 if width <= NARROW else 3)
    rulers = {"loss": _losses_ruler(nets), "accuracy": _accuracy_ruler(nets)}
    left = room_for(["100 %"]) + 32
    room = (width - left - 16 * (columns - 1)) / columns - 4
    lines = []
    for at in range(0, len(nets), columns):
        line = nets[at : at + columns]
        panels = [
            _panel(net, name, rulers[name], room, first=net is line[0], key=net is nets[0])
            for name in CURVES
            for net in line
        ]
        spacing = {"row": 10, "column": 14}
        lines.append(grid(*panels, columns=len(line), spacing=spacing, bounds="flush"))
    return stacked(*lines, spacing=14)


def _losses_ruler(nets: Sequence[Line]) -> Ruler:
    top = highest_shown(nets)
    shown = [loss for net in nets for loss in _losses(net) if loss <= top]
    low, high = min(shown, default=0.1), max(shown, default=1.0)
    if high > LONG * low > 0:
        return Ruler(low / 1.3, high * 1.3, "loss", "format(datum.value, '~g')", log=True)
    return numbers(shown, "loss (nats)")


def _accuracy_ruler(nets: Sequence[Line]) -> Ruler:
    return percents([value for net in nets for part in DASHES for value in net[part]["accuracy"].means], "accuracy")


def _panel(net: Line, name: str, ruler: Ruler, room: float, first: bool, key: bool) -> Spec:
    x = Ruler(0.5, float(net["epochs"][-1]) + 0.5, "epoch", WHOLE)
    frame = Frame(x, ruler, room, 95.0, x_texts=name == CURVES[-1], y_texts=first)
    hue, upper = colour(net["method"]), name == CURVES[0]
    layers: list[Part] = []
    kept = [{"epoch": epoch} for epoch in sorted(set(net["kept"]))]
    layers.append(
        alt.Chart(data(kept)).mark_rule(color=GREY, strokeWidth=0.8, strokeDash=[1, 2]).encode(x=frame.x_of("epoch"))
    )
    for part, strength in (("train", 0.6), ("val", 1.0)):
        shown = [point for point in _points(net, part) if name in point]
        base = alt.Chart(data(shown)).encode(x=frame.x_of("epoch"))
        if net[part][name].deviations is not None:
            band = base.transform_calculate(
                low=f"datum.{name} - datum.{name}_sd", high=f"datum.{name} + datum.{name}_sd"
            )
            layers.append(band.mark_area(color=hue, opacity=0.2, clip=True).encode(y=frame.y_of("low"), y2="high"))
        line = base.mark_line(color=hue, opacity=strength, strokeWidth=1.4, strokeDash=DASHES[part], clip=True)
        layers.append(line.encode(y=frame.y_of(name), tooltip=tooltips(_columns(name))))
        if part == "val":
            few = alt.Chart(data(shown[:: max(1, len(shown) // 8)])).mark_point(
                shape=shape(net["method"]), fill=hue, stroke=hue, size=16, strokeWidth=0.5, opacity=1, clip=True
            )
            layers.append(few.encode(x=frame.x_of("epoch"), y=frame.y_of(name), tooltip=tooltips(_columns(name))))
    layers += _key(frame) if key and upper else []
    return layered(*layers, **frame.size, **({"title": net["name"]} if upper else {}))


def _columns(name: str) -> list[Column]:
    return [column for column in COLUMNS if column.field in ("name", "part", "epoch", name, f"{name}_sd")]


def _key(frame: Frame) -> list[alt.Chart]:
    """Return the legend of the lines for train and val, in the corner of a panel."""
    layers: list[alt.Chart] = []
    for at, part in enumerate(DASHES):
        base, y = alt.Chart(data([{"text": part}])), alt.value(5 + 11 * at)
        rule = base.mark_rule(color=GREY, strokeWidth=1.4, strokeDash=DASHES[part])
        layers.append(rule.encode(x=alt.value(frame.width - 48), x2=alt.value(frame.width - 30), y=y))
        layers.append(base.mark_text(align="left").encode(x=alt.value(frame.width - 26), y=y, text="text:N"))
    return layers
