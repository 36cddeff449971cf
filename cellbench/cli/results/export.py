"""cellbench export: results in the formats of other programs."""

from pathlib import Path

import click

from ...exports.formats import FORMATS
from ..options import USER_PATH
from ..reading import machine_option, read_results, results_argument

_EACH = "\n".join(f"{name:<13}{each.summary}" for name, each in FORMATS.items())
HELP = f"""
Write results in the format of another program.

\b
{_EACH}

Scores are those of val and test, as runs keep them: logits of nets, decision values of SVMs. Names of files come from
the prepared data sets on this machine. In AnnData, X is what the classifier saw of each image if the run was made
with --save-models, else its scores. More: docs/export.md.

\b
Examples:
  cellbench export --to csv -o cells.csv --where dataset=hep2
  cellbench export results/ --to anndata --where method=probe-svm
  cellbench export --to mlflow -o mlflow/
"""


@click.command("export", help=HELP)
@results_argument
@click.option("--to", type=click.Choice(list(FORMATS)), required=True, help="What to write.")
@click.option("-o", "--output", type=USER_PATH, help="File or folder to write (default: cells.csv, …).")
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Runs to export, such as method=svm-*, split=official, 'test_accuracy>=0.9', C=10; repeatable.",
)
@machine_option
@click.pass_context
def export(
    context: click.Context,
    results: Path,
    to: str,
    output: Path | None,
    conditions: tuple[str, ...],
    machine: str | None,
) -> None:
    from ...exports import formats

    target, notes = formats.export(read_results(context, results, machine), to, output, conditions)
    click.echo(target)
    for note in notes:
        click.echo(note, err=True)
