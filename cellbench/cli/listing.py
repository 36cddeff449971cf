"""`cellbench list`: what there is to choose from."""

from pathlib import Path

import click

from .options import load_plugins


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
    """Every method, with what it is and whether --all runs it."""
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
    """Every data set, whether it is ready, and how to get it."""
    from tabulate import tabulate

    from ..datasets import cache, datasets

    load_plugins(plugins)
    rows = []
    for entry in datasets.entries():
        state = "ready" if entry.ready else f"cellbench prepare {entry.name}" + (" --from PATH" if entry.manual else "")
        rows.append([entry.name, entry.size, "yes" if entry.standard else "", state, entry.licence, entry.summary])
    columns = ["data set", "size", "standard", "state", "licence", "what it is"]
    click.echo(tabulate(rows, columns, maxcolwidths=[None, None, None, None, 24, 44]))
    click.echo(
        f"\nA folder of your own images works too: cellbench run -d path/to/folder. Prepared data: {cache.location('')}"
    )


@list_.command("results")
@click.argument("results", type=click.Path(path_type=Path), default="results")
def list_results(results: Path) -> None:
    """Every record below a folder, a line each."""
    from tabulate import tabulate

    from ..reporting.frame import load_results

    frame = load_results(results)
    for path, reason in frame.attrs["passed_over"]:
        click.echo(f"cellbench: passed over {path}: {reason}", err=True)
    columns = ["machine", "dataset", "method", "seed", "status", "test_accuracy", "train_seconds", "path"]
    click.echo(tabulate(frame[columns].values.tolist(), columns, floatfmt=".4g"))
