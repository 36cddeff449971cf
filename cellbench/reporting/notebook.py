"""Results as a notebook shows them: the answer in sentences, then tables, in plain HTML that stays when saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ..results.results import Results
from .answers import answers
from .findings.show import WIDTH, answer_lines
from .tables.table import Shown, Table, laid_out, render
from .tables.views import tables


@dataclass(frozen=True, repr=False)
class Page:
    """Sentences followed by tables, shown as HTML in a notebook and as text elsewhere."""

    sentences: Sequence[str]
    tables: Sequence[Table]

    def __repr__(self) -> str:
        paragraphs = ["\n".join(answer_lines(text, WIDTH, None)) for text in self.sentences]
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


def html_table(shown: Table) -> str:
    """Return the table as HTML, with its title above it and its notes below."""
    columns = [*laid_out(shown), *_remarks(shown)]
    head = "".join(f"<th>{escape(_heading(column))}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(_cell(column, row) for column in columns)}</tr>\n" for row in range(len(shown.rows)))
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in shown.notes)
    title = "<br>".join(map(escape, shown.title.split("\n")))
    grid = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n" if shown.rows else ""
    return f"<p><b>{title}</b></p>\n{grid}{notes}"


def _heading(column: Shown) -> str:
    return f"{column.title} ({column.unit})" if column.unit else column.title


def _cell(column: Shown, row: int) -> str:
    text = escape(column.texts[row])
    side = "right" if column.figures else "left"
    return f'<td style="text-align: {side}">{f"<b>{text}</b>" if column.bold[row] else text}</td>'


def _remarks(shown: Table) -> list[Shown]:
    """Return a column of the rows' remarks, in a list, empty if no row has a remark."""
    texts = tuple(row.get("remark") or "" for row in shown.rows)
    if not any(texts):
        return []
    return [Shown("remark", "", False, False, texts, texts, (False,) * len(texts))]
