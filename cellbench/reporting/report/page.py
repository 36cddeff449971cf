"""The report as data, and as one HTML file."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from ... import __version__
from ...core.data import PARTS
from ...core.errors import UsageError
from ...core.mixed_values import Facts
from ...core.text.words import counted, duration, signed
from ...results.results import Results
from ...results.rows.ranking import main_figure
from ...results.rows.row import SCOPE, Line, Row, grouped_by, split_place
from ...results.rows.settings import listed
from ..captions import name_of
from ..charts.render import javascript
from ..findings import findings, show
from ..findings.verdict import Finding
from ..tables.by_view import tables
from ..tables.table import PrintedColumn, Table, laid_out, two_digits
from . import gallery
from .figures import ReportChart, figures, specifications
from .glossary import words_and_meanings
from .paper import Hardware, Paper, machines, paper

Scope = tuple[str, str, str]


@dataclass(frozen=True)
class Look:
    """What a prepared data set adds to its records, for one split.

    cells: JPEG files by position of the image. names: of their files, where they are known.
    examples: each class with the positions of some of its images.
    channels: name and CSS colour. checks: (status, text) of the checks for leaks and shortcuts. stretch: how
    brightness was scaled. lacking: why all of this is missing, and the command that provides it.
    heat: JPEG files of cells with what a net looks at, by position; heat_note: which net, and how much is border.
    """

    cells: Mapping[int, bytes] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    examples: Sequence[tuple[str, Sequence[int]]] = ()
    channels: Sequence[tuple[str, str]] = ()
    facts: str = ""
    citation: str = ""
    notes: Sequence[str] = ()
    checks: Sequence[tuple[str, str]] = ()
    stretch: str = ""
    lacking: str = ""
    heat: Mapping[int, bytes] = field(default_factory=dict)
    heat_note: str = ""


@dataclass(frozen=True)
class Card:
    """A data set as its records describe it. counts: (class, its number of images in each of `parts`)."""

    scope: Scope
    name: str
    synthetic: bool
    split: str
    licence: str
    parts: Sequence[str]
    counts: Sequence[tuple[str, Sequence[int]]]
    totals: Sequence[int]
    notes: Sequence[str]

    @property
    def largest(self) -> int:
        return max((n for _, row in self.counts for n in row), default=1) or 1


@dataclass(frozen=True)
class Board:
    """A leaderboard whose rows have intervals drawn on a strip.

    spans: (low, figure, high) of each row as shares of the strip's width, or None; ends: the figures at both its ends.
    """

    dataset: str
    table: Table
    columns: Sequence[PrintedColumn]
    spans: Sequence[tuple[float, ...] | None]
    ends: tuple[float, float]


@dataclass(frozen=True)
class Report:
    """Everything that the page shows, except what a Look has: pictures of cells and checks."""

    title: str
    datasets: Sequence[str]
    simulated: Sequence[str]
    counts: Facts
    contests: Sequence[Table]
    boards: Sequence[Board]
    figures: Sequence[ReportChart]
    galleries: Sequence[gallery.Gallery]
    findings: Sequence[Finding]
    judged_by: str
    cards: Sequence[Card]
    paper: Paper
    machines: Sequence[Hardware]
    settings: Sequence[Mapping[str, str]]
    words: Sequence[tuple[str, str]]
    others: str
    passed_over: Sequence[tuple[str, str]]

    def shown_images(self) -> dict[Scope, set[int]]:
        """Return the positions of the images that galleries show, with an entry for every data set of the report."""
        found: dict[Scope, set[int]] = {card.scope: set() for card in self.cards}
        for one in self.galleries:
            found.setdefault((one.dataset, one.fingerprint, one.split), set()).update(one.shown_images)
        return found


def report(results: Results, runs: str = "default", conditions: Sequence[str] = (), title: str = "") -> Report:
    """Return the content of the page. runs, conditions: as for tables and figures, see `Results`.

    Raises UsageError if no run fulfils the conditions.
    """
    shown, others = results.select(runs)
    rows = sorted(shown.where(conditions), key=_place)
    if not rows:
        raise UsageError("no run fulfils all the conditions of --where; loosen one of them")
    boards = [_board(table) for table in _in_order(tables(shown, "leaderboard", conditions))]
    contests = _in_order(tables(shown, "svm-vs-deep", conditions))
    records = [run.record for row in rows for run in row.runs]
    names = list(dict.fromkeys(row["dataset"] for row in rows))
    places = list(dict.fromkeys((row["dataset"], row["split"]) for row in rows))

    def place(one: ReportChart | gallery.Gallery) -> int:
        return places.index((one.dataset, one.split)) if (one.dataset, one.split) in places else len(places)

    spans = [row["interval_over"] for board in boards for row in board.table.rows]
    return Report(
        title=title or f"SVM or deep net: {', '.join(names)}",
        datasets=names,
        simulated=[name for name in names if any(row["synthetic"] for row in rows if row["dataset"] == name)],
        counts=_counts(rows),
        contests=contests,
        boards=boards,
        figures=sorted(figures(results, runs, conditions), key=lambda one: (place(one), one.kind.place)),
        galleries=sorted(gallery.galleries(rows), key=place),
        findings=findings(results, conditions=conditions),
        judged_by=_judged_by(conditions),
        cards=[_card(group) for group in sorted(grouped_by(rows, SCOPE), key=lambda group: _place(group[0]))],
        paper=paper(rows, records, spans),
        machines=machines(rows, records),
        settings=_settings(rows),
        words=words_and_meanings(rows),
        others=others,
        passed_over=results.passed_over,
    )


def _place(row: Line) -> tuple[object, ...]:
    """Return the sort key of a row: real images before simulated ones; of splits see `split_place`."""
    return bool(row["synthetic"]), row["dataset"], *split_place(row["split"])


def _in_order(found: Sequence[Table]) -> list[Table]:
    return sorted((table for table in found if table.rows), key=lambda table: _place(table.rows[0]))


def _counts(rows: Sequence[Row]) -> Facts:
    runs = sum(row["n_runs"] for row in rows)
    done = sum(len(row["seeds"]) for row in rows)
    return {
        "runs": counted(runs, "run"),
        "methods": counted(len({row["method"] for row in rows}), "method"),
        "datasets": counted(len({row["dataset"] for row in rows}), "data set"),
        "machines": counted(len({row["machine"] for row in rows}), "machine"),
        "failed": runs - done,
    }


def _judged_by(conditions: Sequence[str]) -> str:
    """Return which runs the verdicts rest on, as text.

    They include runs that tables leave out, because claims about limits or settings need them.
    """
    if not conditions:
        return "every run of the folder, those with limited data or changed settings among them."
    return (
        f"the runs that --where chose ({', '.join(conditions)}), those with limited data or changed settings among "
        "them; all runs of the folder may say otherwise."
    )


def _board(table: Table) -> Board:
    figure = f"test_{main_figure(table.rows)}"
    ends: list[list[Any]] = [[row.get(f"{figure}{end}") for end in ("_low", "", "_high")] for row in table.rows]
    known = [value for row in ends for value in row if None not in row]
    low, high = min(known, default=0.0), max(known, default=1.0)
    size = (high - low) or 1.0
    spans = [None if None in row else tuple(round((value - low) / size, 4) for value in row) for row in ends]
    return Board(table.rows[0]["dataset"], table, _main_figure_second(laid_out(table)), spans, (low, high))


def _main_figure_second(columns: list[PrintedColumn]) -> list[PrintedColumn]:
    """Return the columns with the first metric moved next to the name, so that it is visible on a telephone."""
    at = next((at for at, column in enumerate(columns) if column.figures), 0)
    return [columns[0], columns[at], *columns[1:at], *columns[at + 1 :]] if at else columns


def _card(rows: Sequence[Row]) -> Card:
    """Return the card of a data set; counts are from the row with most training images, as limits are nested."""
    first = max(rows, key=lambda row: row["n_train"] or 0)
    records = [run for row in rows if row["n_train"] == first["n_train"] for run in row.runs]
    facts = records[0].record.facts if records else {}
    counts, classes = facts.get("counts") or {}, facts.get("classes") or ()
    parts = [part for part in PARTS if part in counts]
    return Card(
        scope=(first["dataset"], first["fingerprint"], first["split"]),
        name=name_of(rows),
        synthetic=bool(first["synthetic"]),
        split=first["split"],
        licence=first["licence"] or "see the source",
        parts=parts,
        counts=[(name, [counts[part][k] for part in parts]) for k, name in enumerate(classes)],
        totals=[first[f"n_{part}"] for part in parts],
        notes=facts.get("notes") or (),
    )


def _settings(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Return the settings of each method, once for all data sets on which they are the same."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        setting = (row["method"], listed(json.loads(row["preprocessing"])), listed(json.loads(row["params"])))
        found.setdefault(setting, []).append(name_of([row]))
    return [
        {"method": method, "preprocessing": steps, "params": params, "datasets": ", ".join(dict.fromkeys(names))}
        for (method, steps, params), names in sorted(found.items())
    ]


# --- the page


def render(content: Report, looks: Mapping[Scope, Look], day: str = "", results: Path | None = None) -> str:
    """Return the page as HTML; text from users is escaped.

    looks: pictures and checks, by data set; day: the date shown; results: the folder of results for the commands that
    the page shows, None for the default one.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cellbench.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "jpeg": _data_uri,
        "signed": signed,
        "duration": duration,
        "percent": "{:.1f}".format,
        "ratio": _ratio,
    }
    return environment.get_template("report.html").render(
        report=content,
        looks=looks,
        results=results,
        show=show,
        day=day,
        version=__version__,
        charts=specifications(content.figures),
        vega=javascript() if content.figures else "",
    )


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def _ratio(value: float) -> str:
    return f"{value:,.{two_digits(value)}f}"
