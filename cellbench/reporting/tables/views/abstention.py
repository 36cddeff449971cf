"""What a method is worth if it may leave the hard images to a person, or may name several classes."""

from collections.abc import Sequence

import numpy as np

from ....core.text.words import plural
from ....results.certainty import over_of
from ....results.confidence import FEWEST_IN_GROUP, SET_LEVEL, Trusted, accuracy_of_surest, set_figures
from ....results.rows.row import Line, Row, one_label
from ...captions import LABELS, counts_of, half_interval, intervals_of, marked, seeds_of, title_of
from ..table import PERCENT, Column, NumberFormat, Table
from .calibration import lacking, lines_with_predictions

SHARES = {"accuracy_of_all": 1.0, "accuracy_of_90": 0.9, "accuracy_of_75": 0.75, "accuracy_of_50": 0.5}
SEVERAL_LABELS = "Images have several labels: there is no single answer to leave out, nor a set of classes to name."


def abstention(rows: Sequence[Row]) -> Table:
    """Return a table of accuracy on the surest answers, and of sets of classes, the best of the surest 75 % first."""
    title = f"{title_of(rows)}: surest answers, and sets of classes\n{counts_of(rows)}"
    if not one_label(rows):
        return Table("abstention", title, (), (), (SEVERAL_LABELS,))
    lines, without = lines_with_predictions(rows, _line)
    lines.sort(key=lambda line: -line["accuracy_of_75"])
    if not lines:
        return Table("abstention", title, (), (), (lacking(rows),))
    notes = (
        "Surest 75 %: accuracy if the quarter of the test images with the lowest probabilities is left to a person.",
        f"Sets hold the right class of {100 * SET_LEVEL:.0f} % of new images or more, if these are like val (split "
        "conformal prediction, calibrated on val); an empty set says that no class fits. Covered: of test.",
        *_groups(lines, rows[0].unit),
        *intervals_of(lines, " of covered"),
        *without,
    )
    return Table("abstention", title, marked(COLUMNS, lines), tuple(lines), notes)


def _line(row: Row, runs: Sequence[Trusted]) -> Line:
    found = set_figures(row, runs)
    span = found.coverage.interval
    return {
        **{name: _surest(runs, share) for name, share in SHARES.items()},
        **found.coverage.ends("covered"),
        "covered_worst_group": found.worst_group,
        "set_size": found.size,
        "single": found.single,
        "interval_over": over_of(row, span),
    }


def _surest(runs: Sequence[Trusted], share: float) -> float:
    return float(np.mean([accuracy_of_surest(one.of_test, one.test.truth, share) for one in runs]))


def _groups(lines: Sequence[Line], unit: str) -> list[str]:
    if all(line["covered_worst_group"] is None for line in lines):
        return []
    units = plural(unit)
    return [
        f"Worst {unit}: covered in the {unit} of test where the fewest are, of those with {FEWEST_IN_GROUP} images or "
        f"more. {units.capitalize()} of test are not those of val, so nothing promises their coverage."
    ]


COLUMNS = (
    Column("method", "method", label=True),
    Column("settings", "settings", label=True, when="any"),
    *LABELS,
    Column("accuracy_of_all", "accuracy:\nall", PERCENT),
    Column("accuracy_of_90", "surest\n90", PERCENT, spare=1),
    Column("accuracy_of_75", "surest\n75", PERCENT),
    Column("accuracy_of_50", "surest\n50", PERCENT, spare=1),
    Column("covered", "sets:\ncovered", PERCENT, spread=half_interval("covered")),
    Column("covered_worst_group", "worst\ngroup", PERCENT, when="any"),
    Column("set_size", "classes\na set", NumberFormat(digits=2)),
    Column("single", "with one\nclass", PERCENT, spare=2),
    Column(seeds_of, "seeds", label=True, spare=3),
)
