"""What `--dry-run` shows: the runs of a plan, which of them are done, and how long the others may take."""

from typing import Any

from tabulate import tabulate

from ..core.words import counted, duration
from .estimates import estimate, total
from .policy import state
from .run import RunPlan


def overview(plan: RunPlan) -> str:
    """Return a table with a row for each run, and a line with the number of runs to do and their estimated time."""
    rows: list[list[Any]] = []
    expected: list[float] = []
    for job in plan.jobs:
        shown = state(job, plan.store, plan.policy)
        if not shown:
            expected.append(estimate(job, plan.store))
            shown = f"about {duration(expected[-1])}"
        spec = job.spec
        changed = ", ".join(job.titles) or ", ".join(f"{name}={value}" for name, value in job.overrides.items())
        rows.append([spec.dataset, spec.method, spec.seed, job.n["train"], job.n["val"], spec.device, changed, shown])
    what = "entry" if any(job.titles for job in plan.jobs) else "changed"
    table = tabulate(rows, ["data set", "method", "seed", "n train", "n val", "device", what, "state"])
    to_do = f"{counted(len(plan.jobs), 'run')}, {len(expected)} to do, about {duration(total(expected))}"
    return f"{table}\n\n{to_do} on this machine."
