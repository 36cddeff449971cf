"""Which kinds of chart there are, and which charts a folder of results allows."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...core.errors import UsageError
from ...results.results import Results
from ...results.rows import Row, by
from ..tables.scaling import SCOPE
from . import kinds as package
from .chart import Chart, LackingError

Gather = Callable[[Sequence[Row]], Chart]


@dataclass(frozen=True)
class Kind:
    """name: as `plot` takes it. heading: over its charts on a page. about: what it shows, for a list. place: where it
    stands among the others, the smallest first. every: it compares settings or limits, so it takes every run, not only
    those on all of the data with default settings. chart: makes it of pooled rows of one data set; raises LackingError
    where they hold nothing that it could show."""

    name: str
    heading: str
    about: str
    place: int
    every: bool
    chart: Gather


_KINDS: dict[str, Kind] = {}


def chart(name: str, heading: str, about: str, *, place: int, every: bool = False) -> Callable[[Gather], Gather]:
    """Decorator: makes a kind of chart known to `plot`, to the page, and to what lists kinds."""

    def add(gather: Gather) -> Gather:
        if name in _KINDS:
            raise UsageError(f"chart {name!r} is registered twice; choose another name")
        _KINDS[name] = Kind(name, heading, about, place, every, gather)
        return gather

    return add


def kinds() -> Mapping[str, Kind]:
    """All kinds by name, in their order."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return {kind.name: kind for kind in sorted(_KINDS.values(), key=lambda kind: (kind.place, kind.name))}


@dataclass(frozen=True)
class Outcome:
    """name: of the file, without what follows the dot. chart: None where something is lacking."""

    kind: Kind
    name: str
    dataset: str
    split: str
    about: str
    chart: Chart | None
    lacking: str = ""


def outcomes(
    results: Results, names: Sequence[str], runs: str = "default", conditions: Sequence[str] = ()
) -> Iterator[Outcome]:
    """For each kind a chart, or what it lacks, a data set, content and split; where all runs are limited, a limit.

    runs: 'default' or 'all', as `Results.select` has them, data set by data set. conditions: see `where.where`; they
    choose pooled rows, so that no seed is picked by its luck.
    """
    rows = results.where(conditions)
    known = kinds()
    for kind in (known[name] for name in names):
        groups = [
            group
            for scope in by(rows, SCOPE)
            for group in _apart(scope if kind.every else shown(scope, runs), kind.every)
        ]
        for group in groups:
            place = (kind, _name(kind, group, groups), group[0]["dataset"], group[0]["split"], _about(group))
            try:
                yield Outcome(*place, kind.chart(group))
            except LackingError as error:
                yield Outcome(*place, None, str(error))


def left_out(results: Results, runs: str = "default", conditions: Sequence[str] = ()) -> int:
    """How many runs are not in charts of kinds that don't take every run."""
    rows = results.where(conditions)
    kept = [row for scope in by(rows, SCOPE) for row in shown(scope, runs)]
    return sum(row["n_runs"] for row in rows) - sum(row["n_runs"] for row in kept)


def shown(rows: Sequence[Row], runs: str) -> list[Row]:
    """Of one data set: 'all', or those on all of the data with default settings if there are any."""
    default = [row for row in rows if row["default"]]
    return default if default and runs == "default" else list(rows)


def _apart(rows: Sequence[Row], together: bool) -> list[list[Row]]:
    """Rows that may stand in one chart: those with another limit may not, unless they are compared."""
    return [list(rows)] if together else by(rows, ("limit", "val_limit"))


def _name(kind: Kind, group: Sequence[Row], groups: Sequence[Sequence[Row]]) -> str:
    """Kind and data set, and of split, content and limit what tells this chart from others of the data set."""
    first = group[0]
    same = [other[0] for other in groups if other[0]["dataset"] == first["dataset"]]
    parts = [kind.name, first["dataset"]]
    splits = {other["split"] for other in same}
    if len(splits) > 1:
        parts.append(first["split"])
    if len({(other["split"], other["fingerprint"]) for other in same}) > len(splits):
        parts.append(first["fingerprint"][:8])
    if len({(other["limit"], other["val_limit"]) for other in same}) > 1 and not kind.every:
        parts.append(f"n{first['limit']}" if first["limit"] else "all")
        parts += [f"val{first['val_limit']}"] if first["val_limit"] else []
    return re.sub(r"[^\w.+-]+", "-", "-".join(parts)).strip("-.")


def _about(group: Sequence[Row]) -> str:
    limits = {row["limit"] for row in group}
    limited = f", n={limits.pop()}" if len(limits) == 1 and limits != {None} else ""
    return f"{group[0]['dataset']}, split {group[0]['split']}{limited}"
