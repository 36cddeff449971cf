"""`cellbench tune` from its options to the suite: each method of a plan is tuned with the same budget."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import CellbenchError, UsageError
from ...core.extras import EXTRAS
from ...core.store import Store
from ...core.words import counted
from ...methods.registry import methods
from ..job import Job
from ..planning.options import RunOptions
from ..run import plan_runs
from .space import space_of
from .suites import write
from .tuning import FILE, Asked, Tuned, tune

SUITE = "tuned.toml"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What came of tuning: methods that were tuned, those without any figure, and the file of the suite."""

    tuned: Sequence[Tuned]
    failed: Sequence[str]
    suite: Path


def tune_all(options: RunOptions, asked: Asked, say: Say = lambda line: None) -> Outcome:
    """Tune each method that the options choose on one data set, and write a suite of what came of it.

    The study lies beside it, in the folder of this machine's records of the data set; what an earlier call tried is not
    tried again. A method of which every trial failed is passed over, with a line. Raises BackendError without Optuna,
    UsageError for a method without settings to tune, or for several data sets, and CellbenchError if all failed.
    """
    EXTRAS["tune"].require("cellbench tune")
    if not options.methods:
        raise UsageError("no method was named; choose what to tune with -m, such as -m svm-combined -m fastnet")
    plan = plan_runs(options)
    jobs = _one_a_method(plan.jobs)
    for job in jobs:
        space_of(methods[job.spec.method])
    plan.store.check()
    folder = _folder(plan.store, jobs[0])
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
    write(folder / SUITE, done)
    return Outcome(done, failed, folder / SUITE)


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


def _of_part(asked: Asked) -> str:
    if asked.part == 1:
        return ""
    best = counted(asked.best, "best setting")
    return f", on {100 * asked.part:g} % of the training images, then the {best} and the defaults on all"
