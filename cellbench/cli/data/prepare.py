"""`cellbench prepare`: downloads and decodes data sets into the cache, before any run; lists and clears the cache."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from ...core.errors import UsageError
from ...core.text.words import file_size
from ..options import USER_PATH, folder_options, plugin_option

if TYPE_CHECKING:
    from rich.progress import TaskID

    from ...datasets.opening import FolderKeywords

SECONDS_A_LINE = 10  # at least, between two lines on the progress of a download


@click.command()
@click.argument("dataset", required=False)
@click.option("--from", "source", type=USER_PATH, help="Folder, .tar, .tar.gz or .zip of the original files.")
@click.option("--again", is_flag=True, help="Prepare anew even if it is ready.")
@click.option("--list", "show", is_flag=True, help="Show what is prepared and downloaded, its size and place.")
@click.option("--clear", "cleared", metavar="NAME", help="Remove a data set, its downloads too, from the disk.")
@plugin_option("with further data sets")
@folder_options
def prepare(
    dataset: str | None,
    source: Path | None,
    again: bool,
    show: bool,
    cleared: str | None,
    plugins: tuple[Path, ...],
    **folder: "Unpack[FolderKeywords]",
) -> None:
    """Get and decode DATASET, so that runs start at once.

    DATASET is a name, or a folder of images; `run` uses what lies decoded in the cache. Data sets whose licence allows
    it are downloaded; for the others it says how to get them.

    \b
    Examples:
      cellbench prepare hep2 --from hep2_i3a.tar
      cellbench prepare synthetic-yeast-full
      cellbench prepare my_cells/ --labels labels.csv --group-column well
      cellbench prepare --list
      cellbench prepare --clear hep2
    """
    if sum((bool(dataset), show, cleared is not None)) != 1:
        raise UsageError(
            "prepare wants one of: a data set (`cellbench list datasets` names them), --list, --clear NAME"
        )
    from ...running.plugins import load_plugins

    load_plugins(plugins)
    if show:
        _list()
    elif cleared is not None:
        _clear(cleared)
    elif dataset:
        _prepare(dataset, source, again, folder)


def _prepare(dataset: str, source: Path | None, again: bool, folder: "FolderKeywords") -> None:
    from ...datasets import datasets, opening
    from ...datasets.files import cache
    from ...datasets.remarks import about_test

    start = time.perf_counter()
    given = opening.given_options(folder)
    if dataset in datasets and not given:
        entry = datasets[dataset]
        ready = cache.is_ready(entry.key) and not again
        if entry.files and not (ready or source or entry.found_source()):
            with download_watcher() as progress:
                source = entry.download(progress)
        path = entry.prepare(source, again=again)
        if ready and source:
            click.echo(
                f"{dataset} was prepared before and stays as it is: {source} is not read. "
                f"To prepare it anew from there: cellbench prepare {dataset} --from {source} --again",
                err=True,
            )
    elif source and dataset not in datasets:
        raise UsageError(f"--from is for data sets by name; for a folder of images leave it out, got {dataset!r}")
    else:
        path = opening.prepare(dataset, folder)
    data = cache.read(path)
    click.echo(data)
    for note in (*data.info.notes, *about_test(data)):
        click.echo(f"note: {note}")
    same = " with the same options" if given else ""
    click.echo(f"ready after {time.perf_counter() - start:.1f} s in {path}. Next: cellbench run -d {dataset}{same}")


def _list() -> None:
    from tabulate import tabulate

    from ...core.machine.environment import cache_folder
    from ...datasets.cached import list_cached

    lines = list_cached()
    rows = [
        [line.name, line.state, file_size(line.bytes) if line.path else "", line.path and _inside(line.path)]
        for line in lines
    ]
    click.echo(tabulate(rows, ["name", "state", "size", "where"], colalign=("left", "left", "right", "left")))
    click.echo(
        f"\n{file_size(sum(line.bytes for line in lines))} in {cache_folder()}. "
        "To remove one: cellbench prepare --clear NAME"
    )


def _inside(path: Path) -> str:
    """A path as seen from the cache folder, which a line below the table names."""
    from ...core.machine.environment import cache_folder

    return str(path.relative_to(cache_folder()))


def _clear(name: str) -> None:
    from ...datasets.cached import remove_cached

    freed = remove_cached(name)
    click.echo(f"{name}: {file_size(freed)} freed" if freed else f"{name}: nothing of it was on the disk")


@contextlib.contextmanager
def download_watcher() -> Iterator[Callable[[str, int, int | None], None]]:
    """Yield a function that shows the progress of downloads on stderr: a bar for each file on a terminal, else lines.

    It is called with the name of the file, the bytes done and those in all, None if unknown.
    """
    if not sys.stderr.isatty():
        yield _plain_lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield show


def _plain_lines() -> Callable[[str, int, int | None], None]:
    """Return a function that prints a line when a download starts, every SECONDS_A_LINE, and when it is complete."""
    last: dict[str, float] = {}

    def say(name: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if name in last and done != total and now - last[name] < SECONDS_A_LINE:
            return
        last[name] = now
        of = f" of {file_size(total)}" if total else ""
        click.echo(f"downloading {name}: {file_size(done)}{of}", err=True)

    return say
