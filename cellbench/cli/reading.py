"""Reads a folder of results for a command: chooses the machine, and reports files that were passed over."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from ..core.records.results_folder import DEFAULT_FOLDER
from .options import USER_PATH

if TYPE_CHECKING:
    from ..results.results import Results

results_argument = click.argument("results", type=USER_PATH, default=DEFAULT_FOLDER)
machine_option = click.option(
    "--machine",
    metavar="NAME",
    help="Only records made on machine NAME, or all.  "
    "[default: this machine's, if it has any and no folder is named; otherwise all]",
)


def read_results(context: click.Context, folder: Path, machine: str | None) -> "Results":
    """The results of a folder, of one machine or of all; says on stderr what is passed over or not shown.

    Raises UsageError for a machine without records.
    """
    from ..core.machine.environment import machine_name
    from ..results.results import Results

    found = Results.load(folder)
    for path, reason in found.passed_over:
        click.echo(f"passed over {path}: {reason}", err=True)
    by_default = context.get_parameter_source("results") is ParameterSource.DEFAULT
    preferred = machine_name() if by_default else ""
    shown, others = found.of_machine(machine, preferred)
    if others:
        click.echo(others, err=True)
    return shown
