"""`cellbench inspect`: the contents of a data set, and flaws in it that would make every method look too good."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from ...core.errors import UsageError
from ...core.mixed_values import Document
from ...core.text.words import file_name
from ..options import USER_PATH, folder_options, plugin_option, split_option

if TYPE_CHECKING:
    from ...datasets.audit.result import Audit
    from ...datasets.opening import FolderKeywords

SCHEMA_VERSION = 1


@click.command("inspect")
@click.argument("dataset")
@click.option(
    "-o",
    "--output",
    type=USER_PATH,
    help="Montage PNG (default: DATASET-montage.png), or CSV of --suspect-labels (default: DATASET-suspects.csv).",
)
@click.option("--no-montage", is_flag=True, help="Write no picture.")
@click.option(
    "--suspect-labels",
    is_flag=True,
    help="Instead: rank the cells by how far models trained on other cells contradict their label.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="With --suspect-labels: judge N cells, drawn by class."
)
@split_option
@click.option(
    "--results",
    type=USER_PATH,
    help="Folder of results: shortcuts are compared with the best method there (default: results, if it is there).",
)
@click.option(
    "--format", "style", type=click.Choice(("text", "json")), default="text", show_default=True, help="How to show it."
)
@click.option("--strict", is_flag=True, help="Exit with code 4 when something is found.")
@plugin_option("with further data sets")
@folder_options
@click.pass_context
def inspect(
    context: click.Context,
    dataset: str,
    output: Path | None,
    no_montage: bool,
    suspect_labels: bool,
    limit: int | None,
    split: str,
    results: Path | None,
    style: str,
    strict: bool,
    plugins: tuple[Path, ...],
    **folder: "Unpack[FolderKeywords]",
) -> None:
    """Look at DATASET before training: counts, leaks, shortcuts.

    DATASET is a name, or a folder of images. Shows counts, intensities and a montage of cells; looks for images, groups
    and likenesses that the split lets leak from train to test, and for shortcuts: brightness, size or border alone that
    tell the class.

    --suspect-labels looks for wrong labels instead: models learn from four fifths of the cells and judge the others. It
    ranks the cells, gives no verdict, writes the ranking as CSV and draws those that are contradicted most.

    \b
    Examples:
      cellbench inspect hep2
      cellbench inspect hep2 --results results/ -o cells.png
      cellbench inspect hep2 --suspect-labels --limit 2000
      cellbench inspect my_cells/ --labels labels.csv --group-column well --strict
    """
    if output is not None and no_montage and not suspect_labels:
        raise click.UsageError("-o and --no-montage contradict each other; leave one out")
    what, ending = ("the ranking", ".csv") if suspect_labels else ("the montage", ".png")
    if output is not None and output.suffix.lower() != ending:
        raise UsageError(
            f"-o got {output}; {what} is a {ending[1:].upper()}, so give the name of a file that ends in {ending}"
        )
    if suspect_labels:
        _refuse_options_of_the_audit(context)
        return _show_suspects(dataset, output, no_montage, limit, style, plugins, folder)
    if limit is not None:
        raise click.UsageError("--limit is for --suspect-labels; the audit looks at all images, so leave it out")
    from ...datasets.inspection import inspect as look
    from ...running.plugins import load_plugins
    from .inspect_page import page

    load_plugins(plugins)
    target = None if no_montage else output or _default_output(dataset, "montage.png")
    found = look(dataset, output=target, split=split, results=results, **folder)
    if style == "json":
        click.echo(json.dumps(_document(found, target), indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(page(found, target)))
    context.exit(4 if strict and found.problems else 0)


def _show_suspects(
    dataset: str,
    output: Path | None,
    no_montage: bool,
    limit: int | None,
    style: str,
    plugins: tuple[Path, ...],
    folder: "FolderKeywords",
) -> None:
    """Print the ranking of suspect labels and write its CSV, and its picture unless `no_montage`."""
    from ...methods.suspect_labels import suspect_labels
    from ...running.plugins import load_plugins
    from .suspects_page import document, page

    load_plugins(plugins)
    table = output or _default_output(dataset, "suspects.csv")
    picture = None if no_montage else table.with_suffix(".png")
    found = suspect_labels(dataset, limit=limit, output=table, picture=picture, **folder)
    if style == "json":
        click.echo(json.dumps(document(found, table, picture), indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(page(found, table, picture)))


def _refuse_options_of_the_audit(context: click.Context) -> None:
    for name in ("split", "results", "strict"):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"--{name} belongs to the audit, and --suspect-labels ranks labels without a verdict; leave one out"
            )


def _default_output(name: str, ending: str) -> Path:
    return Path(f"{file_name(Path(name).resolve().name)}-{ending}")


def _document(audit: "Audit", montage: Path | None) -> Document:
    """What --format json prints; docs/inspect.md describes it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "dataset": audit.name,
        "split": audit.split,
        "fingerprint": audit.fingerprint,
        "found": [result.check for result in audit.problems],
        "facts": audit.facts,
        "checks": [vars(result) for result in audit.checks],
        "montage": None if montage is None else str(montage),
    }
