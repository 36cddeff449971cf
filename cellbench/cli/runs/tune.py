"""`cellbench tune`: the settings of methods that are best on val, with an equal budget for each."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from ...core.text.console import note
from ...core.text.words import counted, duration
from ..options import (
    as_given,
    device_option,
    folder_options,
    limit_option,
    methods_option,
    plugin_option,
    quiet_option,
    records_option,
    this_machine_option,
)

if TYPE_CHECKING:
    from ...datasets.opening import FolderKeywords


@click.command()
@click.option("-d", "--dataset", metavar="NAME", help="Data set, or folder of images.")
@methods_option
@click.option("--suite", metavar="NAME", help="Search what a suite says, with its settings, on its data set or -d.")
@click.option("--trials", type=int, metavar="N", help="Trials for each method.  [default: 30]")
@click.option("--budget", metavar="TIME", help="Or a time for each method, such as 30m: that of its trials together.")
@click.option(
    "--part",
    type=float,
    metavar="SHARE",
    help="Try settings on this share of the training images, then the best few on all.  [default: 1, or the suite's]",
)
@click.option(
    "--best",
    type=click.IntRange(min=1),
    help="How many settings to try on all of the images.  [default: 3, or the suite's]",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed of search and training."
)
@limit_option("Train on N images at most.")
@click.option("--split", metavar="NAME", help="As in `cellbench run`.  [default: official]")
@device_option
@records_option
@this_machine_option
@plugin_option("with further methods")
@folder_options
@quiet_option("the results")
@click.pass_context
def tune(
    context: click.Context,
    dataset: str | None,
    methods: tuple[str, ...],
    suite: str | None,
    trials: int | None,
    budget: str | None,
    part: float | None,
    best: int | None,
    seed: int,
    limit: int | None,
    split: str | None,
    device: str,
    output: Path,
    machine: str | None,
    plugins: tuple[Path, ...],
    quiet: bool,
    **folder: "Unpack[FolderKeywords]",
) -> None:
    """Find the settings of methods that are best on val.

    Every method has the same budget, and begins with its default settings. Test images are not read. Which settings are
    tried stands beside each: `cellbench list methods NAME`. A net that does worse than the median of earlier trials
    at the same epoch is ended early.

    Trials are kept in results/<machine>/<dataset>/tuning.sqlite3. The same call goes on there, and several at once
    share the work. What came of it is a suite, tuned.toml beside it: default and best settings of each method, and what
    tuning cost, which tables show.

    \b
    Examples:
      cellbench tune -d hep2 -m svm-combined -m fastnet --budget 30m
      cellbench tune -d my_cells/ -m svm-hog --trials 20
      cellbench tune -d hep2 -m resnet18 --budget 2h --part 0.25
      cellbench tune --suite hep2-alexnet
    """
    from ...core.scoring.metrics import NAMED
    from ...running.planning.options import RunOptions
    from ...running.tuning.tune import asked_for, tune_all

    suites = [suite] if suite else []
    asked = asked_for(suites, trials=trials, time=budget, part=part, best=best, seed=seed, plugins=plugins)
    options = RunOptions(
        datasets=[dataset] if dataset else [],
        methods=methods,
        suites=suites,
        limit=limit,
        val_limit=None if limit is None else "all",
        split=split,
        device=device,
        output=output,
        machine=machine,
        plugins=plugins,
        quiet=quiet,
        folder=folder,
    )
    outcome = tune_all(options, asked, (lambda line: None) if quiet else note)
    for one in outcome.tuned:
        before = "failed" if one.default is None else f"{one.default:.4f}"
        settings = " ".join(f"{name}={value}" for name, value in one.settings.items()) or "the defaults"
        cost = f"{counted(one.trials, 'trial')}, {duration(one.seconds)}"
        figure = NAMED[one.figure].title
        click.echo(f"{one.job.spec.method}: val {figure} {one.value:.4f}, default {before} ({cost}): {settings}")
    limited = [] if limit is None else ["--limit", str(limit), "--val-limit", "all"]
    kept = as_given(context, ("device", "output", "machine", "plugins", *folder))
    images = ["-d", dataset] if dataset else []
    words = ["--suite", str(outcome.suite), *images, "--seeds", "0-2", *limited, *kept]
    click.echo(f"Next: cellbench run {shlex.join(words)}")
    if outcome.failed:
        click.echo(f"not tuned: {', '.join(outcome.failed)}; the lines above say why", err=True)
        context.exit(3)
