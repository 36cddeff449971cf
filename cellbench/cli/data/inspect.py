"""`cellbench inspect`: the contents of a data set, and flaws in it that would make every method look too good."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...core.errors import UsageError
from ..options import folder_options, plugin_option, split_option

if TYPE_CHECKING:
    from ...datasets.audit.result import Audit

SCHEMA_VERSION = 1


@click.command("inspect")
@click.argument("dataset")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Montage PNG (default: DATASET-montage.png).")
@click.option("--no-montage", is_flag=True, help="Write no montage.")
@split_option
@click.option(
    "--results",
    type=click.Path(path_type=Path),
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
    split: str,
    results: Path | None,
    style: str,
    strict: bool,
    plugins: tuple[Path, ...],
    **folder: Any,
) -> None:
    """Look at DATASET before training: counts, leaks, shortcuts.

    DATASET is a name, or a folder of images. Shows counts, intensities and a montage of cells; looks for images, groups
    and likenesses that the split lets leak from train to test, and for shortcuts: brightness, size or border alone that
    tell the class.

    \b
    Examples:
      cellbench inspect hep2
      cellbench inspect hep2 --results results/ -o cells.png
      cellbench inspect my_cells/ --labels labels.csv --group-column well --strict
    """
    if output is not None and output.suffix.lower() != ".png":
        raise UsageError(f"-o got {output}; the montage is a PNG, so give the name of a file that ends in .png")
    if output is not None and no_montage:
        raise click.UsageError("-o and --no-montage contradict each other; leave one out")
    from ...datasets.inspection import inspect as look
    from ...running.plugins import load_plugins
    from .inspect_page import page

    load_plugins(plugins)
    target = None if no_montage else output or _default_output(dataset)
    found = look(dataset, output=target, split=split, results=results, **folder)
    if style == "json":
        click.echo(json.dumps(_document(found, target), indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(page(found, target)))
    context.exit(4 if strict and found.problems else 0)


def _default_output(name: str) -> Path:
    return Path(re.sub(r"[^\w.+-]+", "-", Path(name).resolve().name).strip("-.") + "-montage.png")


def _document(audit: "Audit", montage: Path | None) -> dict[str, Any]:
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
