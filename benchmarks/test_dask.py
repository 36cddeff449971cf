"""What a run costs on a Dask cluster of this machine beside one without it: the same tiny run, in turn."""

import statistics
import time
from pathlib import Path

import pytest

from cellbench.datasets.files import cache
from cellbench.datasets.toy import rings
from cellbench.running.executors import LocalExecutor
from cellbench.running.executors.protocol import Executor, Task
from cellbench.running.planning.plan import make_plan

pytest.importorskip("distributed")

ROUNDS = 15
MOST = 0.5  # seconds that the scheduler, the worker and the way of the record may add


def test_overhead_of_a_run_on_dask(tmp_path: Path, figures, keep_ratio, against_products, monkeypatch) -> None:
    from cellbench.running.executors.dask import connected

    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "cache"))
    folder = cache.prepare("toy", lambda scratch: rings())
    (job,) = make_plan(["floor-majority"], [folder])

    def seconds(executor: Executor) -> float:
        start = time.perf_counter()
        (outcome,) = executor.run([Task(job, checkpoint=tmp_path / "run.checkpoint")], lambda *_: None)
        assert outcome.record.status == "ok"
        return time.perf_counter() - start

    with connected(None) as dask:
        local = LocalExecutor()
        seconds(local), seconds(dask)  # warm: the fork server of either
        pairs: list[tuple[float, float]] = []

        def here() -> float:
            pairs.append((seconds(local), seconds(dask)))
            return pairs[-1][0]

        alone = against_products(here, ROUNDS, part="_alone")
    overhead = statistics.median(there - here for here, there in pairs)
    keep_ratio(statistics.median(there for _, there in pairs), alone, "the same run on this machine")
    figures("a_run_on_this_machine", alone, 0.0, 0.0, "nothing")
    figures("overhead_of_a_run_on_dask", overhead, 0.0, 0.0, "seconds by the clock")
    assert overhead <= MOST
