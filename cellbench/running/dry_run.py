"""What `--dry-run` shows: the runs of a plan, which of them are done, and how long the others may take."""

from tabulate import tabulate

from ..core.text.words import counted, duration
from .planning.outline import OutlinedRun, how_to_get
from .policy import state
from .progress.estimates import estimates, total
from .run import RunPlan

UNKNOWN = "?"


def overview(plan: RunPlan) -> str:
    """Return a table with a row for each run, and lines with the number of runs to do and their estimated time.

    Runs that wait for the files of their data set come last, with a line on how to get it.
    """
    rows: list[list[object]] = []
    expected: list[float] = []
    for job, seconds in zip(plan.jobs, estimates(plan.jobs, plan.store), strict=True):
        shown = state(job, plan.store, plan.policy)
        if not shown:
            expected.append(seconds)
            shown = f"about {duration(expected[-1])}"
        spec = job.spec
        changed = ", ".join(job.titles) or ", ".join(f"{name}={value}" for name, value in job.overrides.items())
        rows.append([spec.dataset, spec.method, spec.seed, job.n["train"], job.n["val"], spec.device, changed, shown])
    rows += map(_waiting, plan.waiting)
    of_suites = any(job.titles for job in plan.jobs) or any(run.titles for run in plan.waiting)
    headings = [
        "data set",
        "method",
        "seed",
        "n train",
        "n val",
        "device",
        "entry" if of_suites else "changed",
        "state",
    ]
    lines = [tabulate(rows, headings), ""]
    if plan.jobs or not plan.waiting:
        known = f"{counted(len(plan.jobs), 'run')}, {len(expected)} to do, about {duration(total(expected))}"
        lines.append(f"{known} on this machine.")
    lines += how_to_get(plan.waiting)
    if plan.waiting:
        lines.append("Their sizes, their times and which of them are done are known once the data is there.")
        if of_suites:
            lines.append("To run a suite on other images: --dataset NAME")
    return "\n".join(lines)


def _waiting(run: OutlinedRun) -> list[object]:
    n = "all" if run.limit is None else run.limit
    each = "; one for each group" if run.for_each_group else ""
    return [run.dataset, run.method, run.seed, n, UNKNOWN, run.device, ", ".join(run.titles), f"waits for data{each}"]
