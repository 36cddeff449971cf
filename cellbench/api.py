"""`cellbench.run`, `tune` and `stress`: what the command line does, for a notebook or a program."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from .core.mixed_values import SettingValues
from .datasets.opening import FolderKeywords
from .running.executors import Executor
from .running.planning.options import RunOptions
from .running.run import RunPlan, plan_runs, run_plan

if TYPE_CHECKING:
    from .core.records.stress import StressRecord
    from .results.results import Results

Names = str | Path | Iterable[str | Path]


def run(
    datasets: Names = (),
    methods: Names = (),
    *,
    all: bool = False,
    quick: bool = False,
    suites: Names = (),
    exclude: Names = (),
    seeds: str | int | Iterable[int] | None = None,
    set: SettingValues | Sequence[str] = (),
    epochs: int | None = None,
    limit: int | None = None,
    val_limit: int | str | None = None,
    split: str | None = None,
    device: str = "auto",
    deterministic: bool = False,
    output: str | Path = "results",
    machine: str | None = None,
    timeout: float | None = None,
    max_memory: str | int | None = None,
    force: bool = False,
    retry_failed: bool = False,
    fail_fast: bool = False,
    save_models: bool = False,
    shard: str | None = None,
    jobs: int = 1,
    wait: bool = True,
    plugins: Names = (),
    quiet: bool = False,
    verbose: bool = False,
    executor: Executor | None = None,
    **folder: Unpack[FolderKeywords],
) -> "Results":
    """Train and score methods on data sets, except for runs that are done already.

    This is `cellbench run` with its options as keywords. It returns this machine's results on the same data from the
    folder `output`, including those of earlier runs; see `results_of`.

    set: settings, {"C": 10} or {"svm-*:C": 10}. shard: "3/8" for the third of eight parts of the runs. jobs: how many
    are done at a time on this machine. executor: where the runs are done, see cellbench.running.executors; on this
    machine if None. folder: how to read your own images, such as labels="labels.csv".
    """
    options = RunOptions(
        datasets=_texts(datasets),
        methods=_texts(methods),
        all=all,
        quick=quick,
        suites=_texts(suites),
        exclude=_texts(exclude),
        seeds=seeds,
        set=set,
        epochs=epochs,
        limit=limit,
        val_limit=val_limit,
        split=split,
        device=device,
        deterministic=deterministic,
        output=Path(output),
        machine=machine,
        timeout=timeout,
        max_memory=max_memory,
        force=force,
        retry_failed=retry_failed,
        fail_fast=fail_fast,
        save_models=save_models,
        shard=shard,
        jobs=jobs,
        wait=wait,
        plugins=[Path(file) for file in _texts(plugins)],
        quiet=quiet,
        verbose=verbose,
        folder=folder,
    )
    plan = plan_runs(options, executor)
    run_plan(plan)
    return results_of(plan)


def tune(
    dataset: str | Path | None = None,
    methods: Names = (),
    *,
    suite: str | None = None,
    trials: int | None = None,
    budget: str | float | None = None,
    part: float | None = None,
    best: int | None = None,
    seed: int = 0,
    limit: int | None = None,
    split: str | None = None,
    device: str = "auto",
    output: str | Path = "results",
    machine: str | None = None,
    plugins: Names = (),
    quiet: bool = False,
    **folder: Unpack[FolderKeywords],
) -> Path:
    """Find the settings of methods that are best on val, with the same budget for each, and return a suite of them.

    This is `cellbench tune` with its options as keywords; `cellbench.run(suites=...)` takes the file that is returned.
    budget: seconds, or a text such as '30m', for each method in place of a number of trials. suite: one that says what
    is searched, in place of methods.
    """
    from .core.text.console import note
    from .running.tuning.tune import asked_for, tune_all

    files = [Path(file) for file in _texts(plugins)]
    suites = [suite] if suite else []
    options = RunOptions(
        datasets=[str(dataset)] if dataset else [],
        methods=_texts(methods),
        suites=suites,
        limit=limit,
        val_limit=None if limit is None else "all",
        split=split,
        device=device,
        output=Path(output),
        machine=machine,
        plugins=files,
        quiet=quiet,
        folder=folder,
    )
    asked = asked_for(suites, trials=trials, time=budget, part=part, best=best, seed=seed, plugins=files)
    return tune_all(options, asked, (lambda line: None) if quiet else note).suite


def stress(
    models: str | Path | Iterable[str | Path] = "results",
    *,
    perturbations: Names = (),
    limit: int | None = None,
    seed: int = 0,
    device: str = "auto",
    force: bool = False,
    plugins: Names = (),
) -> "dict[Path, StressRecord]":
    """Test saved models on test images as another microscope might have taken them, and return what was found of each.

    This is `cellbench stress` with its options as keywords. models: files of models, or folders that have any; those
    whose data set is not prepared here are passed over, with a line, unless none is left.
    """
    from .core.text.console import note
    from .running.executors.questions import choose_device
    from .running.plugins import load_plugins
    from .running.stress import testing
    from .running.stress.perturbations import choose

    load_plugins([Path(file) for file in _texts(plugins)])
    plan = testing.Plan(choose(tuple(_texts(perturbations))), seed, limit, choose_device(device), force)
    files = testing.find_models([Path(file) for file in _texts(models)])
    return {file: testing.stress(file, plan) for file in testing.costs_of(files, plan, note)}


def results_of(plan: RunPlan) -> "Results":
    """Return this machine's results, from the folder of the plan, on the data of the plan.

    If the plan changes no setting, only the runs with default settings on all of the data are returned, if any. A plan
    without runs, as that of an empty shard, has no results.
    """
    from .results.results import Results
    from .results.rows.row import DATA, as_rows

    if not plan.jobs:
        return Results.empty(plan.store.root)
    found = Results.load(plan.store.root)
    folder = plan.store.path(plan.jobs[0].spec).parents[2].name
    data = {tuple(job.spec.form.get(name) for name in DATA) for job in plan.jobs}
    rows = as_rows(found.frame[["path", *DATA]])
    ours = [row["path"].split("/")[0] == folder for row in rows]
    found = found.only(
        [mine and tuple(row[name] for name in DATA) in data for mine, row in zip(ours, rows, strict=True)]
    )
    if any(job.overrides for job in plan.jobs) or not found.frame["default"].any():
        return found
    return found.only(found.frame["default"])


def _texts(names: Names) -> list[str]:
    """Return one name, or several, as a list of texts."""
    return [str(name) for name in ([names] if isinstance(names, str | Path) else names)]
