"""`learning-curve`: test accuracy against the number of labelled images."""

from collections.abc import Sequence
from functools import partial

import altair as alt

from ....core.text.words import counted
from ....results.rows.backends import problem, solver
from ....results.rows.row import HARDWARE, Line, Row, grouped_by
from ....results.rows.val_policy import val_policies
from ...captions import get_one
from ..axes import Frame, counts, percents, room_for
from ..chart import (
    INTERVAL,
    Chart,
    LackingError,
    failures,
    interval,
    intervals,
    labelled,
    measure,
    named,
    seeds,
    simulated,
    title_of_all,
    with_spans,
)
from ..compose import Spec, layered
from ..layers import Column, Datum, data, key, names_beside, points, raw, room_beside, side_by_side
from ..layers import intervals as bars
from ..registry import chart
from ..style import NARROW, mark

BACKENDS = (
    "Of the backends that were given the same problem one is drawn; `cellbench table --view parity` compares them."
)


@chart(
    "learning-curve",
    "Learning curve",
    "accuracy against training images (runs with --limit)",
    place=30,
    every_run=True,
)
def learning_curve(pooled: Sequence[Row]) -> Chart:
    """Return learning curves, with a row for each curve of two sizes or more.

    A curve has one method, settings, hardware and policy for val images.

    Keys of a row: `label`, and in the order of sizes `sizes` (labelled images, those of training and of val),
    `train_sizes` and `val_sizes`, `figures` (accuracy or macro-F1 on test, as fractions), `spans` and `overs` (their
    intervals as in tables, None without one).

    If several backends solved the same problem, only the one with most sizes is drawn.
    """
    pooled = labelled(pooled, without=("backend",))
    name, words = measure(pooled)
    scored = [row for row in pooled if row.metric(name) is not None and row["n_train"]]
    curves, others = _curves(scored)
    long = [curve for curve in curves if len(curve) > 1]
    if not long:
        raise LackingError(f"no method with two numbers of training images; {_smaller(pooled)}")
    long = _certain(long)
    rows: list[Line] = [
        {
            **{key: curve[-1][key] for key in ("method", *HARDWARE)},
            "label": _label(curve, long),
            "sizes": [row["n_train"] + (row["n_val"] or 0) for row in curve],
            "train_sizes": [row["n_train"] for row in curve],
            "val_sizes": [row["n_val"] for row in curve],
            "figures": [row.metric(name) for row in curve],
            "spans": [row["span"] for row in curve],
            "overs": [row["interval_over"] for row in curve],
        }
        for curve in long
    ]
    drawn = [row for curve in long for row in curve]
    single, shown = {curve[0]["method"] for curve in curves if len(curve) == 1}, {row["method"] for row in rows}
    others_of = [f"other settings of {', '.join(sorted(single & shown))}"] if single & shown else []
    lone = [*sorted(single - shown), *others_of]
    rows = named(sorted(rows, key=lambda row: -row["figures"][-1]))
    columns = (
        Column("name", "method"),
        Column("labels", "labelled images", "count"),
        Column("n_train", "training images", "count"),
        Column("n_val", "val images", "count"),
        Column("y", f"{words} on test", "percent"),
        INTERVAL,
    )
    return Chart(
        f"{title_of_all(pooled)}: {words} on test against labelled images",
        f"{counted(max(row['n_test'] or 0 for row in drawn), 'test image')} at every size; {seeds(drawn)}",
        tuple(rows),
        (
            *([f"Not drawn, with one size only: {', '.join(lone)}."] if lone else []),
            *_val_labels(drawn),
            *([BACKENDS] if others else []),
            *intervals(drawn, called=lambda row: f"{row['label']} at {row['n_train']:,}"),
            *simulated(pooled),
            *failures(drawn),
        ),
        partial(draw, rows, f"{words} on test", columns),
        columns,
        tuple(point for row in rows for point in _points(row, row["sizes"])),
    )


def _label(curve: Sequence[Line], curves: Sequence[Sequence[Line]]) -> str:
    """The label of a curve's rows, with the policy of val images where another curve has the same label."""
    label: str = curve[-1]["label"]
    if sum(other[-1]["label"] == label for other in curves) == 1:
        return label
    limited = any(row["val_limit"] for row in curve)
    return f"{label}, {'val limited too' if limited else 'all of val'}"


