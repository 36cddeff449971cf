"""The folder of records that commands take where none is named, and how a command in a text names another."""

import shlex
from pathlib import Path

DEFAULT_FOLDER = Path("results")


def folder_to_name(folder: Path) -> Path | None:
    """Return the folder that commands have to name, or None if it is the default one."""
    return None if folder == DEFAULT_FOLDER else folder


def output_option(folder: Path | None) -> str:
    """Return ' -o FOLDER', quoted for a shell, to add to a command that runs; '' for no folder to name."""
    return f" -o {shlex.quote(str(folder))}" if folder else ""
