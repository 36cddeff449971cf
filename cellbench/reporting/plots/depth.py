"""`depth`: error on train and test against the number of layers, plain nets beside their residual twins."""

from collections.abc import Sequence
from operator import itemgetter

from matplotlib.figure import Figure

from ...results.rows import HARDWARE, Line, Row, by
from ..captions import counts_of, device_of, get_one
from ..tables.depth import DEGRADATION, ONE_LINE, depth, settings_of_all
from .chart import Chart, LackingError, failures, heading, intervals, labelled, seeds, simulated, with_spans
from .sheet import apart, percent, reach, sheet
from .style import ORANGE, VERMILLION

PARTS = ("train", "test")
KINDS = {"plain": (ORANGE, "--"), "residual": (VERMILLION, "-")}
MARKS = {"wide": "s", "thin": "o"}
METHOD, LABEL = itemgetter("method"), itemgetter("label")


def chart(pooled: Sequence[Row]) -> Chart:
    """A row a kind of net, width, hardware and settings: `kind` 'plain' or 'residual', `width` 'wide' or 'thin',
    `depths`, and in their order, as fractions, `train_error`, `test_error` and their bars, (low, high) or None:
    `train_span`, one standard deviation over seeds, and `test_span`, the interval as tables give it."""
    pooled = with_spans(labelled(pooled))
    twins = by(depth(pooled).rows, ONE_LINE)
    rows = [line for group in twins for kind in KINDS if (line := _line(group, kind))]
    if max((len(row["depths"]) for row in rows), default=0) < 2:
        further = get_one(pooled[0], "plain18 resnet18 plain34 resnet34")
        raise LackingError(f"no plain or residual net at two depths; {further}")
    nets = [row for row in pooled if row["depth"] and row["shortcuts"] is not None and not row["pretrained"]]
    shared = settings_of_all(nets)
    return Chart(
        heading(pooled, "error against depth"),
        f"{counts_of(pooled)}; {seeds(nets)}",
        tuple(rows),
        (
            *shared,
            DEGRADATION,
            *["Bars on train: ± 1 standard deviation over seeds."] * any(any(row["train_span"]) for row in rows),
            *intervals(
                [row for row in nets if row["test_accuracy"] is not None], "Bars on test", METHOD if shared else LABEL
            ),
            *simulated(pooled),
            *failures(nets),
        ),
    )


def _line(twins: list[Line], kind: str) -> Line | None:
    found = [row for row in twins if row[f"{kind}_test_error"] is not None and row[f"{kind}_train_error"] is not None]
    if not found:
        return None
    train = [(row[f"{kind}_train_error"], row[f"{kind}_train_error_sd"]) for row in found]
    return {
        **{name: found[0][name] for name in ("width", *HARDWARE, "settings")},
        "kind": kind,
        "depths": [row["depth"] for row in found],
        **{f"{part}_error": [row[f"{kind}_{part}_error"] for row in found] for part in PARTS},
        "train_span": [(error - sd, error + sd) if sd else None for error, sd in train],
        "test_span": [row.get(f"{kind}_test_error_span") for row in found],
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
                    yerr=reach(row[f"{part}_error"], row[f"{part}_span"]),
                    color=hue,
                    marker=MARKS[row["width"]],
                    markerfacecolor=inside,
                    linestyle=line,
                    elinewidth=0.8,
                    label=", ".join(filter(None, told)),
                )
            apart(figure, axes)
            axes.set_title(f"error on {part}")
            axes.set_xticks(sorted({depth for row in chart.rows for depth in row["depths"]}))
            axes.set_xlabel("depth (layers)")
            percent(axes)
        axes = grid[0, 0]
        axes.set_ylabel("error = 1 − accuracy")
        axes.set_ylim(0, 1.1 * max(_top(row, part) for row in chart.rows for part in PARTS))
        axes.legend(loc="best", handlelength=2.6)
    return figure


def _top(row: Line, part: str) -> float:
    return max([*row[f"{part}_error"], *(span[1] for span in row[f"{part}_span"] if span)])
