"""`cellbench list`: what there is to choose from."""

import textwrap
from pathlib import Path
from typing import Any

import click

from .options import load_plugins
from .prepare import amount


@click.group("list")
def list_() -> None:
    """List methods, data sets or results.

    \b
    cellbench list methods
    cellbench list datasets
    cellbench list results
    """


@list_.command("methods")
@click.option(
    "--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="Python file with further methods."
)
def list_methods(plugins: tuple[Path, ...]) -> None:
    """Every method, with what it is and whether --all runs it.

    \b
    cellbench list methods
    cellbench list methods --plugin my_method.py
    """
    from tabulate import tabulate

    from ..methods import methods

    load_plugins(plugins)
    rows = [[e.name, e.family, "yes" if e.standard else "", e.summary] for e in methods.entries()]
    click.echo(tabulate(rows, ["method", "family", "standard", "what it is"]))


@list_.command("datasets")
@click.option(
    "--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="Python file with further data sets."
)
def list_datasets(plugins: tuple[Path, ...]) -> None:
    """Every data set: size, classes, channels, licence, how to get it.

    \b
    cellbench list datasets
    """
    from tabulate import tabulate

    from ..datasets import cache, datasets, images

    load_plugins(plugins)
    rows = []
    for entry in sorted(datasets.entries(), key=lambda entry: images.natural(entry.name)):
        meta = cache.meta(entry.key)
        name = (
            f"{entry.name}{' *' if entry.standard else ''}\n{textwrap.indent(textwrap.fill(entry.summary, 30), '  ')}"
        )
        channels = ", ".join(meta.get("channels", ()))
        rows.append([name, entry.size, len(meta["classes"]) if meta else "", channels, _state(entry), entry.licence])
    columns = ["data set", "size", "classes", "channels", "state", "licence"]
    click.echo(tabulate(rows, columns, maxcolwidths=[None, 16, None, 14, 21, 20]))
    click.echo(
        f"\n* is what `run --all` takes when ready. Ready ones are in {cache.location('')}\n"
        "To get one: cellbench prepare NAME. A folder of your own images works too: cellbench run -d path/to/folder"
    )


def _state(entry: Any) -> str:
    """Whether a data set is ready and where, else what readies it."""
    from ..datasets import cache

    if cache.is_ready(entry.key):
        return f"ready: {entry.key}, {amount(cache.size_of(cache.location(entry.key)))}"
    if entry.made_on_demand:
        return "made when first used"
    if entry.found():
        return "prepare reads it from where it is"
    if entry.files:
        return "prepare downloads it"
    return "prepare --from PATH" if entry.manual else "prepare makes it"


@list_.command("results")
@click.argument("results", type=click.Path(path_type=Path), default="results")
def list_results(results: Path) -> None:
    """Every record below a folder, a line each.

    \b
    cellbench list results
    cellbench list results other/results
    """
    from tabulate import tabulate

    from ..reporting.frame import load_results

    frame = load_results(results)
    for path, reason in frame.attrs["passed_over"]:
        click.echo(f"cellbench: passed over {path}: {reason}", err=True)
    columns = ["machine", "dataset", "method", "seed", "status", "test_accuracy", "train_seconds", "path"]
    click.echo(tabulate(frame[columns].values.tolist(), columns, floatfmt=".4g"))
