"""Several runs at a time: each on processors of its own or on one GPU, and its record says so."""

import os
import sys

import pytest

from cellbench.core.errors import UsageError
from cellbench.core.records.store import Store
from cellbench.running.executors import LocalExecutor, places
from cellbench.running.executors.places import Place, places_for
from cellbench.running.executors.protocol import Task
from cellbench.running.planning.options import RunOptions
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.policy import Policy
from cellbench.running.run import plan_runs
from cellbench.running.run_jobs import run_jobs

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what Linux alone can do")

MEETING = """
import os, time
from pathlib import Path
import numpy as np
from cellbench.methods import method

@method("meeting", "waits until others are there", family="floor", cost=1)
def meeting(train, val, log, *, place: str = "", others: int = 0):
    import torch
    here = "-".join(map(str, sorted(os.sched_getaffinity(0))))
    card = os.environ.get("CUDA_VISIBLE_DEVICES", "none")
    Path(place, f"{os.getpid()} {here} {torch.get_num_threads()} {card}").touch()
    end = time.monotonic() + 30
    while len(os.listdir(place)) < others and time.monotonic() < end:
        time.sleep(0.02)
    with log.phase("fit"):
        time.sleep(0.6)  # long enough for the share of other programs
    return lambda images: np.zeros((len(images), 3))
"""


@pytest.fixture
def meeting(tmp_path):
    """A plug-in whose method notes what it has, and waits until as many others have."""
    from cellbench.core.registry import load_plugin_file
    from cellbench.methods import methods

    file = tmp_path / "meeting_method.py"
    file.write_text(MEETING)
    load_plugin_file(file)
    yield file
    methods._entries.pop("meeting", None)


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


class Silent:
    def started(self, *_): ...

    event = expect = finished = started


def meetings(folder, place, n, others):
    sets = [parse_override(f"place={place}"), parse_override(f"others={others}")]
    return make_plan(["meeting"], [folder], overrides=sets, seeds=range(n))


def test_each_run_has_processors_of_its_own_and_as_many_threads(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert [one.processors for one in places_for(3, "cpu", 0)] == [(0, 1), (2, 3), (5, 6)]
    assert {(one.threads, one.sharing, one.card) for one in places_for(3, "cpu", 0)} == {(2, 3, "")}
    assert places_for(1, "cpu", 0) == [Place()]
    with pytest.raises(UsageError, match="--jobs got 9, and this process may use 8 processors; give fewer"):
        places_for(9, "cpu", 0)


def test_each_run_on_gpus_has_one_to_itself(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.delenv(places.VISIBLE, raising=False)
    found = places_for(2, "cuda", 3)
    assert [one.variables for one in found] == [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"}]
    assert [one.facts for one in found] == [{"devices": ["0"]}, {"devices": ["1"]}]
    assert {(one.threads, one.sharing) for one in found} == {(4, 1)}  # times of a GPU that is its own are not shared
    monkeypatch.setenv(places.VISIBLE, "5,GPU-8f2e")
    assert [one.card for one in places_for(2, "cuda", 2)] == ["5", "GPU-8f2e"]
    with pytest.raises(UsageError, match="--jobs got 3, and torch sees 2 GPUs; give at most one run for each"):
        places_for(3, "cuda", 2)


@LINUX
def test_runs_are_done_at_a_time_each_in_its_place_and_marked_as_shared(toy_folder, meeting, place, tmp_path):
    mine = min(os.sched_getaffinity(0))
    several = [Place((mine,), 1, sharing=2)] * 2  # there may be one processor only
    jobs, store = meetings(toy_folder, place, 2, others=2), Store(tmp_path / "r", "m")
    assert run_jobs(jobs, store, Policy(), LocalExecutor(places=several), Silent(), [meeting]) == {"ok": 2}
    found = [file.name.split(" ")[1:3] for file in place.iterdir()]
    assert found == [[str(mine), "1"]] * 2
    for job in jobs:
        record = store.find(job.spec)
        assert sum(record.seconds.values()) < 25  # both were there at once, or one would have waited for 30 s
        assert record.facts["shared"] == 2
        assert record.environment["devices"] == [str(mine)]
        assert (record.environment["threads"], record.environment["cores"]) == (1, 1)
        assert record.others is not None
    (alone,) = meetings(toy_folder, place, 1, others=0)
    run_jobs([alone], store, Policy(), LocalExecutor(), Silent(), [meeting])
    record = store.find(alone.spec)
    assert "shared" not in record.facts
    assert "devices" not in record.environment


@LINUX
def test_a_run_sees_the_gpu_of_its_place_alone(toy_folder, meeting, place):
    tasks = [Task(job, plugins=[meeting]) for job in meetings(toy_folder, place, 2, others=2)]
    executor = LocalExecutor(places=[Place((), 1, "3"), Place((), 1, "7")])
    outcomes = list(executor.run(tasks, lambda *_: None))
    assert sorted(file.name.split(" ")[3] for file in place.iterdir()) == ["3", "7"]
    assert sorted(one.record.environment["devices"] for one in outcomes) == [["3"], ["7"]]


@LINUX
def test_ctrl_c_ends_all_runs_under_way(toy_folder, meeting, place):
    tasks = [Task(job, plugins=[meeting]) for job in meetings(toy_folder, place, 2, others=2)]

    def stopping(job, kind, facts):
        if facts.get("name") == "fit":  # the other is at work, too
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(LocalExecutor(places=[Place(threads=1)] * 2).run(tasks, stopping))
    numbers = [file.name.split(" ")[0] for file in place.iterdir()]
    assert len(numbers) == 2
    assert not any(os.path.exists(f"/proc/{number}") for number in numbers)


def test_jobs_are_for_this_machine():
    options = RunOptions(datasets=["hep2"], methods=["floor-majority"], jobs=2)
    with pytest.raises(UsageError, match="--jobs is for runs on this machine"):
        plan_runs(options, LocalExecutor(start=False))
    with pytest.raises(UsageError, match="--jobs got 0; give a number from 1"):
        plan_runs(RunOptions(datasets=["hep2"], methods=["floor-majority"], jobs=0))
