"""cellbench report: results as one page that opens anywhere."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...core.console import progress_line
from ...core.errors import DataError, UsageError
from ...core.words import counted
from ..reading import machine_option, read_results, results_argument

if TYPE_CHECKING:
    from ...reporting.report.page import Look, Scope

FEW = 12  # up to so many classes, six examples of each are shown, with more classes three


@click.command("report")
@results_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
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
@click.option(
    "--runs",
    type=click.Choice(("default", "all")),
    default="default",
    show_default=True,
    help="default: runs on all of the data with no setting changed; all: every run.",
)
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
    if output.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"-o got {output}; the report is a page, so give the name of a file that ends in .html")
    from ...core.store import write_whole
    from ...reporting.report.page import Look, render
    from ...reporting.report.page import report as gather

    found = read_results(context, results, machine)
    progress_line("reading predictions")
    content = gather(found, runs, conditions, title)
    off = Look(lacking="left out on request (--no-cells)")
    looks = {scope: off if no_cells else _look(scope, wanted, results) for scope, wanted in content.wanted().items()}
    folder = None if results == Path("results") else results
    page = render(content, looks, date.today().isoformat(), folder)
    progress_line("")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, lambda file: file.write(page.encode("utf-8")))
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror or error}; choose another place with -o") from error
    click.echo(output)
    lacking = [f"no pictures of {scope[0]}: {look.lacking}" for scope, look in looks.items() if look.lacking]
    for line in (*(() if no_cells else dict.fromkeys(lacking)), *filter(None, [content.others])):
        click.echo(line, err=True)


def _look(scope: "Scope", wanted: set[int], results: Path) -> "Look":
    """Return pictures of the cells wanted and of examples of each class, and the checks of `cellbench inspect`."""
    from ...datasets.audit import audit
    from ...datasets.audit.best_result import best_result
    from ...datasets.display import colours, thumbnails
    from ...datasets.named_splits import each_draw, with_split
    from ...reporting.report.page import Look

    name, fingerprint, split = scope
    try:
        whole = thumbnails.prepared_dataset(name, fingerprint)
        data = with_split(whole, each_draw(whole, split)[0])
    except DataError as error:
        return Look(lacking=str(error))
    examples = thumbnails.examples(data, 6 if len(data.classes) <= FEW else 3)
    shown = wanted | {i for _, index in examples for i in index}
    progress_line(f"looking at the {len(data):,} images of {name}")
    found = audit(data, best=best_result(results, data, asked=False))
    height, width = data.images.shape[2:]
    return Look(
        cells=thumbnails.jpegs(data, shown),
        names={} if data.ids is None else {i: data.name_of(i) for i in shown},
        examples=examples,
        channels=thumbnails.channels(data),
        facts=f"{len(data):,} images of {height}×{width} px, {data.images.dtype}, "
        + counted(len(data.channels), "channel"),
        citation=data.info.citation,
        notes=data.info.notes,
        checks=[(result.status, result.text) for result in found.checks],
        stretch=f"each channel stretched between its percentiles {colours.LOW:g} and {colours.HIGH:g}",
    )
