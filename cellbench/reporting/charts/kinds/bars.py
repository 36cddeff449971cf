"""`bars`: scores on train, val and test beside each other for each method, so that gaps between them are visible."""

from collections.abc import Mapping, Sequence
from functools import partial

import altair as alt

from ....results.rows.row import HARDWARE, Line, Row
from ...captions import counts_of, get_one
from ..axes import PERCENT, Frame, Ruler, room_for
from ..chart import (
    INTERVAL,
    Chart,
    LackingError,
    failures,
    heading,
    interval,
    intervals,
    labelled,
    measure,
    named,
    seeds,
    simulated,
    with_spans,
)
from ..compose import Spec, layered
from ..layers import Column, Datum, data, raw, tooltips
from ..registry import chart
from ..style import BLACK, GREY, NARROW, WHITE, colour

OPACITY = {"train": 0.3, "val": 0.62, "test": 1.0}  # opacity of the bars by part
OUTSIDE = 26  # points at the right of the bars for their values
NAMES = 150.0  # largest width of the names of methods, in points
NAMES_NARROW = 84.0  # the same on a telephone
ClaimedScores = Mapping[str, Mapping[str, float]]


@chart("bars", "Train, val and test", "train, val and test beside each other, method by method", place=20)
def bars(pooled: Sequence[Row], claimed: ClaimedScores | None = None) -> Chart:
    """Return the chart of scores on train, val and test, with a row for each labelled method, the best on test first.

    Keys of a row: `label`; `train`, `val`, `test`, as fractions, and their `deviations` over seeds; `span` and
    `interval_over`, the interval of the score on test as in tables; `claimed`, scores by part that others published,
    not measured here.

    claimed: these scores by method and part, as fractions.
    """
    pooled = with_spans(labelled(pooled))
    name, words = measure(pooled)
    shown = [row for row in pooled if row.metric(name) is not None]
    if not shown:
        raise LackingError(f"no run with {words} on test; {get_one(pooled[0], 'svm-hog cnn')}")
    rows = named(
        [
            {
                **{key: row[key] for key in ("method", "label", "span", "interval_over", *HARDWARE)},
                **{part: row.metric(name, part) for part in OPACITY},
                "deviations": {part: row.deviation(name, part) for part in OPACITY},
                "claimed": (claimed or {}).get(row["method"], {}),
            }
            for row in sorted(shown, key=lambda row: (-row.value(name), row["label"]))
        ]
    )
    columns = (
        Column("name", "method"),
        Column("part", "part"),
        Column("value", words, "percent"),
        INTERVAL,
        Column("sd", "standard deviation over seeds", "percent"),
    )
    return Chart(
        heading(pooled, f"{words} on train, val and test"),
        f"{counts_of(pooled)}; {seeds(shown)}",
        tuple(rows),
        (*intervals(shown, "Lines on test"), *_subsampled(shown), *simulated(pooled), *failures(pooled)),
        partial(draw, rows, words, columns),
        columns,
        tuple(point for row in rows for point in _points(row)),
    )


def _subsampled(rows: Sequence[Line]) -> list[str]:
    scored = {row["train_n"] for row in rows if row["train_n"] and row["train_n"] != row["n_train"]}
    return [f"train is scored on {n:,} of its images." for n in sorted(scored)]


def _points(row: Line) -> list[Datum]:
    return [
        {
            "name": row["name"],
            "part": part,
            "value": row[part],
            "end": max(row[part], row["span"][1] if part == "test" and row["span"] else 0),
            "text": f"{100 * row[part]:.1f}",
            "colour": colour(row["method"]),
            "sd": row["deviations"][part],
            **(interval(row["span"], row["interval_over"]) if part == "test" else {}),
            **({"claimed": row["claimed"][part]} if part in row["claimed"] else {}),
        }
        for part in OPACITY
        if row[part] is not None
    ]


def draw(rows: Sequence[Line], words: str, columns: Sequence[Column], width: float) -> Spec:
    """Return horizontal bars from zero with the score at the end of each; diamonds are claimed scores."""
    shown = [point for row in rows for point in _points(row)]
    names = [row["name"] for row in rows]
    room = min(room_for(names), NAMES_NARROW if width <= NARROW else NAMES)
    ruler = Ruler(0, 1, words, PERCENT, (0, 0.5, 1) if width <= NARROW else (0, 0.2, 0.4, 0.6, 0.8, 1))
    frame = Frame(ruler, ruler, width - room - OUTSIDE - 16, 38.0 * len(rows))
    line = alt.Y("name:N", sort=names, title=None, scale=alt.Scale(paddingInner=0.18, paddingOuter=0.1)).axis(
        domain=False, ticks=False, labelLimit=room + 4, labelColor=BLACK
    )
    base = alt.Chart(data(shown)).encode(y=line, yOffset=alt.YOffset("part:N", sort=list(OPACITY)))
    end, zero = frame.x_of("value"), alt.datum(0)
    return layered(
        base.mark_bar().encode(opacity=_strengths(), fill=alt.Fill(**raw("colour")), x=end, x2=zero),
        base.mark_bar(filled=False, strokeWidth=0.7, opacity=1).encode(
            stroke=alt.Stroke(**raw("colour")), tooltip=tooltips(columns), x=end, x2=zero
        ),
        *[_line(base, frame, hue, thick) for hue, thick in ((WHITE, 3.6), (BLACK, 1.2))],
        *[
            base.transform_filter(f"datum.part {'==' if bold else '!='} 'test'")
            .mark_text(align="left", dx=4, fontSize=8, fontWeight="bold" if bold else "normal")
            .encode(x=frame.x_of("end"), text="text:N")
            for bold in (True, False)
        ],
        *([_claims(base, frame)] if any(row["claimed"] for row in rows) else []),
        **frame.size,
    )


def _strengths() -> alt.Opacity:
    return alt.Opacity(
        "part:N",
        sort=list(OPACITY),
        scale=alt.Scale(type="ordinal", domain=list(OPACITY), range=list(OPACITY.values())),
        legend=alt.Legend(symbolType="square", symbolFillColor=GREY, symbolStrokeColor=GREY, symbolSize=80),
    )


def _line(base: alt.Chart, frame: Frame, hue: str, thick: float) -> alt.Chart:
    """Return the line of the interval on test; it is drawn in white, then thinner in black, to show on any bar."""
    some = base.transform_filter("isValid(datum.low)")
    line: alt.Chart = some.mark_rule(color=hue, strokeWidth=thick).encode(x=frame.x_of("low"), x2="high")
    return line


def _claims(base: alt.Chart, frame: Frame) -> alt.Chart:
    some = base.transform_filter("isValid(datum.claimed)").transform_calculate(key="'claimed, not measured here'")
    diamonds: alt.Chart = some.mark_point(shape="diamond", fill=WHITE, stroke=BLACK, size=36, opacity=1).encode(
        x=frame.x_of("claimed"), shape=alt.Shape("key:N", scale=alt.Scale(range=["diamond"]), legend=alt.Legend())
    )
    return diamonds
