"""cellbench table: results as tables."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...core.errors import UsageError
from ...core.records.results_folder import output_option
from ...reporting.tables.registry import VIEWS
from ..options import runs_option, table_format_option, terminal_width, wide_option
from ..reading import machine_option, read_results, results_argument

if TYPE_CHECKING:
    from ...reporting.tables.table import Table
    from ...results.results import Results

_EACH_VIEW = "\n".join(f"{name:<15}{view.summary}" for name, view in VIEWS.items())
HELP = f"""
Show the results in folder RESULTS as tables.

Only random seeds are pooled: a figure is their mean. ± is half of a 95 % interval, or the standard deviation over
seeds, as a line below the table says; the best on test, and what was not shown to be worse, is bold. As text on a
terminal, columns that can be spared are left out, and named, until a table fits.

\b
{_EACH_VIEW}
all            leaderboard, svm-vs-deep and depth

With --suite, whose name may be a glob, the view is `claims`: claimed, published and measured figures side by side.

parity and scaling compare runs with changed settings or limits, so they take every run.
Intervals and tests need the predictions beside the records, or three seeds; how they are made: docs/statistics.md.

--where and --sort take the columns of --format csv, --where settings too. A condition is a column, one of = != < >
<= >=, and a value; text takes * and ?. Several with = on one column: any of them; on several columns: all of them.
They choose rows, so a figure is that of all seeds.

\b
Examples:
  cellbench table
  cellbench table --view svm-vs-deep
  cellbench table --view parity
  cellbench table --view efficiency --where family=deep --sort train_seconds
  cellbench table --view per-class --where class=Golgi --sort -recall
  cellbench table --suite yeast
  cellbench table --runs all --format csv > all.csv
  cellbench table other/results --view leaderboard --format markdown
"""


@click.command("table", help=HELP)
@results_argument
@click.option(
    "--view",
    type=click.Choice(("all", *VIEWS)),
    default="all",
    metavar="NAME",
    show_default=True,
    help="What to show, see above.",
)
@table_format_option
@runs_option
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Rows to show, such as method=svm-*, device=cpu, 'test_accuracy>=0.9', C=10; repeatable.",
)
@click.option("--sort", metavar="COLUMN", help="Smallest first; -COLUMN: largest first.")
@click.option("--suite", "suites", multiple=True, metavar="NAME", help="A suite's runs beside what its study claimed.")
@wide_option
@machine_option
@click.pass_context
def table(
    context: click.Context,
    results: Path,
    view: str,
    style: str,
    runs: str,
    conditions: tuple[str, ...],
    sort: str | None,
    suites: tuple[str, ...],
    wide: bool,
    machine: str | None,
) -> None:
    from ...reporting.tables.by_view import tables
    from ...reporting.tables.choosing import ordered
    from ...reporting.tables.table import render

    if suites and (view != "all" or conditions):
        flag = f"--view {view}" if view != "all" else "--where"
        raise UsageError(f"{flag} is not for suites, whose view is of its own; leave it or --suite out")
    found = read_results(context, results, machine)
    if suites:
        claimed = _claims(found, suites)
        click.echo(render(ordered(claimed, sort) if sort else claimed, style, terminal_width(wide)))
        return
    every = view != "all" and VIEWS[view].every_run
    shown, others = found.select("all" if every else runs)
    try:
        drawn = tables(shown, view, conditions)
    except UsageError as error:
        raise UsageError(f"{error} ({others})" if others else str(error)) from error
    drawn = ordered(drawn, sort) if sort else drawn
    text = render(drawn, style, terminal_width(wide), bold=partial(click.style, bold=True))
    click.echo(text)
    if "cellbench run" in text and style == "text" and (option := output_option(found.folder_to_name)):
        click.echo(f"\nTo have what is got with `cellbench run` in this folder, add:{option}")
    if others:  # on stderr if programs read the output, because the line is no data
        click.echo(others if style in ("csv", "json") else f"\n{others}", err=style in ("csv", "json"))


def _claims(results: "Results", names: Sequence[str]) -> "list[Table]":
    from ...core.suites import select
    from ...reporting.tables.suite import claims
    from ...running.planning.suites import expected

    return [claims(results, suite, expected(suite)) for suite in select(names)]
