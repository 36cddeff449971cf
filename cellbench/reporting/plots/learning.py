"""`learning-curve`: test accuracy against the number of training images."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from ...core.words import counted
from ...results.backends import problem, solver
from ...results.rows import HARDWARE, Line, Row, by
from ...results.val_policy import val_policies
from ..captions import device_of, get_one, title_of
from .chart import Chart, LackingError, failures, intervals, labelled, measure, seeds, simulated, with_spans
from .labels import beside
from .sheet import apart, counts, percent, reach, sheet
from .style import mark

BACKENDS = (
    "Of the backends that were given the same problem one is drawn; `cellbench table --view parity` compares them."
)


def chart(pooled: Sequence[Row]) -> Chart:
    """A row a method, settings and hardware, with two sizes or more: `label`, `sizes`, `val_sizes`, `figures` (test
    accuracy or macro-F1, as fractions), `spans` and `overs` (their intervals as tables give them, None where there are
    none), by size.

    Of backends that solved one problem the one with most sizes is drawn.
    """
    pooled = labelled(pooled, told_apart=("backend",))
    name, words = measure(pooled)
    scored = [row for row in pooled if row[f"test_{name}"] is not None and row["n_train"]]
    curves, others = _curves(scored)
    long = [curve for curve in curves if len(curve) > 1]
    if not long:
        raise LackingError(f"no method with two numbers of training images; {_smaller(pooled)}")
    long = _certain(long)
    rows = [
        {
            **{key: curve[-1][key] for key in ("method", *HARDWARE)},
            "label": _label(curve, long),
            "sizes": [row["n_train"] for row in curve],
            "val_sizes": [row["n_val"] for row in curve],
            "figures": [row[f"test_{name}"] for row in curve],
            "spans": [row["span"] for row in curve],
            "overs": [row["interval_over"] for row in curve],
        }
        for curve in long
    ]
    drawn = [row for curve in long for row in curve]
    single, shown = {curve[0]["method"] for curve in curves if len(curve) == 1}, {row["method"] for row in rows}
    others_of = [f"other settings of {', '.join(sorted(single & shown))}"] if single & shown else []
    lone = [*sorted(single - shown), *others_of]
    return Chart(
        f"{title_of([{**row, 'limit': None} for row in pooled])}: {words} on test against training images",
        f"{counted(max(row['n_test'] or 0 for row in drawn), 'test image')} at every size; {seeds(drawn)}",
        tuple(sorted(rows, key=lambda row: -row["figures"][-1])),
        (
            *([f"Not drawn, with one size only: {', '.join(lone)}."] if lone else []),
            *_val_labels(drawn),
            *([BACKENDS] if others else []),
            *intervals(drawn, called=lambda row: f"{row['label']} at {row['n_train']:,}"),
            *simulated(pooled),
            *failures(drawn),
        ),
    )


def _label(curve: Sequence[Line], curves: Sequence[Sequence[Line]]) -> str:
    """The label of a curve's rows, with the policy of val images where another curve has the same label."""
    label = curve[-1]["label"]
    if sum(other[-1]["label"] == label for other in curves) == 1:
        return label
    limited = any(row["val_limit"] for row in curve)
    return f"{label}, {'val limited too' if limited else 'all of val'}"


def _val_labels(rows: Sequence[Line]) -> list[str]:
    """A line on the labels of val that epochs and settings were chosen by: labels cost the same in either part."""
    sizes = {(row["n_train"], row["n_val"]) for row in rows if row["n_val"]}
    if not sizes:
        return []
    numbers = {n for _, n in sizes}
    if len(numbers) == 1:
        return [f"Beside the training images, {counted(numbers.pop(), 'val image')} have labels at every size."]
    told = ", ".join(f"{val:,} with {train:,}" for train, val in sorted(sizes))
    return [f"Labelled val images, beside the training images: {told}."]


def _certain(curves: Sequence[Sequence[Row]]) -> list[list[Row]]:
    """The curves, their rows with intervals."""
    told = with_spans([row.having(curve=i) for i, curve in enumerate(curves) for row in curve])
    return [sorted(rows, key=lambda row: row["n_train"]) for rows in by(told, ["curve"])]


def _curves(rows: Sequence[Row]) -> tuple[list[list[Row]], bool]:
    """Rows by size, a list a method, settings, hardware and policy of val images; and whether some backend's were left
    out."""
    found: dict[tuple[Any, ...], dict[str | None, list[Row]]] = {}
    for row in rows:
        of_problem = found.setdefault(
            problem({**row, "limit": None, "val_limit": None}, "device", "threads", "version"), {}
        )
        of_problem.setdefault(solver(row), []).append(row)
    longest = [max(of_problem.values(), key=_count_sizes) for of_problem in found.values()]
    curves = [_by_size(policy) for rows in longest for policy in val_policies(rows)]
    return curves, any(len(each) > 1 for each in found.values())


def _count_sizes(rows: Sequence[Line]) -> int:
    return len({row["n_train"] for row in rows})


def _by_size(rows: Sequence[Row]) -> list[Row]:
    """A curve's rows, the first of each size, in the order of sizes."""
    first = {row["n_train"]: row for row in reversed(rows)}
    return [first[n] for n in sorted(first)]


def _smaller(rows: Sequence[Line]) -> str:
    smallest = min((row["n_train"] for row in rows if row["n_train"]), default=1000)
    return get_one(rows[0], rows[0]["method"], {}, max(1, smallest // 2))


def draw(chart: Chart) -> Figure:
    several = len({device_of(row) for row in chart.rows}) > 1
    with sheet(chart, 1, 1, 3.6) as (figure, grid):
        axes = grid[0, 0]
        for row in chart.rows:
            axes.errorbar(
                row["sizes"],
                row["figures"],
                yerr=reach(row["figures"], row["spans"]),
                **mark(row["method"], row["device"]),
                linestyle="-" if row["device"] == "cpu" else "--",
                elinewidth=0.8,
            )
        apart(figure, axes)
        counts(axes, [size for row in chart.rows for size in row["sizes"]])
        axes.set_xlabel("training images (val not counted, log scale)")
        axes.set_ylabel("macro-F1 on test" if "macro-F1" in chart.title else "accuracy on test")
        percent(axes)
        ends = [(row["sizes"][-1], row["figures"][-1]) for row in chart.rows]
        beside([(axes, ends, [row["label"] + f", {device_of(row)}" * several for row in chart.rows])])
    return figure
