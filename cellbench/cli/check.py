"""`cellbench check`: does a method keep the rules that ours keep?"""

from pathlib import Path

import click

from ..core.words import counted
from .options import load_plugins


@click.command()
@click.argument("method")
@click.option(
    "--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="Python file that registers it."
)
@click.pass_context
def check(context: click.Context, method: str, plugins: tuple[Path, ...]) -> None:
    """Check on toy images that METHOD keeps the rules of a method.

    Prints each rule, with what is wrong where it is broken; exit code 4 then.

    \b
    cellbench check resnet18
    cellbench check my_method --plugin my_method.py
    """
    from ..methods import methods
    from ..methods.conformance import conformance

    load_plugins(plugins)
    broken = 0
    for demand, problem in conformance(methods[method]):
        click.echo(f"{'✗' if problem else '✓'} {demand}" + (f" But {problem}." if problem else ""))
        broken += bool(problem)
    click.echo(f"{method}: {counted(broken, 'rule')} broken." if broken else f"{method}: all rules kept.")
    context.exit(4 if broken else 0)
