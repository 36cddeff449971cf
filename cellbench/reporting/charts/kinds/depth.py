"""`depth`: error on train and test against the number of layers, plain nets beside their residual twins."""

from collections.abc import Sequence
from functools import partial
from operator import itemgetter

import altair as alt

from ....results.rows.row import HARDWARE, Line, Row
from ...captions import counts_of, device_of, get_one
from ...tables.views.depth import DEGRADATION, Twins, by_line, is_of_depth, settings_of_all, twins_of
from ..axes import Frame, Ruler, percents, room_for
from ..chart import Chart, LackingError, failures, heading, intervals, labelled, seeds, simulated, with_spans
from ..compose import Spec, grid, independent, layered
from ..layers import Column, Datum, data, raw, side_by_side, tooltips
from ..registry import chart
from ..style import NARROW, ORANGE, VERMILLION, WHITE

DRAWN_PARTS = ("train", "test")
KINDS = {"plain": (ORANGE, [4, 2]), "residual": (VERMILLION, [1, 0])}
MARKS = {"wide": "square", "thin": "circle"}
COLUMNS = (
    Column("name", "nets"),
    Column("depth", "layers", "count"),
    Column("part", "part"),
    Column("error", "error", "percent"),
    Column("interval", "bar"),
)
METHOD, LABEL = itemgetter("method"), itemgetter("label")


@chart("depth", "Error against depth", "error of plain and residual nets by depth", place=40)
def depth(pooled: Sequence[Row]) -> Chart:
    """Return the chart of error against depth, with a row for each kind of net, width, hardware and settings.

    Keys of a row: `kind`, 'plain' or 'residual'; `width`, 'wide' or 'thin'; `depths`; and in the order of depths, as
    fractions, the `errors` on 'train' and 'test' and their bars, `spans`, each (low, high) or None: on train ± one
    standard deviation over seeds, on test the interval as in tables.
    """
    pooled = with_spans(labelled(pooled))
    nets = [row for row in pooled if is_of_depth(row)]
    twins = by_line(twins_of(nets))
    rows = _named([line for group in twins for kind in KINDS if (line := _line(group, kind))])
    if max((len(row["depths"]) for row in rows), default=0) < 2:
        further = get_one(pooled[0], "plain18 resnet18 plain34 resnet34")
        raise LackingError(f"no plain or residual net at two depths; {further}")
    shared = settings_of_all(nets)
    spread_on_train = any(any(row["spans"]["train"]) for row in rows)
    return Chart(
        heading(pooled, "error against depth"),
        f"{counts_of(pooled)}; {seeds(nets)}",
        tuple(rows),
        (
            *shared,
            DEGRADATION,
            *(["Bars on train: ± 1 standard deviation over seeds."] if spread_on_train else []),
            *intervals(
                [row for row in nets if row["test_accuracy"] is not None], "Bars on test", METHOD if shared else LABEL
            ),
            *simulated(pooled),
            *failures(nets),
        ),
        partial(draw, rows),
        COLUMNS,
        tuple(point for row in rows for part in DRAWN_PARTS for point in _points(row, part, row["depths"])),
    )


def _line(twins: Sequence[Twins], kind: str) -> Line | None:
    both = [(one.facts, one.nets[kind].errors) for one in twins]
    found = [(facts, net) for facts, net in both if net.train_error is not None and net.test_error is not None]
    if not found:
        return None
    facts, _ = found[0]
    train = [(net.train_error, net.train_error_sd) for _, net in found]
    return {
        **{name: facts[name] for name in ("width", *HARDWARE, "settings")},
        "kind": kind,
        "depths": [facts["depth"] for facts, _ in found],
        "errors": {"train": [error for error, _ in train], "test": [net.test_error for _, net in found]},
        "spans": {
            "train": [(error - sd, error + sd) if error is not None and sd else None for error, sd in train],
            "test": [net.test_error_span for _, net in found],
        },
    }


def _named(rows: list[Line]) -> list[Line]:
    """Return the rows, each with a `name`: the kind, and width, device and settings if rows differ in them."""
    several = len({(row["device"], row["machine"], row["settings"]) for row in rows}) > 1
    widths = len({row["width"] for row in rows}) > 1
    named: list[Line] = []
    for row in rows:
        parts = [row["kind"], row["width"] if widths else "", *([device_of(row), row["settings"]] if several else [])]
        named.append({**row, "name": ", ".join(filter(None, parts))})
    return named


