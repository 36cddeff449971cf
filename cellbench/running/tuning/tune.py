"""`cellbench tune` from its options to the suite: each method of a plan is tuned with the same budget."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...core.errors import CellbenchError, UsageError, did_you_mean
from ...core.extras import EXTRAS
from ...core.records.store import Store
from ...core.settings import among
from ...core.suites import Entry, Suite, load, select
from ...core.suites import names as suite_names
from ...core.text.words import counted
from ...methods.registry import methods
from ..job import Job
from ..planning.options import RunOptions
from ..planning.plan import names_of
from ..planning.suites import plan_suite, settings
from ..run import plan_runs
from .budget import parse_budget, parse_part
from .space import space_of
from .suites import write
from .tuning import FILE, Say, SearchOptions, Tuned, tune

SUITE = "tuned"  # name of the suite, with the number of images behind it where that is limited


@dataclass(frozen=True)
class TuningResult:
    """What came of tuning: methods that were tuned, those without any figure, and the file of the suite."""

    tuned: Sequence[Tuned]
    failed: Sequence[str]
    suite: Path


def asked_for(
    suites: Sequence[str],
    *,
    trials: int | None,
    time: str | float | None,
    part: float | None,
    best: int | None,
    seed: int,
    plugins: Sequence[Path],
) -> SearchOptions:
    """Return the settings of a search: an option that is None takes the suite's value, or else the default.

    Raises UsageError for values that are not allowed.
    """
    search = searched_by(suites).search if suites else None
    if search and trials is None and time is None:
        trials = search.trials
    share = part if part is not None else search.part if search else 1.0
    few = best if best is not None else search.best if search else 3
    return SearchOptions(parse_budget(trials, time), parse_part(share), few, seed, plugins)


def tune_all(options: RunOptions, asked: SearchOptions, say: Say = lambda line: None) -> TuningResult:
    """Tune each method that the options choose on one data set, and write a suite of what came of it.

    The study lies beside it, in the folder of this machine's records of the data set; what an earlier call tried is not
    tried again. A method of which every trial failed is passed over, with a line. Raises BackendError without Optuna,
    UsageError for a method without settings to tune, or for several data sets, and CellbenchError if all failed.
    """
    EXTRAS["tune"].require("cellbench tune")
    if options.suites:
        return _tune_suite(options, asked, say)
    if not options.methods or not options.datasets:
        raise UsageError("name a data set and methods, such as -d hep2 -m svm-combined -m fastnet, or a --suite")
    plan = plan_runs(options)
    jobs = _one_a_method(plan.jobs)
    for job in jobs:
        space_of(methods[job.spec.method])
    return _tuned(jobs, plan.store, SUITE, asked, say)


def searched_by(names: Sequence[str]) -> Suite:
    """Return the one suite of these names. Raises UsageError for several, or one without settings to search."""
    found = select(names)
    if len(found) != 1:
        raise UsageError(f"--suite {' '.join(names)} are several suites; tune one at a time")
    if found[0].search is None:
        those = ", ".join(name for name in suite_names() if load(name).search)
        raise UsageError(f"suite {found[0].name!r} has no settings to search; these have: {those}. Or name -d and -m")
    return found[0]


def _tune_suite(options: RunOptions, asked: SearchOptions, say: Say) -> TuningResult:
    """Search what a suite says, its other settings as they are; the result is a suite with its name in its own."""
    suite = searched_by(options.suites)
    if options.methods:
        raise UsageError(f"--suite {suite.name} says which method is tuned; leave out -m, or --suite")
    assert suite.search
    search = Entry(id="search", label=suite.search.label, method=suite.search.method, set=suite.search.set)
    for name, values in suite.search.vary.items():
        if not isinstance(values, tuple):
            raise UsageError(f"suite {suite.name!r}, search: {name} is {values!r}; give a list of the values to try")
    known = names_of(methods[search.method])
    if strange := [name for name in suite.search.vary if name not in known]:
        raise UsageError(
            f"suite {suite.name!r}, search: {search.method} has no {strange[0]!r}; {did_you_mean(strange[0], known)}"
        )
    plan = plan_runs(options)  # prepares the data
    base = settings(suite, search)
    space = {name: among(*values) for name, values in suite.search.vary.items()}
    jobs = plan_suite(
        suite,
        [search],
        [plan.jobs[0].data],
        split=options.split,
        limit=options.limit,
        val_limit=None if options.limit is None else "all",
        seeds=(0,),
        device=plan.jobs[0].spec.device,
    )
    asked = replace(asked, base=base, space=space)
    return _tuned(_one_a_method(jobs), plan.store, f"{SUITE}-{suite.name}", asked, say)


def _tuned(jobs: Sequence[Job], store: Store, suite: str, asked: SearchOptions, say: Say) -> TuningResult:
    store.check()
    folder = _folder(store, jobs[0])
    done: list[Tuned] = []
    failed: list[str] = []
    for job in jobs:
        say(f"{job.spec.method} on {job.spec.dataset}: {asked.budget}" + _of_part(asked))
        try:
            done.append(tune(job, folder / FILE, asked, say))
        except CellbenchError as error:
            if isinstance(error, UsageError):
                raise
            say(str(error))
            failed.append(job.spec.method)
    if not done:
        raise CellbenchError("no method could be tuned; the lines above say why")
    limit = jobs[0].spec.limit
    file = folder / (f"{suite}.toml" if limit is None else f"{suite}-{limit}.toml")
    write(file, done)
    return TuningResult(done, failed, file)


def _one_a_method(jobs: Sequence[Job]) -> list[Job]:
    if len({job.spec.dataset for job in jobs}) > 1:
        raise UsageError("several data sets were chosen, and one is tuned on at a time; choose one with -d")
    if len({job.spec.split for job in jobs}) > 1:
        raise UsageError("several draws of a split were chosen, and one is tuned on at a time; name one")
    for job in jobs:
        if job.skip:
            raise UsageError(job.skip)
    return list({job.spec.method: job for job in reversed(jobs)}.values())[::-1]


def _folder(store: Store, job: Job) -> Path:
    return store.path(job.spec).parents[1]


def _of_part(asked: SearchOptions) -> str:
    if asked.part == 1:
        return ""
    best = counted(asked.best, "best setting")
    return f", on {100 * asked.part:g} % of the training images, then the {best} and the defaults on all"
