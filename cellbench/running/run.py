"""`cellbench run` from its options to its records: make the plan, and run the jobs that are not done."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..core.errors import BackendError, UsageError
from ..core.machine import environment
from ..core.records.store import Store
from ..core.split_names import OFFICIAL
from ..core.text.console import note, progress_line
from ..core.text.words import counted
from ..datasets import opening
from ..datasets.files import cache
from .executors import Executor, LocalExecutor
from .executors.places import places_for
from .executors.questions import choose_device, describe_torch, missing_backend
from .job import Job
from .older_groups import complete_groups
from .planning.options import RunOptions, parse_size
from .planning.outline import OutlinedRun, set_aside
from .planning.plan import make_plan
from .planning.quick import choose_quick
from .planning.selection import Selection, select, setting_texts
from .planning.shards import parse_shard
from .planning.suites import plan_suites, variants
from .policy import Policy, state
from .progress import notes
from .progress.display import make_watcher
from .run_jobs import run_jobs

FAILURES = ("failed", "timeout", "failed before")


@dataclass(frozen=True)
class RunPlan:
    """The runs that were asked for, the store for their records, and how to treat runs that are on record."""

    jobs: Sequence[Job]
    store: Store
    policy: Policy
    options: RunOptions
    executor: Executor
    suites: Sequence[str] = ()  # names of those that the jobs come from
    waiting: Sequence[OutlinedRun] = ()  # of a dry run: what would run on data sets whose files are not here


def plan_runs(options: RunOptions, executor: Executor | None = None) -> RunPlan:
    """Return the plan of the runs that the options ask for; prepares data sets that are not ready.

    With `dry_run`, runs on data sets whose files are not here are outlined.
    executor: where the runs are to be done; on this machine if None. Raises UsageError, DataError or BackendError if
    methods, data, devices or settings that were asked for do not exist or cannot be used.
    """
    if options.quick:
        options = choose_quick(options)
    shard = parse_shard(options.shard) if options.shard else None
    selection = select(options)
    if executor is None:
        executor = LocalExecutor(start=not options.dry_run)
    elif options.jobs != 1:
        raise UsageError("--jobs is for runs on this machine; a cluster does as many at a time as its workers can")
    device = choose_device(options.device, executor.ask)
    if options.jobs != 1:
        cards = executor.ask(describe_torch)["cards"] if device == "cuda" else 0
        executor = LocalExecutor(start=False, places=places_for(options.jobs, device, cards))
    waiting: list[OutlinedRun] = []
    studies = selection.studies
    if options.dry_run:
        selection, waiting = set_aside(selection, split=options.split, limit=options.limit, device=device)
    jobs = _jobs(options, selection, device)
    if not options.quiet:
        for line in variants(studies, jobs, _changes(options)):
            note(line)
    if shard:
        jobs = shard.of(jobs)
    policy = Policy(
        force=options.force,
        retry_failed=options.retry_failed,
        fail_fast=options.fail_fast,
        timeout=options.timeout,
        save_models=options.save_models,
        wait=options.wait,
        max_memory=None if options.max_memory is None else parse_size(options.max_memory),
    )
    store = Store(options.output, options.machine or environment.machine_name())
    return RunPlan(jobs, store, policy, options, executor, [suite.argument for suite in selection.suites], waiting)


def run_plan(plan: RunPlan) -> Counter[str]:
    """Run the jobs of the plan that are not done yet, and return the number of jobs by status; see `run_jobs`.

    Raises BackendError for settings that ask for a library that isn't there, and UsageError where nothing can be
    written, before any run. Ctrl-C and SIGTERM end the run at work and pass through.
    """
    options, store = plan.options, plan.store
    _check_backends(plan)
    store.check()
    if not options.quiet:
        for line in (*notes.about_models(plan.jobs, store, plan.policy), *notes.about_images(plan.jobs)):
            note(line)
    if (completed := complete_groups(plan.jobs, store)) and not options.quiet:
        note(f"groups were added to the predictions of {counted(completed, 'older run')}")
    folders = {job.data for job in plan.jobs}
    with cache.in_use(folders), make_watcher(len(plan.jobs), quiet=options.quiet, verbose=options.verbose) as watcher:
        say = (lambda line: None) if options.quiet else note
        tally = run_jobs(plan.jobs, store, plan.policy, plan.executor, watcher, options.plugins, say)
    if not options.quiet:
        for line in notes.about_licences(plan.jobs, store):
            note(line)
    return tally


def _jobs(options: RunOptions, selection: Selection, device: str) -> list[Job]:
    common: dict[str, Any] = {
        "overrides": selection.overrides,
        "limit": options.limit,
        "val_limit": selection.val_limit,
        "device": device,
        "deterministic": options.deterministic,
    }
    sizes = [each.value for each in selection.overrides if each.key == "size" and isinstance(each.value, int)]
    prepared = partial(_prepared, options, bool(selection.paths), sizes)
    if not selection.studies:
        folders = [prepared(name) for name in selection.datasets]
        return make_plan(
            selection.methods, folders, seeds=selection.seeds or (0,), split=options.split or OFFICIAL, **common
        )
    return plan_suites(
        selection.studies, selection.datasets, prepared, seeds=selection.seeds, split=options.split, **common
    )


def _prepared(options: RunOptions, any_folder: bool, sizes: Sequence[int], name: str) -> Path:
    """Prepare the data set `name` if it is not ready, and return its folder.

    any_folder: whether any data set of the run is a folder of images, which the options for folders then apply to.
    sizes: those that methods are asked to bring images to.
    """
    ready = set(cache.location("").glob("*"))
    if not options.quiet:
        progress_line(f"making {name} ready")  # minutes, where it has to be drawn or decoded
    try:
        folder = options.folder if opening.looks_like_path(name) or not any_folder else {}
        place = opening.prepare(name, folder)
        if (size := _larger_size(place, sizes)) is not None:
            place = opening.prepare(name, {**folder, "image_size": size})
    finally:
        if not options.quiet:
            progress_line("")
    if options.dry_run and not options.quiet and place not in ready:
        note(f"{name} was prepared, once, in {place}: which runs are done depends on its content")
    return place


def _larger_size(place: Path, sizes: Sequence[int]) -> int | None:
    """Return the largest size that is asked for, if images of mixed sizes were read at a smaller one that nobody chose.

    Images would be enlarged otherwise, though the files have more pixels. None if they need not be read again.
    """
    data = cache.read(place)
    wanted = max(sizes, default=0)
    return wanted if data.info.reading.get("default_size") and wanted > data.images.shape[2] else None


def _changes(options: RunOptions) -> list[str]:
    """Return the options, as texts, that make the runs of a suite differ from the suite as it is written."""
    flags = {name: getattr(options, name) for name in ("epochs", "split", "limit", "val_limit")}
    given = [f"--{name.replace('_', '-')} {value}" for name, value in flags.items() if value is not None]
    return [*setting_texts(options.set), *given]


def _check_backends(plan: RunPlan) -> None:
    """Raise BackendError if a job to run asks for a library or device that is missing.

    Only jobs with changed settings are checked, as the defaults never ask for one.
    """
    changed = [job for job in plan.jobs if job.overrides and not (job.skip or state(job, plan.store, plan.policy))]
    if not changed:
        return
    try:
        lacking = plan.executor.ask(partial(missing_backend, changed), plan.options.plugins)
    except BackendError:  # no answer: whatever went wrong is for the runs to record
        return
    if lacking:
        raise BackendError(lacking)
