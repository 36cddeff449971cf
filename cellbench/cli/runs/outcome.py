"""What `cellbench run` prints when its runs are done: how many there were, what to do next, and what they show."""

import shlex
from collections import Counter
from typing import TYPE_CHECKING

import click

from ...core.records.results_folder import folder_to_name, output_option
from ..options import terminal_width

if TYPE_CHECKING:
    from ...running.run import RunPlan


def print_outcome(plan: "RunPlan", tally: Counter[str]) -> None:
    """Print how many runs ended how, what shows them and, unless --quiet, the answers. tally: runs by their status."""
    from ...running.run import FAILURES
    from ...running.run_jobs import summary

    click.echo(f"{summary(tally, len(plan.jobs))}. Next: {_table_command(plan)}")
    if plan.jobs and not plan.options.quiet:  # a shard may be empty
        _print_answers(plan)
    if any(tally[status] for status in FAILURES):
        click.echo("The table says why runs failed; try them again with --retry-failed.", err=True)


def _print_answers(plan: "RunPlan") -> None:
    """Print what the runs show: the best method of each family on each data set."""
    from ...api import results_of
    from ...reporting.answers import answers
    from ...reporting.findings.show import WIDTH
    from ...reporting.paragraphs import wrapped

    option = output_option(folder_to_name(plan.options.output))
    for text in answers(results_of(plan)):
        click.echo("\n" + "\n".join(wrapped(text, terminal_width() or WIDTH, option)))


def _table_command(plan: "RunPlan") -> str:
    """Return the command that shows these runs, with `--runs all` if tables would leave out any of them."""
    specs = [job.spec for job in plan.jobs]
    special = any(job.overrides for job in plan.jobs) or any(s.limit or s.val_limit for s in specs)
    suites = "".join(f" --suite {name}" for name in plan.suites) or (" --runs all" if special else "")
    folder = folder_to_name(plan.options.output)
    return f"cellbench table{f' {shlex.quote(str(folder))}' if folder else ''}{suites}"
