"""The contest of families as a table, with one row for each family."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ....core.mixed_values import Document
from ....core.text.words import counted, printed_difference
from ....results.contest import Contest, Entrant, contests
from ....results.rows.row import DATA, FIGURES, HARDWARE, Line, Row, is_disturbed, memory_of, one_label
from ...answers import answer
from ...captions import LABELS, absent_of, device_of, fact_of, half_interval, intervals_of, marked, seeds_of, title_of
from ...standing import rare_of
from ..table import BYTES, IMAGE_TIME, PERCENT, POINTS, SECONDS, Column, Table, entries

KEPT = (
    *(*DATA, *HARDWARE, "family", "method", "settings", "params", "overrides", "pretrained", "synthetic"),
    *("several_labels", "seeds", "n_runs", "val_accuracy", "val_macro_f1", "interval_over", "train_seconds"),
    *("predict_ms_per_image", "n_test", "undertrained", "remark"),
)


def svm_vs_deep(rows: Sequence[Row], left_out: Sequence[Line] = ()) -> Table:
    """Return a table of the best SVM, probe, net, other method and floor, with their figures on test.

    Each is chosen by macro-F1 on val, or is the usual method where val has too few images.

    left_out: rows of the same data that are not shown, see `answer`.
    """
    several = len({row["machine"] for row in rows}) > 1
    found = [(contest, answer(contest, left_out, several)) for contest in contests(rows)]
    lines = [line for contest, sentence in found for line in lines_of(contest, sentence, several)]
    n = fact_of(rows, "n_test")
    judged = f", judged on {counted(n, 'test image')}" if n else ""
    is_chosen = not found or any(contest.few_val is None for contest, _ in found)
    who = (
        "the best of each family, chosen by macro-F1 on val" if is_chosen else "the method that stands for each family"
    )
    title = f"{title_of(rows)}: {who}{judged}"
    columns = (*marked(FIGURE_COLUMNS, lines), *marked(DIFFERENCE_COLUMNS, lines, "difference_over"), *COST_COLUMNS)
    notes = (
        *intervals_of(lines, " of accuracy and F1"),
        *rare_of([one.row for contest, _ in found for one in contest.entrants]),
        *intervals_of(lines, " of differences (from the first row, paired)", "difference_over"),
        *absent_of(rows),
        *(line for _, sentence in found for line in sentence.split("\n")),
    )
    return Table("svm-vs-deep", title, columns, tuple(lines), notes)


def lines_of(contest: Contest, sentence: str, several_machines: bool = False) -> list[Line]:
    """Return a line for each entrant of the contest.

    sentence: the contest in words, which is put in every line. several_machines: whether the column 'contest' names
    machines in place of devices.
    """
    where = " / ".join(dict.fromkeys(device_of(one.row) for one in contest.entrants))
    if several_machines:
        where = " / ".join(dict.fromkeys(one.row["machine"] for one in contest.entrants))
    return [{**_line(contest, one), "contest": where, "sentence": sentence} for one in contest.entrants]


def _line(contest: Contest, one: Entrant) -> Line:
    row = one.row
    line: Document = {name: row.get(name) for name in KEPT}
    for figure in FIGURES:
        line |= _figure(contest, one, figure)
    main = one.differences.get(contest.figure)
    return {
        **line,
        "leader": one is contest.leader,
        "memory": memory_of(row),
        "train_seconds_ratio": one.time_ratio,
        "disturbed": is_disturbed(row),
        "difference_over": main.over if main else None,
        "noun": one.family.noun,
    }


@dataclass(frozen=True)
class OnTest:
    """An entrant's figure on test beside the leader's; None for what it lacks, and for the leader.

    sd: the deviation over seeds. low, high: ends of the figure's interval. points: the difference as it follows from
    the two figures as they are printed. The others: as in `Difference`.
    """

    sd: float | None
    low: float | None
    high: float | None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    difference_p: float | None = None
    difference_over: str | None = None
    points: float | None = None


def _figure(contest: Contest, one: Entrant, figure: str) -> Line:
    """Return the entries of a line on a figure on test, which begin with its name, such as 'test_accuracy'."""
    row, name, found = one.row, f"test_{figure}", one.differences.get(figure)
    facts = OnTest(row.deviation(figure), row.get(f"{name}_low"), row.get(f"{name}_high"))
    if found and contest.leader:
        facts = replace(
            facts,
            difference=found.value,
            difference_low=found.low,
            difference_high=found.high,
            difference_p=found.p,
            difference_over=found.over,
            points=printed_difference(row.value(figure), contest.leader.row.value(figure)),
        )
    return {name: row.metric(figure), **entries(name, facts)}


FIGURE_COLUMNS = (
    Column("noun", "family", label=True),
    Column("method", "method", label=True),
    Column("settings", "settings", label=True, when="any"),
    Column("contest", "contest on", label=True, when="varies", spare=1),
    *LABELS,
    Column("val_accuracy", "val\naccuracy", PERCENT, when=one_label, spare=4),
    Column("val_macro_f1", "val\nmacro-F1", PERCENT, when=lambda rows: not one_label(rows), spare=4),
    Column("test_accuracy", "test\naccuracy", PERCENT, spread=half_interval("test_accuracy"), when=one_label),
    Column("test_macro_f1", "test\nmacro-F1", PERCENT, spread=half_interval("test_macro_f1"), spare=1),
)
DIFFERENCE_COLUMNS = (
    Column(
        "test_accuracy_points",
        "accuracy:\ndifference",
        POINTS,
        spread=half_interval("test_accuracy_difference"),
        when=one_label,
    ),
    Column(
        "test_macro_f1_points",
        "macro-F1:\ndifference",
        POINTS,
        spread=half_interval("test_macro_f1_difference"),
        when=lambda rows: not one_label(rows),
    ),
)
COST_COLUMNS = (
    Column("train_seconds", "training", SECONDS),
    Column("predict_ms_per_image", "predict", IMAGE_TIME, spare=3),
    Column("memory", "memory", BYTES, spare=5),
    Column(seeds_of, "seeds", label=True, spare=2),
)
