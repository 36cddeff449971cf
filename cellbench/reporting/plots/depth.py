"""`depth`: error on train and test against the number of layers, plain nets beside their residual twins."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from .. import views
from ..captions import counts_of, device_of, get_one
from ..pooling import HARDWARE, by
from ..table import Row
from .chart import Chart, LackingError, failures, heading, labelled, seeds, simulated
from .sheet import percent, sheet
from .style import ORANGE, VERMILLION

PARTS = ("train", "test")
KINDS = {"plain": (ORANGE, "--"), "residual": (VERMILLION, "-")}
MARKS = {"wide": "s", "thin": "o"}


def chart(pooled: Sequence[Row]) -> Chart:
    """A row a kind of net, width, hardware and settings: `kind` 'plain' or 'residual', `width` 'wide' or 'thin',
    `depths`, and by part, as fractions, `train_error` and `train_error_sd` (None for one seed), in the order of the
    depths."""
    pooled = labelled(pooled)
    twins = by(views.depth(pooled).rows, views.ONE_LINE)
    rows = [line for group in twins for kind in KINDS if (line := _line(group, kind))]
    if max((len(row["depths"]) for row in rows), default=0) < 2:
        further = get_one(pooled[0], "plain18 resnet18 plain34 resnet34")
        raise LackingError(f"no plain or residual net at two depths; {further}")
    nets = [row for row in pooled if row["depth"] and row["shortcuts"] is not None and not row["pretrained"]]
    return Chart(
        heading(pooled, "error against depth"),
        f"{counts_of(pooled)}; {seeds(nets)}",
        tuple(rows),
        (views.DEGRADATION, *simulated(pooled), *failures(nets)),
    )


def _line(twins: list[Row], kind: str) -> Row | None:
    found = [row for row in twins if row[f"{kind}_test_error"] is not None and row[f"{kind}_train_error"] is not None]
    if not found:
        return None
    figures = [f"{part}_error{end}" for part in PARTS for end in ("", "_sd")]
    return {
        **{name: found[0][name] for name in ("width", *HARDWARE, "settings")},
        "kind": kind,
        "depths": [row["depth"] for row in found],
        **{name: [row[f"{kind}_{name}"] for row in found] for name in figures},
    }


def draw(chart: Chart) -> Figure:
    """Train at the left, test at the right, on one scale."""
    several = len({(row["device"], row["machine"], row["settings"]) for row in chart.rows}) > 1
    widths = len({row["width"] for row in chart.rows}) > 1
    with sheet(chart, 1, 2, 3.0, shared_y=True) as (figure, grid):
        for axes, part in zip(grid[0], PARTS, strict=True):
            for row in chart.rows:
                hue, line = KINDS[row["kind"]]
                inside = hue if row["device"] == "cpu" else "white"
                told = [row["kind"], row["width"] * widths, *([device_of(row), row["settings"]] if several else [])]
                axes.errorbar(
                    row["depths"],
                    row[f"{part}_error"],
                    yerr=[sd or 0 for sd in row[f"{part}_error_sd"]] if _seeded(row, part) else None,
                    color=hue,
                    marker=MARKS[row["width"]],
                    markerfacecolor=inside,
                    linestyle=line,
                    elinewidth=0.8,
                    label=", ".join(filter(None, told)),
                )
            axes.set_title(f"error on {part}")
            axes.set_xticks(sorted({depth for row in chart.rows for depth in row["depths"]}))
            axes.set_xlabel("depth (layers)")
            percent(axes)
        axes = grid[0, 0]
        axes.set_ylabel("error = 1 − accuracy")
        axes.set_ylim(0, 1.1 * max(_top(row, part) for row in chart.rows for part in PARTS))
        axes.legend(loc="best", handlelength=2.6)
    return figure


def _seeded(row: Row, part: str) -> bool:
    return any(row[f"{part}_error_sd"])


def _top(row: Row, part: str) -> float:
    return max(error + (sd or 0) for error, sd in zip(row[f"{part}_error"], row[f"{part}_error_sd"], strict=True))
