"""A bar for work on many images: on a terminal; elsewhere lines now and then."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import click

from ..core.text.words import duration

SAID_EVERY = 30.0  # seconds between lines on progress, if there is no terminal for a bar


@contextlib.contextmanager
def progress_of(total: int, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the number of images done, of `total`; it shows how long the others will take.

    quiet: whether nothing is shown.
    """
    if quiet:
        yield lambda done: None
        return
    if not sys.stderr.isatty():
        yield _lines(total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda done: progress.update(task, completed=done)


def _lines(total: int) -> Callable[[int], None]:
    start = shown = time.monotonic()

    def tell(done: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown >= SAID_EVERY and done < total:
            shown = now
            left = duration((now - start) / done * (total - done))
            click.echo(f"{done:,} of {total:,} images, about {left} left", err=True)

    return tell
