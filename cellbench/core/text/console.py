"""Messages beside the results: they go to stderr, so that what a command prints can be piped."""

import errno
import io
import os
import shutil
import sys

from .shown_text import visible


def make_streams_usable() -> None:
    """Let stdout and stderr take every letter, and stand for them where they were closed before the program began."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, io.StringIO())  # nobody reads it
        elif isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")  # an encoding may lack a letter


def flush_output() -> str:
    """Write what is left for stdout. Return why that cannot be done, such as a full disk, or an empty text."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python would try it once more, and say so at length
        return "" if error.errno == errno.EPIPE else error.strerror or str(error)
    return ""


def note(text: str) -> None:
    """Print a line on stderr that stays."""
    print(visible(text, lines=True), file=sys.stderr, flush=True)


def progress_line(text: str) -> None:
    """Print on stderr what is being done, on a line that the next call replaces; on a terminal only."""
    if sys.stderr.isatty():
        room = shutil.get_terminal_size().columns - 3  # of a longer one the next would clear its last line only
        print(f"\r\x1b[K{visible(text)[:room]}{' …' if text else ''}", end="", file=sys.stderr, flush=True)