def _val_labels(rows: Sequence[Line]) -> list[str]:
    """Return a line on the number of val images, since their labels cost as much as those of training images."""
    sizes = {(row["n_train"], row["n_val"]) for row in rows if row["n_val"]}
    if not sizes:
        return []
    numbers = {n for _, n in sizes}
    if len(numbers) == 1:
        return [f"Beside the training images, {counted(numbers.pop(), 'val image')} have labels at every size."]
    text = ", ".join(f"{val:,} with {train:,}" for train, val in sorted(sizes))
    return [f"Labelled val images, beside the training images: {text}."]


def _certain(curves: Sequence[Sequence[Row]]) -> list[list[Row]]:
    """Return the curves with intervals added to their rows; see `with_spans`."""
    spanned = with_spans([row.having(curve=i) for i, curve in enumerate(curves) for row in curve])
    return [sorted(rows, key=lambda row: row["n_train"]) for rows in grouped_by(spanned, ["curve"])]


def _curves(rows: Sequence[Row]) -> tuple[list[list[Row]], bool]:
    """Return the curves, and whether any backends were left out.

    A curve has the rows of one method, settings, hardware and policy for val images, ordered by size.
    """
    found: dict[tuple[object, ...], dict[str | None, list[Row]]] = {}
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
    """Return the first row of each number of training images, ordered by that number."""
    first = {row["n_train"]: row for row in reversed(rows)}
    return [first[n] for n in sorted(first)]


def _smaller(rows: Sequence[Line]) -> str:
    smallest = min((row["n_train"] for row in rows if row["n_train"]), default=1000)
    return get_one(rows[0], rows[0]["method"], {}, max(1, smallest // 2))


def _points(row: Line, places: Sequence[float]) -> list[Datum]:
    """Return a point for each size of a row. places: the x value of each, shifted so that bars do not overlap."""
    return [
        {
            "name": row["name"],
            "labels": n,
            "n_train": train,
            "n_val": val,
            "x": place,
            "y": figure,
            **interval(span, over),
            **mark(row["method"], row["device"]),
        }
        for n, train, val, place, figure, span, over in zip(
            *(row[name] for name in ("sizes", "train_sizes", "val_sizes")),
            places,
            *(row[name] for name in ("figures", "spans", "overs")),
            strict=True,
        )
    ]


def draw(rows: Sequence[Line], measured: str, columns: Sequence[Column], width: float) -> Spec:
    names = [row["name"] for row in rows]
    narrow = width <= NARROW
    x = counts([n for row in rows for n in row["sizes"]], "labelled images, train and val (log scale)")
    y = percents([v for row in rows for v in (*row["figures"], *_ends(row))], measured)
    room = width - room_for(["100.0 %"]) - 36 - (8 if narrow else room_beside(names))
    frame = Frame(x, y, room, 230)
    places = side_by_side(frame, [row["sizes"] for row in rows])
    curves = [_points(row, xs) for row, xs in zip(rows, places, strict=True)]
    shown = [point for curve in curves for point in curve]
    ends = [(curve[-1]["x"], curve[-1]["y"]) for curve in curves]
    marks = points(frame, shown, columns)
    return layered(
        *[_line(frame, curve, row["device"]) for curve, row in zip(curves, rows, strict=True)],
        *([] if narrow else names_beside(frame, ends, names)),
        bars(frame, shown),
        marks.encode(**key(rows, 1)) if narrow else marks,
        **frame.size,
    )


def _line(frame: Frame, curve: Sequence[Datum], device: str) -> alt.Chart:
    dash = [1, 0] if device == "cpu" else [4, 2]
    line = alt.Chart(data(curve)).mark_line(strokeWidth=1.4, strokeDash=dash)
    drawn: alt.Chart = line.encode(x=frame.x_of("x"), y=frame.y_of("y"), color=alt.Color(**raw("colour")))
    return drawn


def _ends(row: Line) -> list[float]:
    return [end for span in row["spans"] if span for end in span]
