"""`cellbench run`: trains and scores all combinations of methods, data sets and seeds that are not done yet."""

from typing import Any

import click
from click.core import ParameterSource

from ..options import (
    device_option,
    folder_options,
    limit_option,
    methods_option,
    plugin_option,
    quiet_option,
    records_option,
    split_option,
    this_machine_option,
)
from .executor import chosen_executor, executor_options
from .outcome import print_outcome


@click.command()
@click.option("--all", is_flag=True, help="Standard methods × standard data sets that are ready.")
@click.option("--quick", is_flag=True, help="A first answer within two minutes, on the embedded cells or those of -d.")
@click.option("--suite", "suites", multiple=True, metavar="NAME", help="A study's runs, see `cellbench list suites`.")
@methods_option
@click.option("-d", "--dataset", "datasets", multiple=True, metavar="NAME", help="Data set, glob or folder of images.")
@click.option("--exclude", multiple=True, metavar="NAME", help="Leave out a method or data set; name or glob.")
@click.option("--seeds", metavar="LIST", help="Random seeds: 0, 0-2 or 0,3,5.  [default: 0, or the suite's]")
@click.option("--set", multiple=True, metavar="KEY=VALUE", help="Change a setting; 'svm-*:C=10' for some methods.")
@click.option("--epochs", type=click.IntRange(min=1), help="Epochs for every net chosen.")
@limit_option("Train on N images only (stratified, nested).")
@click.option(
    "--val-limit", metavar="N|all", help="Choose on N val images.  [default: in proportion to --limit, or all]"
)
@split_option
@device_option
@click.option("--deterministic", is_flag=True, help="On CUDA: same seed, same result, at some cost in time.")
@records_option
@this_machine_option
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
@executor_options
@click.option("--dry-run", is_flag=True, help="Run nothing: list the runs, which are done, and an estimate.")
@plugin_option("with further methods")
@folder_options
@quiet_option("the last line")
@click.option("-v", "--verbose", is_flag=True, help="Print every epoch.")
@click.pass_context
def run(context: click.Context, **options: Any) -> None:
    """Train and score methods on data sets; skip finished runs.

    Each finished run is saved before the next starts; Ctrl-C and SIGTERM lose only the run at work. A second call does
    what is missing. Without -m: all standard methods. Without -d: the standard data sets that are ready.

    With --suite the runs are a study's, on its own data set; -m and --exclude choose among its entries, by id or
    method. With -d, or any setting of one's own, they are a variant of it.

    At the end: the best SVM, probe, net and floor on each data set, from all records of the folder.

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

    if context.get_parameter_source("split") is ParameterSource.DEFAULT:
        options["split"] = None  # a suite has one of its own
    folder = {name: options.pop(name) for name in FolderKeywords.__annotations__}
    with chosen_executor(options.pop("executor"), options.pop("scheduler"), options["dry_run"]) as executor:
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
    print_outcome(plan, tally)
    if any(tally[status] for status in FAILURES):
        context.exit(3)
