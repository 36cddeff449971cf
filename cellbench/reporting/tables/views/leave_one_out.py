"""How far accuracy falls from a random split to groups that no method has seen: donors, slides, patients."""

import math
from collections.abc import Sequence

from ....core.split_names import LEAVE_ONE_OUT, kind_of
from ....core.text.words import counted, plural, printed_difference
from ....results.rows.ranking import main_figure, main_title
from ....results.rows.row import HARDWARE, SETTINGS_OF_ALL_SIZES, Line, Row, columns_of
from ...captions import LABELS, get_one, limit_of, name_of
from ..table import PERCENT, POINTS, Column, Table

RANDOM = ("stratified", "random-mask", "official")  # may part the images of a group; the first that is there counts
SAME = (*SETTINGS_OF_ALL_SIZES, *HARDWARE, "limit", "val_limit")


def leave_one_out(rows: Sequence[Row]) -> Table:
    """Return a table of methods on a random split and with each group left out in turn, the smallest fall first.

    The fall's interval puts both halves together as independent (root of the sum of squares): it is on unlike images.
    """
    figure = main_figure(rows)
    named = main_title(rows)
    place = ", ".join([name_of(rows), *limit_of(rows[0])])
    left_out = [row for row in rows if _is_left_out(row) and row.metric(figure) is not None]
    units = plural((left_out or rows)[0].unit)
    pairs = [(given, row) for row in left_out if (given := _on_random_split(row, rows, figure))]
    if not pairs:
        return Table("leave-one-out", f"{place}: {units} left out in turn", (), (), (_lacking(rows, left_out),))
    lines = sorted((_line(given, row, figure) for given, row in pairs), key=lambda line: line["fall"])
    title = f"{place}: {_headline(lines, named, units)}"
    notes = (
        f"Each of the {units} was test once, as a draw of its split; {named} is the mean over them.",
        f"± of both: half of the 95 % interval, with {units} left out over {units} (see docs/statistics.md); of the "
        "fall: of both together.",
    )
    return Table("leave-one-out", title, _columns(named), tuple(lines), notes)


def _is_left_out(row: Row) -> bool:
    return kind_of(row.split) == LEAVE_ONE_OUT


def _on_random_split(row: Row, rows: Sequence[Row], figure: str) -> Row | None:
    """Return the same method with the same settings and hardware on a random split; None if it was run on none."""
    alike = [one for one in rows if all(one[name] == row[name] for name in SAME) and one.metric(figure) is not None]
    by_rule = {kind_of(one.split): one for one in alike}
    return next((by_rule[rule] for rule in RANDOM if rule in by_rule), None)


def _line(given: Row, row: Row, figure: str) -> Line:
    halves = [span.half_width if (span := one.interval(figure)) else None for one in (given, row)]
    known = [half for half in halves if half is not None]
    return {
        **columns_of(row),
        "random_split": given.split,
        "random": given.value(figure),
        "random_half": halves[0],
        "left_out": row.value(figure),
        "left_out_half": halves[1],
        "fall": printed_difference(given.value(figure), row.value(figure)),
        "fall_half": math.hypot(*known) if len(known) == len(halves) else None,
        "groups": len(row.draws),
    }


def _headline(lines: Sequence[Line], named: str, units: str) -> str:
    low, high = (100 * lines[place]["fall"] for place in (0, -1))
    falls = f"{low:.1f}" if len(lines) == 1 or f"{low:.1f}" == f"{high:.1f}" else f"{low:.1f} to {high:.1f}"
    level = [line for line in lines if line["fall_half"] is not None and abs(line["fall"]) <= line["fall_half"]]
    unsure = f"; for {counted(len(level), 'method')} no fall is shown" if level else ""
    return f"{named} falls by {falls} points from a random split to {units} left out{unsure}"


def _lacking(rows: Sequence[Row], left_out: Sequence[Row]) -> str:
    if left_out:
        other = left_out[0].having(split="stratified")
        return f"No result of the same methods on a random split; {get_one(other, other.method)}"
    first = rows[0].having(split=LEAVE_ONE_OUT)
    return f"No group was left out in turn; {get_one(first, first.method)}"


def _columns(named: str) -> tuple[Column, ...]:
    return (
        Column("method", "method", label=True),
        Column("settings", "settings", label=True, when="any"),
        *LABELS,
        Column("random_split", "random\nsplit", label=True, when="varies"),
        Column("random", f"random split:\n{named}", PERCENT, spread="random_half"),
        Column("left_out", f"left out:\n{named}", PERCENT, spread="left_out_half"),
        Column("fall", "fall", POINTS, spread="fall_half"),
        Column("groups", "groups"),
    )
