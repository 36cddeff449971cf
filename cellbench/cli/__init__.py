"""The command line. Heavy modules are imported inside the commands only, so that --help is instant.

data/: prepare, inspect · runs/: run, tune, predict, export-model, stress · results/: table, findings, compare, plot,
report, heatmaps, export · tools/: list, check, new, doctor, bench. options: those that several commands share; reading:
folders of results; wrapping: text to the width of the terminal; progress: a bar for work on many images. Here: the
group of all commands, and how errors become one line and an exit code.
"""

import errno
import os
import signal
import sys
from typing import NoReturn

import click

from .. import __version__
from ..core.errors import CellbenchError, did_you_mean
from ..core.text.console import flush_output, make_streams_usable
from ..core.text.shown_text import visible
from .data.inspect import inspect
from .data.prepare import prepare
from .results.compare import compare
from .results.export import export
from .results.findings import findings
from .results.heatmaps import heatmaps
from .results.plot import plot
from .results.report import report
from .results.table import table
from .runs.export_model import export_model
from .runs.predict import predict
from .runs.run import run
from .runs.stress import stress
from .runs.tune import tune
from .tools.bench import bench
from .tools.check import check
from .tools.doctor import doctor
from .tools.listing import list_
from .tools.new import new

# The commands, by what a person wants.
SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Get cells and look at them": (prepare, inspect),
    "Train, and label new images": (run, tune, predict, export_model, stress),
    "See what came of it": (table, findings, compare, plot, report, heatmaps, export),
    "Look things up, add your own": (list_, check, new, doctor, bench),
}


class Group(click.Group):
    """A group that lists its commands in SECTIONS, and suggests one after a misspelt one."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        wide = max(map(len, self.commands))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(str(one.name).ljust(wide), one.get_short_help_str(100)) for one in commands])

    def resolve_command(self, context: click.Context, args: list[str]):  # type: ignore[no-untyped-def]
        name = args[0] if args else ""
        if name and self.get_command(context, name) is None and not name.startswith("-"):
            context.fail(f"no command is called {name!r}; {did_you_mean(name, self.list_commands(context))}")
        return super().resolve_command(context, args)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="cellbench")
@click.option("--debug", is_flag=True, help="Show a traceback when something goes wrong.")
def cli(debug: bool) -> None:
    """Is a deep net worth it on my cells, or does an SVM do?

    It trains support vector machines and nets on the same cells, splits and machine, and shows how accurate each
    is and how long it took to train.

    \b
    Examples:
      cellbench run --quick               a first answer on simulated cells
      cellbench run --quick -d my_cells/  the same on a folder of images, by class
      cellbench run --all                 every standard method
      cellbench table                     what came of it
      cellbench report -o report.html     all of it as one page
    """
    if debug:
        os.environ["CELLBENCH_DEBUG"] = "1"  # child processes read it too


def _terminated(number: int, frame: object) -> None:
    """Raise SystemExit on SIGTERM, sent by a batch system or `timeout`, so that clean-up runs as after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second SIGTERM ends the process at once
    raise SystemExit(128 + number)


for section in SECTIONS.values():
    for command in section:
        cli.add_command(command)


def _one_line(error: click.ClickException) -> str:
    """Return the message of a usage error in the form of our other errors; a page of help is returned unchanged."""
    text, context = error.format_message(), getattr(error, "ctx", None)
    if "\n" in text or not text:
        return text
    path = context.command_path if context else "cellbench"
    return f"{path}: {text[0].lower()}{text[1:].rstrip('.')} (see {path} --help)"


def main() -> None:
    """Run the console script; errors are printed in one line and become an exit code, unless --debug is on."""
    signal.signal(signal.SIGTERM, _terminated)
    make_streams_usable()
    try:
        code = cli.main(prog_name="cellbench", standalone_mode=False)
    except CellbenchError as error:
        if os.environ.get("CELLBENCH_DEBUG"):
            raise
        click.echo(f"cellbench: {visible(str(error))}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(visible(_one_line(error), lines=True), err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("cellbench: stopped", err=True)
        sys.exit(130)
    except OSError as error:
        if (why := flush_output()) or error.errno == errno.ENOSPC:
            _refuse_output(why or os.strerror(errno.ENOSPC))
        _internal(error)
    except Exception as error:
        _internal(error)
    if why := flush_output():
        _refuse_output(why)
    sys.exit(code if isinstance(code, int) else 0)


def _refuse_output(why: str) -> NoReturn:
    click.echo(f"cellbench: cannot write the output: {why}", err=True)
    sys.exit(2)


def _internal(error: Exception) -> NoReturn:
    if os.environ.get("CELLBENCH_DEBUG"):
        raise error
    text = f"cellbench: internal error: {type(error).__name__}: {visible(str(error))}; --debug shows where"
    click.echo(text, err=True)
    sys.exit(1)
