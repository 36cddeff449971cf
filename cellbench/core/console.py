"""What is said beside the results: on stderr, so that what a command prints can be piped."""

import shutil
import sys


def note(text: str) -> None:
    """One line that stays."""
    print(text, file=sys.stderr, flush=True)


def progress_line(text: str) -> None:
    """What is being done, on one line that the next replaces; only where somebody watches."""
    if sys.stderr.isatty():
        room = shutil.get_terminal_size().columns - 3  # of a longer one the next would clear its last line only
        print(f"\r\x1b[K{text[:room]}{' …' if text else ''}", end="", file=sys.stderr, flush=True)
