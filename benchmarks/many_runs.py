"""Whether many tiny runs on a Dask cluster of this machine make any of its processes grow.

    python benchmarks/many_runs.py                     1,000 runs on two workers
    python benchmarks/many_runs.py --runs 200 --workers 1

After each tenth of the runs it prints the seconds of a run, and the memory of the caller, which has the scheduler, and
of the largest worker and fork server. A child process is there for its run alone. Growth is that from the second tenth
on: until then caches fill.
"""

import sys
import tempfile
import time
from pathlib import Path

import click
import psutil

sys.path.append(str(Path(__file__).parents[1]))

from cellbench.core.records.store import Store
from cellbench.core.text.words import file_size
from cellbench.datasets.files import cache
from cellbench.datasets.toy import rings
from cellbench.running.executors.dask import DaskExecutor
from cellbench.running.planning.plan import make_plan
from cellbench.running.plugins import load_plugins
from cellbench.running.policy import Policy
from cellbench.running.run_jobs import run_jobs

TINY = """
import numpy as np
from cellbench.methods import method

@method("tiny", "names a class by chance", family="floor", cost=0.01)
def tiny(train, val, log, *, seed):
    return lambda images: np.random.default_rng(seed).normal(size=(len(images), len(train.classes)))
"""


class Measuring:
    """A watcher that measures after each tenth of the runs."""

    def __init__(self, runs: int) -> None:
        self._step, self._done, self._start = max(1, runs // 10), 0, time.perf_counter()
        self.memory: list[dict[str, int]] = []

    def started(self, *_: object) -> None: ...

    event = expect = started

    def finished(self, job: object, record: object) -> None:
        self._done += 1
        if self._done % self._step:
            return
        seconds, self._start = (time.perf_counter() - self._start) / self._step, time.perf_counter()
        self.memory.append(found := memory())
        shown = ", ".join(f"{name} {file_size(size)}" for name, size in found.items())
        click.echo(f"{self._done:>6,} runs: {seconds:.2f} s each; {shown}")


def memory() -> dict[str, int]:
    """Return the resident bytes of the caller, and of the largest worker and fork server below it."""
    found = {"caller": psutil.Process().memory_info().rss, "worker": 0, "fork server": 0}
    for process in psutil.Process().children(recursive=True):
        try:
            words = " ".join(process.cmdline())
            kind = "fork server" if "forkserver" in words else "worker" if "spawn_main" in words else ""
            if kind:
                found[kind] = max(found[kind], process.memory_info().rss)
        except psutil.NoSuchProcess:  # a child whose run is over
            continue
    return found


@click.command()
@click.option("--runs", type=click.IntRange(min=20), default=1000, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
def main(runs: int, workers: int) -> None:
    """Do many tiny runs on a Dask cluster of this machine, and say how its processes grow."""
    import dask
    from distributed import Client, LocalCluster

    folder = cache.prepare("toy", lambda scratch: rings())
    watcher = Measuring(runs)
    with (
        tempfile.TemporaryDirectory() as results,
        dask.config.set({"distributed.worker.daemon": False, "distributed.worker.profile.enabled": False}),
        LocalCluster(n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        plugin = Path(results) / "tiny.py"
        plugin.write_text(TINY)
        load_plugins([plugin])
        jobs = make_plan(["tiny"], [folder], seeds=range(runs))
        tally = run_jobs(jobs, Store(Path(results), "m"), Policy(), DaskExecutor(client), watcher, [plugin])
    click.echo(", ".join(f"{n:,} {status}" for status, n in tally.items()))
    second, last = watcher.memory[1], watcher.memory[-1]
    grown = ", ".join(f"{name} {(last[name] - second[name]) / 1e6:+.1f} MB" for name in last)
    click.echo(f"from the second tenth to the last: {grown}")


if __name__ == "__main__":
    main()
