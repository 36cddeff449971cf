"""Messages beside the results: they go to stderr, so that what a command prints can be piped."""

import shutil
import sys

from .shown_text import visible


def note(text: str) -> None:
    """Print a line on stderr that stays."""
    print(visible(text, lines=True), file=sys.stderr, flush=True)


def progress_line(text: str) -> None:
    """Print on stderr what is being done, on a line that the next call replaces; on a terminal only."""
    if sys.stderr.isatty():
        room = shutil.get_terminal_size().columns - 3  # of a longer one the next would clear its last line only
        print(f"\r\x1b[K{visible(text)[:room]}{' …' if text else ''}", end="", file=sys.stderr, flush=True)
