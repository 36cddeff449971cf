"""`cellbench check`: tests whether a method or a data set keeps the rules that the built-in ones keep."""

from pathlib import Path

import click

from ...core.text.words import counted
from ..options import plugin_option


@click.command()
@click.argument("name")
@plugin_option("that registers it")
@click.pass_context
def check(context: click.Context, name: str, plugins: tuple[Path, ...]) -> None:
    """Check that a method or a data set keeps the rules.

    Prints each rule, with what is wrong where it is broken; exit code 4 then.

    \b
    Examples:
      cellbench check resnet18
      cellbench check my-method --plugin my_method.py
    """
    from ...datasets import conformance as of_data_sets
    from ...datasets import datasets
    from ...methods import conformance as of_methods
    from ...methods import methods
    from ...running.plugins import load_plugins

    load_plugins(plugins)
    rules = of_data_sets.conformance(datasets[name]) if name in datasets else of_methods.conformance(methods[name])
    broken = 0
    for demand, problem in rules:
        click.echo(f"{'✗' if problem else '✓'} {demand}" + (f" But {problem}." if problem else ""))
        broken += bool(problem)
    click.echo(f"{name}: {counted(broken, 'rule')} broken." if broken else f"{name}: all rules kept.")
    context.exit(4 if broken else 0)
