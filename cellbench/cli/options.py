"""Options and arguments that several commands share, and what they mean."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from ..core.errors import UsageError

MOST_SEEDS = 10_000  # more are a slip, and would take years


def folder_options(command: Callable) -> Callable:
    """Options that say how to read a folder of one's own images."""
    for option in reversed(
        (
            click.option("--labels", type=click.Path(path_type=Path), help="CSV with a row an image: file and label."),
            click.option("--file-column", help="Column of --labels with the file (default: found by its name)."),
            click.option("--label-column", help="Column of --labels with the class."),
            click.option(
                "--group-column",
                help="Column with patient, slide or well (or plate,well): kept whole by a drawn split.",
            ),
            click.option(
                "--image-size", "size", type=int, help="Side in pixels when images differ in size (default 64)."
            ),
            click.option("--multilabel", metavar="HOW", help="Several labels an image: their separator, or onehot."),
            click.option("--pattern", help="One file a channel, such as '{id}_{channel}.tif'."),
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
    help="official, stratified, grouped, random-mask[:60], kfold:5/0, id-block[:200]; @5 behind one: with seed 5.",
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


def terminal_width(wide: bool = False) -> int | None:
    """Columns of text to fill: those of the terminal, or of COLUMNS where it is set; None, no limit, into a pipe."""
    if wide or not (sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()):
        return None
    return shutil.get_terminal_size().columns


def data_folder(name: str, folder: dict[str, Any], source: Path | None = None) -> Path:
    """The prepared data of a data set's name, or of a path to a folder of images."""
    from ..datasets import datasets
    from ..datasets.folder import FolderOptions
    from ..datasets.folder import prepare as prepare_folder

    given = given_options(folder)
    if name in datasets:
        if given:
            flag = "--image-size" if "size" in given else f"--{min(given).replace('_', '-')}"
            raise UsageError(f"{flag} is for folders of images, not for {name!r}; leave it out")
        return datasets[name].prepare(source)
    if looks_like_path(name):
        return prepare_folder(Path(name), FolderOptions(**given))
    datasets[name]  # raises, with a suggestion
    raise AssertionError


def given_options(folder: dict[str, Any]) -> dict[str, Any]:
    """Those of `folder_options` that were given, also when 0 or '' was, which is refused later."""
    return {key: value for key, value in folder.items() if value is not None and value is not False}


def looks_like_path(name: str) -> bool:
    return "/" in name or "\\" in name or name.startswith(".") or Path(name).exists()


def parse_seeds(text: str) -> tuple[int, ...]:
    """'0', '0-2' or '0,3,5' as seeds, each once, in order."""
    try:
        ranges = [_range(part) for part in text.split(",")]
    except ValueError:
        ranges = []
    if any(part.stop > MOST_SEEDS for part in ranges):
        raise UsageError(f"--seeds got {text!r}; give seeds below {MOST_SEEDS:,}")
    seeds = dict.fromkeys(seed for part in ranges for seed in part)
    if not seeds:
        raise UsageError(f"--seeds got {text!r}; write 0, 0-2 or 0,3,5")
    return tuple(seeds)


def parse_val_limit(text: str) -> int | Literal["all"]:
    """'all' or a number of images from 1."""
    if text == "all":
        return "all"
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--val-limit got {text!r}; write a number of images, or all")
    return int(text)


def _range(text: str) -> range:
    """'3' or '0-2', both ends included. Raises ValueError for anything else."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def load_plugins(files: Sequence[Path]) -> None:
    """Make methods and data sets of installed packages and of `files` known."""
    from ..core import registry
    from ..datasets import datasets
    from ..methods import methods

    registry.load_plugins(files, (methods, datasets))


def progress_line(text: str) -> None:
    """What is being done, on one line that the next replaces; only where somebody watches."""
    if sys.stderr.isatty():
        room = shutil.get_terminal_size().columns - 3  # of a longer one the next would clear its last line only
        click.echo(f"\r\x1b[K{text[:room]}{' …' if text else ''}", nl=False, err=True)
