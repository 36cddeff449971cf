"""Results as a notebook shows them: answers, tables, charts and findings, in plain HTML that stays when saved."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import UsageError, did_you_mean
from ..core.mixed_values import Facts
from ..results.results import Results
from .answers import answers
from .findings import findings, sentences
from .findings.show import WIDTH, as_markdown, as_text
from .findings.verdict import Finding
from .paragraphs import wrapped
from .tables.by_view import tables
from .tables.table import PrintedColumn, Table, laid_out, render

if TYPE_CHECKING:
    from .charts.chart import Chart
    from .charts.compose import Spec
    from .charts.registry import ChartOrReason


@dataclass(frozen=True, repr=False)
class Page:
    """Sentences followed by tables, shown as HTML in a notebook and as text elsewhere."""

    sentences: Sequence[str]
    tables: Sequence[Table]

    def __repr__(self) -> str:
        paragraphs = ["\n".join(wrapped(text, WIDTH)) for text in self.sentences]
        return "\n\n".join([*paragraphs, render(self.tables, "text")])

    def _repr_html_(self) -> str:
        paragraphs = [f"<p>{escape(line)}</p>" for text in self.sentences for line in text.split("\n")]
        return "\n".join([*paragraphs, *map(html_table, self.tables)])


def overview(results: Results) -> Page:
    """Return a page with the answer in sentences for each contest, then the leaderboard of each data set."""
    return Page(answers(results), tables(results, "leaderboard"))


def view(results: Results, name: str, conditions: Sequence[str] = ()) -> Page:
    """Return a page with the view `name` of `cellbench table`; conditions: on rows, as --where takes them."""
    return Page((), tables(results, name, conditions))


@dataclass(frozen=True, repr=False)
class Charts:
    """Charts of one kind, one for each data set and split: pictures in a notebook, one line each elsewhere."""

    drawn: Sequence["ChartOrReason"]

    def __iter__(self) -> Iterator["Spec"]:
        """Yield each chart as a Vega-Lite specification, which Altair and other programs draw."""
        from .charts.render import specification

        return (specification(chart) for _, chart in self._named())

    def __len__(self) -> int:
        return len(self.drawn)

    def __repr__(self) -> str:
        return "\n".join(f"{chart.title} ({name})" for name, chart in self._named())

    def _repr_html_(self) -> str:
        from .charts.render import svg

        return "\n".join(f"<div>{svg(chart)}</div>" for _, chart in self._named())

    def save(self, folder: Path | str = ".", form: str = "png") -> list[Path]:
        """Write each chart into `folder`, as png, svg, pdf or json, and return the files' paths.

        Raises UsageError for another form, and if a file cannot be written.
        """
        from .charts import FORMATS
        from .charts.render import save

        if form not in FORMATS:
            raise UsageError(f"form got {form!r}; charts are written as {', '.join(FORMATS)}")
        return [save(chart, Path(folder) / f"{name}.{form}", form) for name, chart in self._named()]

    def _named(self) -> Iterator[tuple[str, "Chart"]]:
        return ((outcome.name, outcome.chart) for outcome in self.drawn if outcome.chart)


@dataclass(frozen=True, repr=False)
class JudgedClaims:
    """The answer for each data set, and the verdict on each claim.

    answers: each with its `sentence`. findings: one for each claim, with its `verdict` and `summary`. folder: the
    folder of results that commands name, None for the default one. every: whether claims that were not tested are shown
    too, not only counted.
    """

    answers: Sequence[Facts]
    findings: Sequence[Finding]
    folder: Path | None = None
    every: bool = False

    def __repr__(self) -> str:
        return as_text(self.findings, self.answers, output=self.folder, every=self.every)

    def _repr_markdown_(self) -> str:
        return as_markdown(self.findings, self.answers, self.folder, self.every)


def charts(results: Results, kind: str, conditions: Sequence[str] = (), runs: str = "default") -> Charts:
    """Return the charts of `cellbench plot KIND`.

    Raises UsageError for an unknown kind, and if the results have nothing to draw.
    """
    from .charts.registry import kinds, outcomes

    if kind not in (known := kinds()):
        raise UsageError(f"no chart is called {kind!r}; {did_you_mean(kind, known)}")
    found = list(outcomes(results, [kind], runs, conditions))
    if drawn := [outcome for outcome in found if outcome.chart]:
        return Charts(drawn)
    raise UsageError(min((outcome.lacking for outcome in found), key=len, default="there are no results to draw"))


def judgement(results: Results, claims: Sequence[str] = ()) -> JudgedClaims:
    """Return the answers and the verdicts of `cellbench findings`; claims: the ids of those to judge, all if none."""
    return JudgedClaims(sentences(results), findings(results, claims), results.folder_to_name, bool(claims))


def html_table(shown: Table) -> str:
    """Return the table as HTML, with its title above it and its notes below."""
    columns = [*laid_out(shown), *_remarks(shown)]
    head = "".join(f"<th>{escape(_heading(column))}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(_cell(column, row) for column in columns)}</tr>\n" for row in range(len(shown.rows)))
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in shown.notes)
    title = "<br>".join(map(escape, shown.title.split("\n")))
    grid = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n" if shown.rows else ""
    return f"<p><b>{title}</b></p>\n{grid}{notes}"


def _heading(column: PrintedColumn) -> str:
    return f"{column.title} ({column.unit})" if column.unit else column.title


def _cell(column: PrintedColumn, row: int) -> str:
    text = escape(column.texts[row])
    side = "right" if column.figures else "left"
    return f'<td style="text-align: {side}">{f"<b>{text}</b>" if column.bold[row] else text}</td>'


def _remarks(shown: Table) -> list[PrintedColumn]:
    """Return a column of the rows' remarks, in a list, empty if no row has a remark."""
    texts = tuple(row.get("remark") or "" for row in shown.rows)
    if not any(texts):
        return []
    return [PrintedColumn("remark", "", False, False, texts, texts, (False,) * len(texts))]
