"""Whether a method's probabilities are right: of the answers that it is 80 % sure of, are 80 % right?"""

from collections.abc import Callable, Sequence

from ....core.text.words import counted
from ....results.certainty import over_of
from ....results.confidence import BINS, Trusted, calibration_figures, trusted
from ....results.rows.ranking import ranked
from ....results.rows.row import DATA, HARDWARE, MOST_FILES, Line, Row, one_label
from ...captions import LABELS, counts_of, get_one, half_interval, intervals_of, marked, seeds_of, title_of
from ..table import PERCENT, Column, NumberFormat, Table

KEPT = (
    *(*DATA, *HARDWARE, "family", "method", "settings", "params", "overrides", "several_labels", "synthetic"),
    *("seeds", "n_runs", "test_accuracy", "test_macro_f1", "remark", "undertrained"),
)
LOSS = NumberFormat(digits=3)
LineOf = Callable[[Row, Sequence[Trusted]], Line]


def calibration(rows: Sequence[Row]) -> Table:
    """Return a table of how right each method's probabilities on test are, the lowest log loss first."""
    lines, without = lines_with_predictions(rows, _line)
    lines.sort(key=lambda line: line["nll"])
    title = f"{title_of(rows)}: are probabilities right?\n{counts_of(rows)}"
    if not lines:
        return Table("calibration", title, (), (), (lacking(rows),))
    what = "one a class" if not one_label(rows) else "a temperature; for votes of pairs of classes, two weights"
    notes = (
        f"Scores become probabilities by a rule fitted on val ({what}); the figures are those of test.",
        f"Calibration error: distance of confidence from the share that is right, in {BINS} bins. "
        f"{_by_chance(lines, rows[0].unit)}",
        *intervals_of(lines, ""),
        *without,
    )
    return Table("calibration", title, marked(COLUMNS, lines), tuple(lines), notes)


def _by_chance(lines: Sequence[Line], unit: str) -> str:
    """Return the calibration error that chance alone gives; of grouped images, why it and its interval are unknown."""
    if any(line["calibration_error_by_chance"] is not None for line in lines):
        return "By chance: what 95 % of the errors of perfect probabilities lie below; a smaller error shows nothing."
    return f"Cells of a {unit} err together: it is too high even for perfect probabilities, and has no interval."


def lines_with_predictions(rows: Sequence[Row], line_of: LineOf) -> tuple[list[Line], list[str]]:
    """Return a line for each row with predictions on val and test, and notes that name the others.

    line_of: makes the line of a row and its runs' probabilities. At most MOST_FILES runs are read, the best rows first.
    """
    lines: list[Line] = []
    without: dict[str, list[str]] = {}
    left = MOST_FILES
    for row in ranked(rows):
        if row.status != "ok":
            continue
        if len(row.runs) > left:
            without.setdefault(f"Not read, as {MOST_FILES} runs are read for a table", []).append(row.method)
            continue
        left -= len(row.runs)
        if runs := trusted(row):
            lines.append({**{name: row[name] for name in KEPT}, **line_of(row, runs)})
        else:
            without.setdefault("Without predictions on val and test", []).append(row.method)
    return lines, [f"{why}: {', '.join(dict.fromkeys(methods))}." for why, methods in without.items()]


def lacking(rows: Sequence[Row]) -> str:
    """Return a line that says why there is no table, and the command that makes what it needs."""
    n = counted(len(rows), "row")
    return f"None of {n} has predictions on val and test beside its records; {get_one(rows[0], rows[0].method)} --force"


def _line(row: Row, runs: Sequence[Trusted]) -> Line:
    found = calibration_figures(row, runs)
    return {
        **found.nll.ends("nll"),
        **found.brier.ends("brier"),
        **found.error.ends("calibration_error"),
        "calibration_error_as_trained": found.unfitted_error if row.family == "deep" else None,
        "calibration_error_by_chance": found.noise,
        "temperature": found.temperature,
        "interval_over": over_of(row, found.nll.interval),
    }


COLUMNS = (
    Column("method", "method", label=True),
    Column("settings", "settings", label=True, when="any"),
    *LABELS,
    Column("test_accuracy", "test\naccuracy", PERCENT, when=one_label, spare=2),
    Column("test_macro_f1", "test\nmacro-F1", PERCENT, when=lambda rows: not one_label(rows), spare=2),
    Column("nll", "log loss", LOSS, spread=half_interval("nll")),
    Column("brier", "Brier\nscore", LOSS, spread=half_interval("brier"), spare=1),
    Column("calibration_error", "calibration\nerror", PERCENT, spread=half_interval("calibration_error")),
    Column("calibration_error_by_chance", "by\nchance", PERCENT, when="any"),
    Column("calibration_error_as_trained", "as\ntrained", PERCENT, when="any", spare=3),
    Column("temperature", "temperature", NumberFormat(digits=2), when="any", spare=4),
    Column(seeds_of, "seeds", label=True, spare=5),
)
