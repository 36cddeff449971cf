"""`bars`: train, val and test beside each other for each method, so that a gap between them is seen."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from ...results.rows import HARDWARE, Line, Row
from ..captions import counts_of, device_of, get_one
from .chart import Chart, LackingError, failures, heading, intervals, labelled, measure, seeds, simulated, with_spans
from .sheet import legend, percent, reach, sheet
from .style import GREY, colour, tint

PARTS = {"train": 0.3, "val": 0.62, "test": 1.0}  # and how strong the method's colour is
CLAIMED: Any = {"color": "black", "marker": "D", "markerfacecolor": "white", "markersize": 4, "linestyle": "none"}
# Black on bars of any colour, black ones too.
SPAN: Any = {
    "fmt": "none",
    "ecolor": "black",
    "elinewidth": 1,
    "capsize": 2,
    "path_effects": [withStroke(linewidth=2.6, foreground="white")],
}
Claims = Mapping[str, Mapping[str, float]]


def chart(pooled: Sequence[Row], claimed: Claims | None = None) -> Chart:
    """A row a method, the best on test first: `label`, `train`, `val`, `test` as fractions, each with `<part>_sd`;
    `span` and `interval_over`, the interval of test as tables give it; and `claimed`: by part what was claimed of the
    method elsewhere, and not measured here.

    claimed: by method and part, fractions.
    """
    pooled = with_spans(labelled(pooled))
    name, words = measure(pooled)
    shown = [row for row in pooled if row[f"test_{name}"] is not None]
    if not shown:
        raise LackingError(f"no run with {words} on test; {get_one(pooled[0], 'svm-hog cnn')}")
    rows = [
        {
            **{key: row[key] for key in ("method", "label", "span", "interval_over", *HARDWARE)},
            **{part: row[f"{part}_{name}"] for part in PARTS},
            **{f"{part}_sd": row[f"{part}_{name}_sd"] for part in PARTS},
            "claimed": (claimed or {}).get(row["method"], {}),
        }
        for row in sorted(shown, key=lambda row: (-row[f"test_{name}"], row["label"]))
    ]
    return Chart(
        heading(pooled, f"{words} on train, val and test"),
        f"{counts_of(pooled)}; {seeds(shown)}",
        tuple(rows),
        (*intervals(shown, "Lines on test"), *_subsampled(shown), *simulated(pooled), *failures(pooled)),
    )


def _subsampled(rows: Sequence[Line]) -> list[str]:
    scored = {row["train_n"] for row in rows if row["train_n"] and row["train_n"] != row["n_train"]}
    return [f"train is scored on {n:,} of its images." for n in sorted(scored)]


def draw(chart: Chart) -> Figure:
    """Lying bars from zero, the figure at the end of each; diamonds: claimed."""
    rows = chart.rows
    several = len({device_of(row) for row in rows}) > 1
    with sheet(chart, 1, 1, 0.75 + 0.52 * len(rows)) as (figure, grid):
        axes = grid[0, 0]
        for at, row in enumerate(rows):
            for place, (part, strength) in enumerate(PARTS.items()):
                if row[part] is None:
                    continue
                y = at + (place - 1) * 0.27
                hue, span = colour(row["method"]), row["span"] if part == "test" else None
                axes.barh(y, row[part], 0.25, color=tint(hue, strength), edgecolor=hue, linewidth=0.6)
                if span:
                    axes.errorbar(row[part], y, xerr=reach([row[part]], [span]), **SPAN)
                weight = "bold" if part == "test" else "normal"
                end = (max(row[part], span[1] if span else 0), y)
                beyond = {"xytext": (3, -0.5), "textcoords": "offset points", "va": "center"}
                axes.annotate(f"{100 * row[part]:.1f}", end, **beyond, fontweight=weight)
                if part in row["claimed"]:
                    axes.plot(row["claimed"][part], y, **CLAIMED)
        axes.set_yticks(range(len(rows)), [row["label"] + f"\n{device_of(row)}" * several for row in rows])
        axes.invert_yaxis()
        axes.set_ylim(len(rows) - 0.45, -0.55)
        axes.set_xlim(0, 1.09)
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        percent(axes, "x")
        axes.set_xlabel("macro-F1" if "macro-F1" in chart.title else "accuracy")
        keys: list[Artist] = [Patch(color=tint(GREY, strength), label=part) for part, strength in PARTS.items()]
        if any(row["claimed"] for row in rows):
            keys.append(Line2D([], [], label="claimed, not measured here", **CLAIMED))
        legend(axes, keys)
    return figure
