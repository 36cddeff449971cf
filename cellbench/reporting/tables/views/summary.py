"""The contest of families on every data set and split, in one table."""

from collections.abc import Callable, Sequence

from ....core.split_names import OFFICIAL
from ....results.contest import contests
from ....results.rows.row import DATA, Line, Row, grouped_by
from ....results.rows.settings import with_settings
from ....results.statistics.bootstrap import SEEDS
from ...answers import answer
from ...captions import LABELS, device_of, half_interval, limit_of, load_notes, name_of, seeds_of
from ..table import PERCENT, POINTS, SECONDS, Column, Table
from .contest import lines_of


def summary(rows: Sequence[Row]) -> Table:
    """Return a table with the contest of each data set, split and limit."""
    found = [contest for group in grouped_by(rows, DATA) for contest in contests(with_settings(group))]
    lines = [line for contest in found for line in lines_of(contest, answer(contest))]
    accuracy, difference = _columns("accuracy", "accuracy", several_labels=False)
    macro_f1, macro_f1_difference = _columns("macro_f1", "macro-F1", several_labels=True)
    hardware, where = _hardware(lines)
    columns = (*NAMES, *hardware, accuracy, macro_f1, difference, macro_f1_difference, *REST)
    notes = (
        *_intervals(lines),
        *where,
        *load_notes([one.row for contest in found for one in contest.entrants]),
    )
    few = any(contest.few_val is not None for contest in found)
    chosen = "its best method by macro-F1 on val" + (", or its usual one where val has few images" if few else "")
    title = f"each family on each data set: {chosen}, judged on test"
    return Table("summary", title, columns, tuple(lines), notes)


def _hardware(lines: Sequence[Line]) -> tuple[Sequence[Column], list[str]]:
    """Return the columns that name the hardware, or none and a line that does, where each data set has one alone."""
    sets = grouped_by(lines, DATA)
    if any(len({(device_of(row), row["machine"]) for row in of_set}) > 1 for of_set in sets):
        return LABELS, []
    names: dict[str, list[str]] = {}
    for first, *_ in sets:
        names.setdefault(f"{device_of(first)} of {first['machine']}", []).append(_called(first, sets))
    where = "; ".join(f"{hardware} for {', '.join(of)}" for hardware, of in names.items())
    return (), [f"Device (threads) and machine: {where}."]


def _called(row: Line, sets: Sequence[Sequence[Line]]) -> str:
    """Return the data set, with its split unless that is the only one and came with it, and with its limit."""
    splits = {of_set[0]["split"] for of_set in sets if of_set[0]["dataset"] == row["dataset"]}
    split = f" {row['split']}" if splits != {OFFICIAL} else ""
    return ", ".join([f"{name_of([row])}{split}", *limit_of(row)])


def _intervals(lines: Sequence[Line]) -> list[str]:
    """Return lines on what intervals are of; [] where there are none."""
    if not any(line["interval_over"] for line in lines):
        return []
    what = (
        "±: half of the 95 % interval, over what the column says. Where it names no seeds, it is of one trained model."
    )
    pairs = [(line["difference_over"] or "", line["interval_over"] or "") for line in lines]
    seeds = any(SEEDS in of_difference and SEEDS not in over for of_difference, over in pairs)
    more = "; where that has several seeds, their intervals are over these too" if seeds else ""
    return [what, f"Differences are from the first row of the same data, paired{more}."]


def _figure(name: str, several_labels: bool) -> Callable[[Line], object]:
    """Return a function that gives a figure of rows whose images have several labels, or of the others; else None."""
    return lambda row: row.get(name) if bool(row.get("several_labels")) == several_labels else None


def _columns(figure: str, title: str, several_labels: bool) -> tuple[Column, Column]:
    """Return the columns of a figure on test and of its difference from the leader's."""
    test, points, difference = f"test_{figure}", f"test_{figure}_points", f"test_{figure}_difference"
    return (
        Column(_figure(test, several_labels), f"test\n{title}", PERCENT, spread=half_interval(test), when="any"),
        Column(
            _figure(points, several_labels),
            f"{title}:\ndifference",
            POINTS,
            spread=half_interval(difference),
            when="any",
        ),
    )


def _data_set(row: Line) -> str:
    return name_of([row])


NAMES = (
    Column(_data_set, "data set", label=True),
    Column("split", "split", label=True),
    Column("limit", "training\nimages", label=True, when="varies"),
    Column("noun", "family", label=True),
    Column("method", "method", label=True),
    Column("settings", "settings", label=True, when="any", spare=4),
)
REST = (
    Column("interval_over", "interval\nover", label=True, when="any"),
    Column("train_seconds", "training", SECONDS, spare=1),
    Column(seeds_of, "seeds", label=True, spare=2),
)
