"""cellbench report: results as one page that opens anywhere."""

from pathlib import Path

import click

from ...core.text.console import progress_line
from ..options import USER_PATH, runs_option
from ..reading import machine_option, read_results, results_argument


@click.command("report")
@results_argument
@click.option(
    "-o",
    "--output",
    type=USER_PATH,
    default="report.html",
    show_default=True,
    help="The page, a file that ends in .html.",
)
@click.option("--title", default="", help="Its heading (default: the data sets).")
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Runs to show and judge claims by, such as method=svm-*, device=cpu, 'limit>=1000', C=10; repeatable.",
)
@runs_option
@click.option("--no-cells", is_flag=True, help="No pictures of cells, and no look at the images for leaks.")
@machine_option
@click.pass_context
def report(
    context: click.Context,
    results: Path,
    output: Path,
    title: str,
    conditions: tuple[str, ...],
    runs: str,
    no_cells: bool,
    machine: str | None,
) -> None:
    """Write the results in folder RESULTS as one HTML page.

    The page needs no network and no other file. It has the answer in a sentence, leaderboards to sort and filter,
    figures that tell each run, confusion matrices, cells that methods disagree on or all get wrong, the data sets with
    their leaks and shortcuts, and a Methods paragraph with citations to copy.

    Pictures of cells come from the prepared data sets on this machine; without them the page says how to prepare them.

    \b
    Examples:
      cellbench report
      cellbench report results/ -o report.html --title "HEp-2, November"
      cellbench report --where dataset=hep2 --where split=official --no-cells
    """
    from ...report_page import check_name, write_report

    check_name(output)
    found = read_results(context, results, machine)
    written = write_report(
        found,
        output,
        title=title,
        conditions=conditions,
        runs=runs,
        cells=not no_cells,
        progress=progress_line,
    )
    click.echo(written.path)
    for line in written.remarks:
        click.echo(line, err=True)
