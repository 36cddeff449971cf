"""`history`: loss and accuracy by epoch on train and val, a pair of panels a method."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ...results.rows import Line, Row
from ..captions import counts_of, device_of, get_one
from .chart import Chart, LackingError, failures, heading, labelled, seeds, simulated
from .sheet import blank, percent, sheet
from .style import look, tint

FIGURES = ("loss", "accuracy")
LONG = 50  # largest over smallest loss, from where the axis is logarithmic
LEGEND = (
    "Dashed, pale: train, as seen in training: of augmented images while the weights still changed, loss with label "
    "smoothing. Solid: val. Dotted upright: the epoch whose weights were kept."
)
SEVERAL = "With several labels an image, accuracy is the share of images whose labels are all right at threshold 0."


def chart(pooled: Sequence[Row]) -> Chart:
    """A row a net: `label`, `epochs` (n,), `kept`: the epoch chosen by each seed, and by figure, such as `val_loss`,
    its means over seeds (n,) and, under `val_loss_sd`, their standard deviations or None."""
    pooled = labelled(pooled)
    nets = [net for row in pooled if (net := _net(row))]
    if not nets:
        raise LackingError(f"no net has a history of epochs; {get_one(pooled[0], 'cnn')}")
    drawn = [row for row in pooled if row["family"] == "deep"]
    return Chart(
        heading(pooled, "loss and accuracy by epoch"),
        f"{counts_of(pooled)}; {seeds([row for row in drawn if row['seeds']], 'bands')}",
        tuple(nets),
        (LEGEND, *([SEVERAL] if pooled[0]["several_labels"] else []), *simulated(pooled), *failures(drawn)),
    )


def _net(row: Row) -> Line | None:
    records = [run.record for run in row["runs"]]
    histories = [record.history for record in records if any("val_loss" in entry for entry in record.history)]
    if not histories:
        return None
    epochs = min(len(history) for history in histories)  # one that stopped early has fewer
    names = [f"{part}_{figure}" for part in ("train", "val") for figure in FIGURES]
    net: dict[str, Any] = {
        **{name: row[name] for name in ("method", "label", "device", "threads", "machine")},
        "epochs": np.arange(1, epochs + 1),
        "kept": [record.chosen["epoch"] for record in records if "epoch" in record.chosen],
    }
    for name in names:
        curves = np.array([[epoch.get(name, math.nan) for epoch in history[:epochs]] for history in histories])
        net[name] = curves.mean(0)
        net[f"{name}_sd"] = curves.std(0, ddof=1) if len(curves) > 1 else None
    return net


def draw(chart: Chart) -> Figure:
    """Methods side by side, three to a line, loss above accuracy, each on one scale throughout."""
    nets = chart.rows
    across = min(len(nets), 3)
    lines = math.ceil(len(nets) / across)
    several = len({device_of(net) for net in nets}) > 1
    with sheet(chart, 2 * lines, across, 3.3 * lines) as (figure, grid):
        for at, net in enumerate(nets):
            pair = [grid[2 * (at // across) + below, at % across] for below in (0, 1)]
            pair[0].set_title(net["label"] + f", {device_of(net)}" * several)
            for axes, name in zip(pair, FIGURES, strict=True):
                _curves(axes, net, name)
                axes.set_xlim(0.5, len(net["epochs"]) + 0.5)
                axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
                if at == 0 and name == "loss":
                    axes.legend(loc="upper right", handlelength=1.8)
                if at % across == 0:
                    axes.set_ylabel("loss (nats)" if name == "loss" else "accuracy")
                if name == "accuracy":
                    percent(axes)
                axes.tick_params(labelleft=at % across == 0)
            pair[0].tick_params(labelbottom=False)
            pair[1].set_xlabel("epoch")
        for below, name in enumerate(FIGURES):
            used = [grid[2 * (at // across) + below, at % across] for at in range(len(nets))]
            _one_scale(used, [net[f"{part}_{name}"] for net in nets for part in ("train", "val")])
        blank(
            [
                grid[2 * (at // across) + below, at % across]
                for at in range(len(nets), lines * across)
                for below in (0, 1)
            ]
        )
    return figure


def _curves(axes: Axes, net: Line, name: str) -> None:
    hue, sign = look(net["method"])
    for part, line, colour in (("train", (0, (4, 2)), tint(hue, 0.6)), ("val", "-", hue)):
        scored = np.isfinite(net[f"{part}_{name}"])  # a large val part is not scored after every epoch
        epochs, mean = net["epochs"][scored], net[f"{part}_{name}"][scored]
        every = max(1, len(epochs) // 8)
        dots: dict[str, Any] = {"marker": sign, "markersize": 4, "markevery": every} if part == "val" else {}
        axes.plot(epochs, mean, color=colour, linestyle=line, label=part, **dots)
        if net[f"{part}_{name}_sd"] is not None:
            spread = net[f"{part}_{name}_sd"][scored]
            axes.fill_between(epochs, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0)
    for epoch in sorted(set(net["kept"])):
        axes.axvline(epoch, color="#888888", linewidth=0.8, linestyle=":", zorder=0)


def _one_scale(panels: Sequence[Axes], curves: Sequence[NDArray]) -> None:
    values = np.concatenate(curves)
    low, high = np.nanmin(values), np.nanmax(values)
    room = 0.06 * (high - low) or 0.1
    for axes in panels:
        if high > LONG * low > 0:  # a net that blew up for an epoch would flatten all others
            axes.set_yscale("log")
            axes.set_ylim(low / 1.3, high * 1.3)
        else:
            axes.set_ylim(low - room, high + room)
