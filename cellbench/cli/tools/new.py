"""`cellbench new`: writes a file to start from, for a new method or data set."""

import re
from importlib.resources import files
from pathlib import Path

import click

from ...core.errors import UsageError, cannot_write
from ..options import USER_PATH

NAME = r"[a-z][a-z0-9]*([-_.][a-z0-9]+)*"


@click.command()
@click.argument("kind", type=click.Choice(("method", "dataset")))
@click.argument("name")
@click.option("-o", "--output", type=USER_PATH, help="Where to write it (default: NAME.py).")
def new(kind: str, name: str, output: Path | None) -> None:
    """Write a file that makes a method or data set called NAME.

    It works as it is, to be changed: `cellbench check` finds nothing wrong.

    \b
    Examples:
      cellbench new method my-knn
      cellbench new dataset my-cells -o plugins/my_cells.py
    """
    if not re.fullmatch(NAME, name):
        raise UsageError(f"{name!r} is no name; give small letters and digits, and - between them, such as my-{kind}")
    _refuse_taken(kind, name)
    function = re.sub(r"\W", "_", name)
    target = output or Path(f"{function}.py")
    template = (files("cellbench") / "cli" / "templates" / f"{kind}.py.txt").read_text(encoding="utf-8")
    text = template.replace("NAME", name).replace("FUNCTION", function).replace("FILE", str(target))
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{target} exists already; name another file with -o") from None
    except OSError as error:
        raise UsageError(cannot_write(target, error, "-o")) from error
    click.echo(f"{target} is written; it passes: cellbench check {name} --plugin {target}")


def _refuse_taken(kind: str, name: str) -> None:
    from ...datasets import datasets
    from ...methods import methods

    if name in (methods if kind == "method" else datasets):
        raise UsageError(f"there is a {kind} {name!r} already; choose another name")