def _points(row: Line, part: str, places: Sequence[float]) -> list[Datum]:
    """Return a point for each depth of a row. places: the x value of each, shifted so that bars do not overlap."""
    hue = KINDS[row["kind"]][0]
    what = "95 % interval" if part == "test" else "± 1 deviation over seeds"
    points: list[Datum] = []
    for depth, place, error, span in zip(row["depths"], places, row["errors"][part], row["spans"][part], strict=True):
        bar = {"low": span[0], "high": span[1]} if span else {}
        interval = {"interval": f"{100 * span[0]:.1f} to {100 * span[1]:.1f} ({what})"} if span else {}
        look = {"colour": hue, "fill": hue if row["device"] == "cpu" else WHITE, "shape": MARKS[row["width"]]}
        points.append(
            {"name": row["name"], "part": part, "depth": depth, "x": place, "error": error, **bar, **interval, **look}
        )
    return points


def draw(rows: Sequence[Line], width: float) -> Spec:
    """Return two panels with the same axes: error on train at the left or on top, error on test beside or below."""
    columns = 1 if width <= NARROW else 2
    depths = sorted({depth for row in rows for depth in row["depths"]})
    room = 0.05 * (depths[-1] - depths[0])
    x = Ruler(depths[0] - room, depths[-1] + room, "depth (layers)", "format(datum.value, 'd')", tuple(depths))
    top = max(_top(row, part) for row in rows for part in DRAWN_PARTS)
    y = percents([], "error = 1 − accuracy", 0, 1.1 * top or 1)
    side = (width - room_for(["100 %"]) - 40) / columns - 8
    panels = []
    for part in DRAWN_PARTS:
        frame = Frame(x, y, side, 190, y_texts=columns == 1 or part == DRAWN_PARTS[0])
        panels.append(_panel(rows, part, frame))
    apart = independent("stroke", "strokeDash")  # a shared key would stand above the heading
    return grid(*panels, columns=columns, spacing={"row": 56, "column": 16}, bounds="flush", resolve=apart)


def _panel(rows: Sequence[Line], part: str, frame: Frame) -> Spec:
    places = side_by_side(frame, [row["depths"] for row in rows])
    shown = [point for row, xs in zip(rows, places, strict=True) for point in _points(row, part, xs)]
    names = [row["name"] for row in rows]
    looks = [KINDS[row["kind"]] for row in rows]
    legend = alt.Legend(symbolType="stroke", symbolSize=200, columns=1) if part == DRAWN_PARTS[0] else None
    base = alt.Chart(data(shown)).encode(x=frame.x_of("x"))
    hue = alt.Color(**raw("colour"))
    some = base.transform_filter("isValid(datum.low)")
    line = base.mark_line(strokeWidth=1.4).encode(
        y=frame.y_of("error"),
        stroke=alt.Stroke("name:N", scale=alt.Scale(domain=names, range=[hue for hue, _ in looks]), legend=legend),
        strokeDash=alt.StrokeDash(
            "name:N", scale=alt.Scale(domain=names, range=[dash for _, dash in looks]), legend=legend
        ),
    )
    marks = base.mark_point(opacity=1, size=40, strokeWidth=1.2).encode(
        y=frame.y_of("error"),
        stroke=alt.Stroke(**raw("colour")),
        fill=alt.Fill(**raw("fill")),
        shape=alt.Shape(**raw("shape")),
        tooltip=tooltips(COLUMNS),
    )
    return layered(
        some.mark_rule(strokeWidth=0.9).encode(y=frame.y_of("low"), y2="high", color=hue),
        *[
            some.mark_tick(orient="horizontal", size=6, thickness=0.9).encode(y=frame.y_of(end), color=hue)
            for end in ("low", "high")
        ],
        line,
        marks,
        title=f"error on {part}",
        **frame.size,
    )


def _top(row: Line, part: str) -> float:
    top: float = max([*row["errors"][part], *(span[1] for span in row["spans"][part] if span)])
    return top
