"""The options of `cellbench run` that choose an executor, and that executor."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from ...core.errors import UsageError

if TYPE_CHECKING:
    from ...running.executors import Executor


def executor_options(command: Callable) -> Callable:
    """Add to a command the options that say where runs are done."""
    scheduler = click.option(
        "--scheduler", metavar="ADDRESS", help="Of dask, such as tcp://10.0.0.1:8786 (default: workers here)."
    )
    executor = click.option(
        "--executor",
        type=click.Choice(["local", "dask"]),
        default="local",
        show_default=True,
        help="Where runs are done.",
    )
    return executor(scheduler(command))


@contextlib.contextmanager
def chosen_executor(name: str, scheduler: str | None, dry_run: bool) -> "Iterator[Executor | None]":
    """Yield the executor of --executor and --scheduler, or None for the usual one; a dry run starts none."""
    if scheduler and name != "dask":
        raise UsageError("--scheduler is for --executor dask; give both")
    if name == "local" or dry_run:
        yield None
        return
    from ...running.executors.dask import connected

    with connected(scheduler) as executor:
        yield executor
