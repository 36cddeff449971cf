"""Which kinds of chart there are, and which charts a folder of results allows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...core.errors import UsageError
from ...core.registry import import_all
from ...core.text.words import file_name
from ...results.results import Results
from ...results.rows.row import SCOPE, Row, grouped_by
from . import kinds as package
from .chart import Chart, LackingError

Gather = Callable[[Sequence[Row]], Chart]


@dataclass(frozen=True)
class ChartKind:
    """A kind of chart.

    name: the argument of `plot`. heading: the title above its charts on a page. about: a description for the list of
    kinds. place: its position among the kinds, the smallest first. every_run: whether it compares settings or limits,
    and so takes every run, not only those on all of the data with default settings. chart: makes the chart from the
    pooled rows of one data set; raises LackingError if they have nothing to show.
    """

    name: str
    heading: str
    about: str
    place: int
    every_run: bool
    chart: Gather


_KINDS: dict[str, ChartKind] = {}


def chart(name: str, heading: str, about: str, *, place: int, every_run: bool = False) -> Callable[[Gather], Gather]:
    """Return a decorator that registers a function as a kind of chart, for `plot`, the report and the list of kinds.

    Its arguments are those of ChartKind. Raises UsageError for a name that is taken.
    """

    def add(gather: Gather) -> Gather:
        if name in _KINDS:
            raise UsageError(f"chart {name!r} is registered twice; choose another name")
        _KINDS[name] = ChartKind(name, heading, about, place, every_run, gather)
        return gather

    return add


def kinds() -> Mapping[str, ChartKind]:
    """Return all kinds of chart by name, ordered by `place`."""
    import_all(package)
    return {kind.name: kind for kind in sorted(_KINDS.values(), key=lambda kind: (kind.place, kind.name))}


@dataclass(frozen=True)
class ChartOrReason:
    """A chart, or None and in `lacking` the reason for that. name: the name of its file, without the suffix."""

    kind: ChartKind
    name: str
    dataset: str
    split: str
    about: str
    chart: Chart | None
    lacking: str = ""


def outcomes(
    results: Results, names: Sequence[str], runs: str = "default", conditions: Sequence[str] = ()
) -> Iterator[ChartOrReason]:
    """Yield a chart, or what it lacks, for each kind and each data set, content and split.

    Kinds that do not compare limits give a chart for each limit of the rows. runs: 'default' or 'all', as in
    `Results.select`, but applied to each data set and split. conditions: see `Results.where`; they choose pooled rows,
    so that no seed can be picked for its good result.
    """
    rows = results.where(conditions)
    known = kinds()
    for kind in (known[name] for name in names):
        groups = [
            group
            for scope in grouped_by(rows, SCOPE)
            for group in _apart(scope if kind.every_run else rows_shown(scope, runs), kind.every_run)
        ]
        for group in groups:
            place = (kind, _name(kind, group, groups), group[0]["dataset"], group[0]["split"], _about(group))
            try:
                yield ChartOrReason(*place, kind.chart(group))
            except LackingError as error:
                yield ChartOrReason(*place, None, str(error))


def left_out(results: Results, runs: str = "default", conditions: Sequence[str] = ()) -> int:
    """Return how many runs are left out of charts whose kind does not take every run."""
    rows = results.where(conditions)
    kept = [row for scope in grouped_by(rows, SCOPE) for row in rows_shown(scope, runs)]
    return sum(row.n_runs for row in rows) - sum(row.n_runs for row in kept)


def rows_shown(rows: Sequence[Row], runs: str) -> list[Row]:
    """Return the rows of one data set that are shown.

    With `runs` 'default' these are the rows on all of the data with default settings if there are any, else all rows.
    """
    default = [row for row in rows if row["default"]]
    return default if default and runs == "default" else list(rows)


def _apart(rows: Sequence[Row], together: bool) -> list[list[Row]]:
    """Return the groups of rows that make one chart each: a group for each limit, or a single one if `together`."""
    return [list(rows)] if together else grouped_by(rows, ("limit", "val_limit"))


def _name(kind: ChartKind, group: Sequence[Row], groups: Sequence[Sequence[Row]]) -> str:
    """Return a chart's file name: kind and data set, and split, content or limit if charts of the data set differ."""
    first = group[0]
    same = [other[0] for other in groups if other[0]["dataset"] == first["dataset"]]
    parts = [kind.name, first["dataset"]]
    splits = {other["split"] for other in same}
    if len(splits) > 1:
        parts.append(first["split"])
    if len({(other["split"], other["fingerprint"]) for other in same}) > len(splits):
        parts.append(first["fingerprint"][:8])
    if len({(other["limit"], other["val_limit"]) for other in same}) > 1 and not kind.every_run:
        parts.append(f"n{first['limit']}" if first["limit"] else "all")
        parts += [f"val{first['val_limit']}"] if first["val_limit"] else []
    return file_name("-".join(parts))


def _about(group: Sequence[Row]) -> str:
    limits = {row["limit"] for row in group}
    limited = f", n={limits.pop()}" if len(limits) == 1 and limits != {None} else ""
    return f"{group[0]['dataset']}, split {group[0]['split']}{limited}"
