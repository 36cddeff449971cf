"""What accuracy costs in time, memory and parameters, and which rows are Pareto-optimal."""

from collections.abc import Sequence
from dataclasses import replace

from ....results.certainty import with_certainty
from ....results.rows.ranking import main_figure, main_title, ranked
from ....results.rows.row import HARDWARE, Line, Row, memory_of, one_label, time_counts
from ...captions import (
    LABELS,
    content_of,
    counts_of,
    deviation_of,
    half_interval,
    hardware_of,
    marked,
    seeds_of,
    title_of,
)
from ...standing import certainty_of, level_with_best, stands_out
from ..table import BYTES, IMAGE_TIME, PARAMETERS, PERCENT, SECONDS, Column, Table

COSTS = {
    "training": "train_seconds",
    "predict": "predict_ms_per_image",
    "memory": "memory",
    "parameters": "parameters",
}

TIMES = ("train_seconds", "predict_ms_per_image")


def efficiency(rows: Sequence[Row]) -> Table:
    """Return a table of accuracy beside its costs, or of macro-F1 where images have several labels.

    A row is Pareto-optimal in a cost if no other row on the same hardware is at least as accurate and at most as
    costly, and better in one of the two.
    """
    figure = main_figure(rows)
    named = main_title(rows)
    rows = [row.having(memory=memory_of(row)) for row in with_certainty(ranked(rows), figure)]
    marked_rows = [row.having(pareto=_optimal(row, rows, f"test_{figure}")) for row in rows]
    notes = (
        f"Pareto-optimal: no other row on the same device and machine has at least the {named} at no more of that "
        "cost, and one of the two better. Memory: peak, libraries included; on a GPU the accelerator's.",
        *certainty_of(marked_rows, named),
        *deviation_of(marked_rows, " of times"),
        *hardware_of(rows),
    )
    title = f"{title_of(rows)}, {content_of(rows)}: what {named} costs\n{counts_of(rows)}"
    return Table("efficiency", title, marked(COLUMNS, marked_rows), tuple(marked_rows), notes)


def _optimal(row: Line, rows: Sequence[Line], figure: str) -> list[str]:
    """Return the names of the costs in which the row is Pareto-optimal among rows on the same hardware."""
    rivals = [_fair(one) for one in rows if all(one[name] == row[name] for name in HARDWARE)]
    return [cost for cost, name in COSTS.items() if on_front(_fair(row), rivals, figure, name)]


def _fair(row: Line) -> Line:
    """Return the row, with its times set to None if other programs made them too long, or may have."""
    return row if time_counts(row) else {**row, **dict.fromkeys(TIMES)}


def on_front(row: Line, rivals: Sequence[Line], figure: str, cost: str) -> bool:
    """Return whether no rival has at least as high a figure at no more cost, with one of the two better.

    False if the row lacks the figure or the cost; rivals that lack one are ignored.
    """
    if row[figure] is None or row[cost] is None:
        return False
    known = [one for one in rivals if one[figure] is not None and one[cost] is not None]
    return not any(
        one[figure] >= row[figure] and one[cost] <= row[cost] and (one[figure] > row[figure] or one[cost] < row[cost])
        for one in known
    )


ACCURACY = Column(
    "test_accuracy",
    "test\naccuracy",
    PERCENT,
    spread=half_interval("test_accuracy"),
    bold=stands_out("accuracy"),
    mark=level_with_best("accuracy"),
    when=one_label,
)
MACRO_F1 = Column(
    "test_macro_f1",
    "test\nmacro-F1",
    PERCENT,
    spread=half_interval("test_macro_f1"),
    bold=stands_out("macro_f1"),
    mark=level_with_best("macro_f1"),
)
COLUMNS = (
    Column("method", "method", label=True),
    Column("settings", "settings", label=True, when="any"),
    *LABELS,
    ACCURACY,
    replace(MACRO_F1, when=lambda rows: not one_label(rows)),
    Column("train_seconds", "training", SECONDS, spread=True),
    Column("predict_ms_per_image", "predict", IMAGE_TIME, spare=1),
    Column("memory", "memory", BYTES),
    Column("parameters", "params", PARAMETERS, when="any", spare=2),
    Column(lambda row: ", ".join(row["pareto"]), "Pareto-optimal in", label=True),
    Column(seeds_of, "seeds", label=True, spare=3),
)
