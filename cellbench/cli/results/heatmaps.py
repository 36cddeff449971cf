"""cellbench heatmaps: where nets look, on the cells that a report shows."""

from pathlib import Path

import click

from ...core.text.console import progress_line
from ..reading import machine_option, read_results, results_argument


@click.command("heatmaps")
@results_argument
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Nets to make heatmaps of, such as method=resnet18.",
)
@machine_option
@click.pass_context
def heatmaps(context: click.Context, results: Path, conditions: tuple[str, ...], machine: str | None) -> None:
    """See where nets look on cells that methods disagree on.

    For every net of RESULTS that was run with --save-models: Grad-CAM of the cells that `cellbench report` shows, for
    the class that the net predicts. They are kept beside its record, and the next report shows those of the best net on
    val, and how much of what it looks at is border.

    \b
    Examples:
      cellbench run -d my_cells/ -m svm-hog -m resnet18 --save-models
      cellbench heatmaps results/
      cellbench report
    """
    from ...exports.heatmaps import write_heatmaps

    written, notes = write_heatmaps(read_results(context, results, machine), conditions, progress_line)
    progress_line("")
    for path in written:
        click.echo(path)
    for note in notes:
        click.echo(note, err=True)
