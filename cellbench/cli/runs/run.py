"""`cellbench run`: trains and scores all combinations of methods, data sets and seeds that are not done yet."""

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ...core.errors import UsageError
from ...core.records.results_folder import DEFAULT_FOLDER, folder_to_name, output_option
from ..options import USER_PATH, folder_options, plugin_option, split_option, terminal_width

if TYPE_CHECKING:
    from ...running.executors import Executor
    from ...running.run import RunPlan


@click.command()
@click.option("--all", is_flag=True, help="Standard methods × standard data sets that are ready.")
@click.option("--quick", is_flag=True, help="A first answer within two minutes, on the embedded cells or those of -d.")
@click.option("--suite", "suites", multiple=True, metavar="NAME", help="A study's runs, see `cellbench list suites`.")
@click.option("-m", "--method", "methods", multiple=True, metavar="NAME", help="Method or glob; repeatable.")
@click.option("-d", "--dataset", "datasets", multiple=True, metavar="NAME", help="Data set, glob or folder of images.")
@click.option("--exclude", multiple=True, metavar="NAME", help="Leave out a method or data set; name or glob.")
@click.option("--seeds", metavar="LIST", help="Random seeds: 0, 0-2 or 0,3,5.  [default: 0, or the suite's]")
@click.option("--set", multiple=True, metavar="KEY=VALUE", help="Change a setting; 'svm-*:C=10' for some methods.")
@click.option("--epochs", type=click.IntRange(min=1), help="Epochs for every net chosen.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Train on N images only (stratified, nested).")
@click.option(
    "--val-limit",
    metavar="N|all",
    help="Choose on N val images, or on all of them.  [default: with --limit in proportion, else all]",
)
@split_option
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--deterministic", is_flag=True, help="On CUDA: same seed, same result, at some cost in time.")
@click.option("-o", "--output", type=USER_PATH, default=DEFAULT_FOLDER, show_default=True, help="Folder of records.")
@click.option(
    "--machine", metavar="NAME", help="Name of this machine in the records (default: made from its hardware)."
)
@click.option("--timeout", type=float, metavar="SECONDS", help="End a run that takes longer.")
@click.option("--max-memory", metavar="SIZE", help="End a run that asks for more memory, such as 8GB.")
@click.option("--force", is_flag=True, help="Run again what is already done.")
@click.option("--retry-failed", is_flag=True, help="Run again what failed before.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.option(
    "--save-models",
    is_flag=True,
    help="Keep each trained model, for `cellbench predict`; a run that is done and has none is run again.",
)
@click.option("--shard", metavar="I/N", help="Only part I of N of the runs, for job arrays; see docs/cluster.md.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Runs at a time: each on its share of the processors, its times marked as shared, or each on a GPU.",
)
@click.option(
    "--wait/--no-wait",
    default=True,
    help="Wait for runs that another process has under way, or say which process has them.  [default: wait]",
)
@click.option(
    "--executor", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="Where runs are done."
)
@click.option("--scheduler", metavar="ADDRESS", help="Of dask, such as tcp://10.0.0.1:8786 (default: workers here).")
@click.option("--dry-run", is_flag=True, help="Run nothing: list the runs, which are done, and an estimate.")
@plugin_option("with further methods")
@folder_options
@click.option("-q", "--quiet", is_flag=True, help="Print the last line only.")
@click.option("-v", "--verbose", is_flag=True, help="Print every epoch.")
@click.pass_context
def run(context: click.Context, **options: Any) -> None:
    """Train and score methods on data sets, as far as it isn't done.

    Each finished run is saved before the next starts; Ctrl-C and SIGTERM lose only the run at work. A second call does
    what is missing. Without -m: all standard methods. Without -d: the standard data sets that are ready.

    With --suite the runs are a study's, on its own data set; -m and --exclude choose among its entries, by id or
    method. With -d, or any setting of one's own, they are a variant of it.

    Last it says what came of it: the best SVM, probe, net and floor on each data set, from all records of the folder.

    \b
    Examples:
      cellbench run --quick
      cellbench run --quick -d my_cells/
      cellbench run --all
      cellbench run -d hep2 -m svm-hog -m resnet18
      cellbench run -d my_cells/ -m 'svm-*' -m resnet18 --seeds 0-2
      cellbench run -d hep2 -m svm-hog --split id-block
      cellbench run -m 'resnet*' --set lr=0.05 --epochs 10 --limit 500 --dry-run
      cellbench run -d hep2 -m cnn --limit 100 --val-limit all
      cellbench run --suite yeast
      cellbench run --suite yeast --executor dask --scheduler tcp://10.0.0.1:8786
      cellbench run --suite yeast --shard 3/8 --machine cluster
      cellbench run -d my_cells/ -m 'svm-*' --seeds 0-9 --jobs 4
      cellbench run --suite hep2-alexnet -d synthetic-yeast -m 'augment-*'
    """
    from ...datasets.opening import FolderKeywords
    from ...running.dry_run import overview
    from ...running.planning.options import RunOptions
    from ...running.run import FAILURES, plan_runs, run_plan
    from ...running.run_jobs import summary

    if context.get_parameter_source("split") is ParameterSource.DEFAULT:
        options["split"] = None  # a suite has one of its own
    folder = {name: options.pop(name) for name in FolderKeywords.__annotations__}
    output = folder_to_name(options["output"])
    with _executor(options.pop("executor"), options.pop("scheduler"), options["dry_run"]) as executor:
        plan = plan_runs(RunOptions(**options, folder=folder), executor)
        if options["dry_run"]:
            click.echo(overview(plan))
            return
        try:
            tally = run_plan(plan)
        except (KeyboardInterrupt, SystemExit) as stop:  # Ctrl-C; SIGTERM
            again = f"Go on with the same command, or: cellbench table {options['output']}"
            click.echo(f"stopped; finished runs are saved. {again}", err=True)
            context.exit(int(stop.code or 0) if isinstance(stop, SystemExit) else 130)
    click.echo(f"{summary(tally, len(plan.jobs))}. Next: {_table_command(plan, output)}")
    if plan.jobs and not options["quiet"]:  # a shard may be empty
        from ...api import results_of
        from ...reporting.answers import answers
        from ...reporting.findings.show import WIDTH
        from ...reporting.paragraphs import wrapped

        for text in answers(results_of(plan)):
            click.echo("\n" + "\n".join(wrapped(text, terminal_width() or WIDTH, output_option(output))))
    if any(tally[status] for status in FAILURES):
        click.echo("The table says why runs failed; try them again with --retry-failed.", err=True)
        context.exit(3)


@contextlib.contextmanager
def _executor(name: str, scheduler: str | None, dry_run: bool) -> "Iterator[Executor | None]":
    """Yield the executor that the options choose, or None for the usual one; a dry run starts none."""
    if scheduler and name != "dask":
        raise UsageError("--scheduler is for --executor dask; give both")
    if name == "local" or dry_run:
        yield None
        return
    from ...running.executors.dask import connected

    with connected(scheduler) as executor:
        yield executor


def _table_command(plan: "RunPlan", output: Path | None) -> str:
    """Return the command that shows these runs, with `--runs all` if tables would leave out any of them."""
    specs = [job.spec for job in plan.jobs]
    special = any(job.overrides for job in plan.jobs) or any(s.limit or s.val_limit for s in specs)
    suites = "".join(f" --suite {name}" for name in plan.suites) or (" --runs all" if special else "")
    return f"cellbench table{f' {shlex.quote(str(output))}' if output else ''}{suites}"
