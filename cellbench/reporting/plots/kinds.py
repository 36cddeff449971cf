"""Which figures there are, and which of them a folder of results allows."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from ...results.results import Results
from ...results.rows import Row, by
from ..tables.scaling import SCOPE
from . import bars, classes, confusion, depth, fit_time, history, learning, thresholds, tradeoff
from .chart import Chart, LackingError


@dataclass(frozen=True)
class Kind:
    """chart: gathers the data; raises LackingError without any. draw: draws them. every: it compares settings or
    limits, so it takes every run, not only those on all of the data with default settings."""

    chart: Callable[[Sequence[Row]], Chart]
    draw: Callable[[Chart], Figure]
    every: bool = False


KINDS = {
    "time": Kind(tradeoff.chart, tradeoff.draw),
    "bars": Kind(bars.chart, bars.draw),
    "history": Kind(history.chart, history.draw),
    "confusion": Kind(confusion.chart, confusion.draw),
    "per-class": Kind(classes.chart, classes.draw),
    "thresholds": Kind(thresholds.chart, thresholds.draw),
    "depth": Kind(depth.chart, depth.draw),
    "learning-curve": Kind(learning.chart, learning.draw, every=True),
    "svm-time": Kind(fit_time.chart, fit_time.draw, every=True),
}


@dataclass(frozen=True)
class Outcome:
    """name: of the file, without what follows the dot. chart: None where something is lacking."""

    kind: str
    name: str
    dataset: str
    split: str
    about: str
    chart: Chart | None
    lacking: str = ""

    def figure(self) -> Figure:
        assert self.chart is not None
        return KINDS[self.kind].draw(self.chart)


def outcomes(
    results: Results, kinds: Sequence[str], runs: str = "default", conditions: Sequence[str] = ()
) -> Iterator[Outcome]:
    """For each kind a figure, or what it lacks, a data set, content and split; where all runs are limited, a limit.

    runs: 'default' or 'all', as `Results.select` has them, data set by data set. conditions: see `where.where`; they
    choose pooled rows, so that no seed is picked by its luck.
    """
    rows = results.where(conditions)
    for kind in kinds:
        every = KINDS[kind].every
        groups = [group for scope in by(rows, SCOPE) for group in _apart(scope if every else shown(scope, runs), every)]
        for group in groups:
            named = (kind, _name(kind, group, groups), group[0]["dataset"], group[0]["split"], _about(group))
            try:
                yield Outcome(*named, KINDS[kind].chart(group))
            except LackingError as error:
                yield Outcome(*named, None, str(error))


def left_out(results: Results, runs: str = "default", conditions: Sequence[str] = ()) -> int:
    """How many runs are not in figures of kinds that don't take every run."""
    rows = results.where(conditions)
    kept = [row for scope in by(rows, SCOPE) for row in shown(scope, runs)]
    return sum(row["n_runs"] for row in rows) - sum(row["n_runs"] for row in kept)


def shown(rows: Sequence[Row], runs: str) -> list[Row]:
    """Of one data set: 'all', or those on all of the data with default settings if there are any."""
    default = [row for row in rows if row["default"]]
    return default if default and runs == "default" else list(rows)


def _apart(rows: Sequence[Row], together: bool) -> list[list[Row]]:
    """Rows that may stand in one figure: those with another limit may not, unless they are compared."""
    return [list(rows)] if together else by(rows, ("limit", "val_limit"))


def _name(kind: str, group: Sequence[Row], groups: Sequence[Sequence[Row]]) -> str:
    """Kind and data set, and of split, content and limit what tells this figure from others of the data set."""
    first = group[0]
    same = [other[0] for other in groups if other[0]["dataset"] == first["dataset"]]
    parts = [kind, first["dataset"]]
    splits = {other["split"] for other in same}
    if len(splits) > 1:
        parts.append(first["split"])
    if len({(other["split"], other["fingerprint"]) for other in same}) > len(splits):
        parts.append(first["fingerprint"][:8])
    if len({(other["limit"], other["val_limit"]) for other in same}) > 1 and not KINDS[kind].every:
        parts.append(f"n{first['limit']}" if first["limit"] else "all")
        parts += [f"val{first['val_limit']}"] if first["val_limit"] else []
    return re.sub(r"[^\w.+-]+", "-", "-".join(parts)).strip("-.")


def _about(group: Sequence[Row]) -> str:
    limits = {row["limit"] for row in group}
    limited = f", n={limits.pop()}" if len(limits) == 1 and limits != {None} else ""
    return f"{group[0]['dataset']}, split {group[0]['split']}{limited}"
