"""Which classes a method gets right: precision, recall and F1 class by class."""

from collections.abc import Sequence

import numpy as np

from ....results.certainty import in_words
from ....results.rows.ranking import ranked
from ....results.rows.row import DATA, HARDWARE, Line, Row
from ....results.statistics.bootstrap import CELLS_ONLY
from ...captions import (
    LABELS,
    absent_of,
    counts_of,
    half_interval,
    hardware_of,
    intervals_of,
    marked,
    seeds_of,
    title_of,
)
from ..table import COUNT, PERCENT, Column, Table

KEPT = (*DATA, *HARDWARE, "method", "settings", "params", "overrides", "several_labels", "synthetic", "seeds", "n_runs")


def per_class(rows: Sequence[Row]) -> Table:
    """Return a table with a row for each class and method of the rows that are ok.

    Classes are in the data set's order; within a class the method with the best F1 is first.
    """
    found = [line for row in ranked(rows) if row["status"] == "ok" for line in _classes(row)]
    lines = sorted(found, key=lambda line: (line["position"], -(line["f1"] or 0)))
    title = f"{title_of(rows)}: class by class, on test\n{counts_of(rows)}"
    left_out = [row["method"] for row in rows if not any(line["method"] == row["method"] for line in found)]
    notes = (
        *intervals_of(lines, " of F1"),
        *absent_of(rows),
        *([f"without figures by class: {', '.join(dict.fromkeys(left_out))}"] if left_out else []),
        *hardware_of(rows),
    )
    return Table("per-class", title, marked(COLUMNS, lines), tuple(lines), notes)


def _classes(row: Row) -> list[Line]:
    """Return a line for each class with precision, recall and F1, averaged over the row's seeds.

    The list is empty where no run of the row has figures by class.
    """
    names = row.runs[0].classes
    seeds = [found for run in row.runs if (found := run.by_class)]
    if not seeds or not names:
        return []
    spans = row.intervals([f"f1:{k}" for k in range(len(names))])
    lines: list[Line] = []
    for k, name in enumerate(names):
        span = spans.get(f"f1:{k}") if seeds[0]["n"][k] else None
        lines.append(
            {
                **{key: row[key] for key in KEPT},
                "class": name,
                "position": k,
                "n": seeds[0]["n"][k],
                **{figure: _mean([one[figure][k] for one in seeds]) for figure in ("precision", "recall", "f1")},
                "f1_low": span.low if span else None,
                "f1_high": span.high if span else None,
                "interval_over": span and in_words(CELLS_ONLY if k in span.few_groups else span.over, row),
                "remark": "",
            }
        )
    return lines


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean over seeds, or None if any seed lacks the figure, as the mean would be of other seeds only."""
    return None if None in values else float(np.mean(values))  # type: ignore[arg-type]


COLUMNS = (
    Column("class", "class", label=True),
    Column("n", "n", COUNT, label=True),
    Column("method", "method", label=True),
    Column("settings", "settings", label=True, when="any"),
    *LABELS,
    Column("precision", "precision", PERCENT),
    Column("recall", "recall", PERCENT),
    Column("f1", "F1", PERCENT, spread=half_interval("f1")),
    Column(seeds_of, "seeds", label=True, spare=1),
)
