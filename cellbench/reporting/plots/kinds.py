"""Which figures there are, and which of them a folder of results allows."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ..pooling import select
from . import bars, classes, confusion, depth, fit_time, history, learning, thresholds, tradeoff
from .chart import Chart, Evidence, LackingError

SCOPE = ["dataset", "fingerprint", "split"]


@dataclass(frozen=True)
class Kind:
    """chart: gathers the data; raises LackingError without any. draw: draws them. every: it compares settings or
    limits, so it takes every run, not only those on all of the data with default settings."""

    chart: Callable[[Evidence], Chart]
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
    about: str
    chart: Chart | None
    lacking: str = ""

    def figure(self) -> Figure:
        assert self.chart is not None
        return KINDS[self.kind].draw(self.chart)


def outcomes(frame: pd.DataFrame, root: Path, kinds: Sequence[str], runs: str = "default") -> Iterator[Outcome]:
    """For each kind a figure, or what it lacks, a data set, content and split; where all runs are limited, a limit.

    runs: 'default' or 'all', see `pooling.select`.
    """
    for kind in kinds:
        chosen = "all" if KINDS[kind].every else runs
        groups = list(_groups(frame, chosen, apart=not KINDS[kind].every))
        for group in groups:
            name = _name(kind, group, groups)
            try:
                yield Outcome(kind, name, _about(group), KINDS[kind].chart(Evidence(group, root)))
            except LackingError as error:
                yield Outcome(kind, name, _about(group), None, str(error))


def not_shown(frame: pd.DataFrame, runs: str = "default") -> int:
    """How many runs `select` leaves out, data set by data set."""
    return len(frame) - sum(len(group) for group in _groups(frame, runs, apart=True))


def _groups(frame: pd.DataFrame, runs: str, apart: bool) -> Iterator[pd.DataFrame]:
    """Runs that may stand in one figure; apart: those with another limit may not."""
    for _, scope in frame.groupby(SCOPE, sort=True):
        shown = select(scope, runs)[0]
        yield from (group for _, group in shown.groupby("limit", dropna=False)) if apart else [shown]


def _name(kind: str, group: pd.DataFrame, groups: Sequence[pd.DataFrame]) -> str:
    """Kind and data set, and of split, content and limit what tells this figure from others of the data set."""
    first = group.iloc[0]
    same = [other.iloc[0] for other in groups if other.iloc[0]["dataset"] == first["dataset"]]
    parts = [kind, first["dataset"]]
    if len({other["split"] for other in same}) > 1:
        parts.append(first["split"])
    if len({(other["split"], other["fingerprint"]) for other in same}) > len({other["split"] for other in same}):
        parts.append(first["fingerprint"][:8])
    if len({str(other["limit"]) for other in same}) > 1 and group["limit"].nunique(dropna=False) == 1:
        parts.append("all" if pd.isna(first["limit"]) else f"n{first['limit']}")
    return re.sub(r"[^\w.+-]+", "-", "-".join(parts)).strip("-.")


def _about(group: pd.DataFrame) -> str:
    first = group.iloc[0]
    limits = group["limit"].unique()
    limited = f", n={limits[0]}" if len(limits) == 1 and not pd.isna(limits[0]) else ""
    return f"{first['dataset']}, split {first['split']}{limited}"
