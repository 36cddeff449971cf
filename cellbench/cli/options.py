"""Options that several commands share."""

import os
import shutil
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import click
from click.core import ParameterSource

from ..core.records.results_folder import DEFAULT_FOLDER
from ..core.split_names import RULES
from ..reporting.tables import FORMATS


class UserPath(click.Path):
    """A path, whose ~ stands for the user's folder: shells leave that of `--output=~/results` as it is."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, context: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        return super().convert(os.path.expanduser(value), param, context)


USER_PATH = UserPath(path_type=Path)


def folder_options(command: Callable) -> Callable:
    """Add to a command the options that say how to read a folder of images."""
    for option in reversed(
        (
            click.option("--labels", type=USER_PATH, help="CSV with a row for each image: file and label."),
            click.option("--file-column", help="Column of --labels with the file (default: found by its name)."),
            click.option("--label-column", help="Column of --labels with the class."),
            click.option(
                "--group-column",
                help="Column with patient, slide or well (or plate,well): kept whole by a drawn split.",
            ),
            click.option("--image-size", type=int, help="Side in pixels when images differ in size (default 64)."),
            click.option("--multilabel", metavar="HOW", help="Several labels an image: their separator, or onehot."),
            click.option("--pattern", help="One file a channel, such as '{id}_{channel}.tif'."),
            click.option("--side-by-side", is_flag=True, help="Channels are squares side by side in each image."),
            click.option("--channel-names", help="Names for the channels, such as DAPI,GFP."),
            click.option(
                "--labelled-only", is_flag=True, help="Leave out images that have no label, and say how many."
            ),
            click.option("--masks", is_flag=True, help="Cut each cell out by the mask beside its image, on black."),
            click.option("--layout", help="What folders stand for, such as '{plate}/{well}/{class}/*.png'."),
            click.option("--skip-unreadable", is_flag=True, help="Leave out damaged images, and say which."),
        )
    ):
        command = option(command)
    return command


split_option = click.option(
    "--split",
    default="official",
    show_default=True,
    metavar="NAME",
    help=f"{', '.join(rule.written for rule in RULES.values())}; @5 behind one: draw 5, @0-4: five draws, which a row "
    "pools.",
)


def plugin_option(what: str) -> Callable[[Callable], Callable]:
    """Return the option --plugin, for Python files that register methods or data sets; what: ends its help text."""
    return click.option("--plugin", "plugins", multiple=True, type=USER_PATH, help=f"Python file {what}.")


methods_option = click.option(
    "-m", "--method", "methods", multiple=True, metavar="NAME", help="Method or glob; repeatable."
)
device_option = click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
records_option = click.option(
    "-o", "--output", type=USER_PATH, default=DEFAULT_FOLDER, show_default=True, help="Folder of records."
)
this_machine_option = click.option(
    "--machine", metavar="NAME", help="Name of this machine in the records (default: made from its hardware)."
)


def limit_option(meaning: str) -> Callable[[Callable], Callable]:
    """Return the option --limit, a number of images; meaning: its help text."""
    return click.option("--limit", type=click.IntRange(min=1), metavar="N", help=meaning)


def quiet_option(what: str) -> Callable[[Callable], Callable]:
    """Return the option --quiet; what: is printed all the same, such as 'the table'."""
    return click.option("-q", "--quiet", is_flag=True, help=f"Print only {what}.")


table_format_option = click.option(
    "--format", "style", type=click.Choice(FORMATS), default="text", show_default=True, help="How to show it."
)
runs_option = click.option(
    "--runs",
    type=click.Choice(("default", "all")),
    default="default",
    show_default=True,
    help="default: runs on all of the data with no setting changed; all: every run.",
)
wide_option = click.option(
    "--wide", is_flag=True, help="Show every column, even where the terminal is too narrow for them."
)


def as_given(context: click.Context, names: Collection[str]) -> list[str]:
    """Return the words of those options among `names` that were given on the command line, in the command's order."""
    words: list[str] = []
    for option in context.command.params:
        name = option.name or ""
        if name in names and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            value = context.params[name]
            for one in value if isinstance(value, tuple) else [value]:
                words += [option.opts[0], *([] if one is True else [str(one)])]
    return words


def terminal_width(wide: bool = False) -> int | None:
    """Return the width of the terminal in characters, or COLUMNS if it is set; None, no limit, if `wide`.

    It is None too if the output is no terminal and COLUMNS is not set.
    """
    if wide or not (sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()):
        return None
    return shutil.get_terminal_size().columns
