"""Results as a notebook shows them: the answer in sentences, then tables, as plain HTML that keeps when it is saved."""

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
    """Sentences, then tables: HTML in a notebook, text elsewhere."""

    sentences: Sequence[str]
    tables: Sequence[Table]

    def __repr__(self) -> str:
        paragraphs = ["\n".join(answer_lines(text, WIDTH, None)) for text in self.sentences]
        return "\n\n".join([*paragraphs, render(self.tables, "text")])

    def _repr_html_(self) -> str:
        paragraphs = [f"<p>{escape(line)}</p>" for text in self.sentences for line in text.split("\n")]
        return "\n".join([*paragraphs, *map(html_table, self.tables)])


def overview(results: Results) -> Page:
    """The answer for each data set, and its leaderboard."""
    return Page(answers(results), tables(results, "leaderboard"))


def view(results: Results, name: str, conditions: Sequence[str] = ()) -> Page:
    """A view of `cellbench table`; conditions: as --where takes them."""
    return Page((), tables(results, name, conditions))


def html_table(shown: Table) -> str:
    """A table with its title above it and its notes below."""
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
    """A column of what the figures of rows do not say, where any row has such a remark."""
    texts = tuple(row.get("remark") or "" for row in shown.rows)
    if not any(texts):
        return []
    return [Shown("remark", "", False, False, texts, texts, (False,) * len(texts))]
