"""Runs on workers of a Dask cluster, on loopback: the same records, and what happens when a part of it dies."""

import dataclasses
import errno
import os
import signal
import time
from types import SimpleNamespace

import pytest

from cellbench.core.errors import BackendError, DataError
from cellbench.core.extras import Extra
from cellbench.core.machine.environment import cores, machine_name
from cellbench.core.records.store import Store
from cellbench.datasets.files import cache
from cellbench.running.executors import LocalExecutor, dask, remote
from cellbench.running.executors.dask import DaskExecutor, LostClusterError, connected
from cellbench.running.executors.protocol import Task
from cellbench.running.planning.plan import make_plan
from cellbench.running.policy import Policy
from cellbench.running.run_jobs import run_jobs

pytestmark = pytest.mark.long

distributed = pytest.importorskip("distributed")
library = pytest.importorskip("dask")

SLOW = """
import os, time
from pathlib import Path
from cellbench.methods import method

@method("slow", "says where it is, and waits until a file is there", family="floor", cost=1)
def slow(train, val, log, *, place: str = "", wait: bool = False):
    Path(place, f"{os.getppid()}-{os.getpid()}").touch()
    while wait and not Path(place, "go").exists():
        time.sleep(0.05)
    return lambda images: [[1.0, 0.0, 0.0]] * len(images)
"""


class Silent:
    """A watcher that keeps the names of jobs that were finished."""

    def __init__(self):
        self.done, self.heard = [], set()

    def started(self, job, number, seconds_left): ...
    def expect(self, seconds_left): ...

    def event(self, kind, facts):
        self.heard.add(kind)

    def finished(self, job, record):
        self.done.append(record)


@pytest.fixture(scope="module")
def cluster():
    """Two workers in processes of their own; the test that ends their scheduler is the last."""
    with (
        library.config.set({"distributed.worker.daemon": False}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as made,
        distributed.Client(made, set_as_default=False) as client,
    ):
        yield made, client


@pytest.fixture
def slow(tmp_path):
    """A plug-in file with a method that waits for a file, known here as well."""
    from cellbench.core.registry import load_plugin_file
    from cellbench.methods import methods

    file = tmp_path / "slow_method.py"
    file.write_text(SLOW)
    load_plugin_file(file)
    yield file
    methods._entries.pop("slow", None)


def plan(folder, *names, sets=(), **options):
    from cellbench.running.planning.plan import parse_override

    return make_plan(names, [folder], overrides=[parse_override(text) for text in sets], **options)


def run(jobs, store, executor, plugins=(), **policy):
    watcher = Silent()
    tally = run_jobs(jobs, store, Policy(**policy), executor, watcher, plugins)
    return tally, watcher


def wait_for(found, seconds=90):
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, "nothing came in time"
        time.sleep(0.05)
    return answer


def test_records_are_those_of_local_runs_and_say_which_machine_made_them(cluster, toy_folder, tmp_path):
    jobs = plan(toy_folder, "svm-flat", "floor-majority", "mlp", sets=["mlp:epochs=2", "mlp:size=none"])
    here, there = Store(tmp_path / "here", "m"), Store(tmp_path / "there", "m")
    run(jobs, here, LocalExecutor(), save_models=True)
    tally, watcher = run(jobs, there, DaskExecutor(cluster[1]), save_models=True)
    assert tally == {"ok": 3}
    assert watcher.heard == {"phase", "epoch"}
    machines = cluster[1].run(machine_name).values()
    for job in jobs:
        ours, theirs = here.find(job.spec), there.find(job.spec)
        assert (theirs.spec, theirs.metrics) == (ours.spec, ours.metrics)
        assert theirs.environment == {**ours.environment, "machine": theirs.environment["machine"]}
        assert theirs.environment["machine"] in machines
        assert there.model(job.spec).exists() == here.model(job.spec).exists()
    assert not list((tmp_path / "there").rglob("*.here"))
    assert run(jobs, there, DaskExecutor(cluster[1]))[0] == {"already done": 3}


def test_a_run_whose_worker_is_killed_is_done_by_the_other(cluster, toy_folder, slow, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    jobs = plan(toy_folder, "slow", sets=[f"place={place}", "wait=true"])
    killed = []

    class Killing(DaskExecutor):
        def _wait(self, news):
            if not killed and (seen := list(place.iterdir())):
                (worker,) = (set(self._client.run(os.getpid).values()) & _parents(seen)) or {None}
                if worker:
                    killed.append(worker)
                    os.kill(worker, signal.SIGKILL)
            if killed and len(list(place.iterdir())) > 1:
                (place / "go").touch()
            return super()._wait(news)

    tally, _ = run(jobs, Store(tmp_path / "r", "m"), Killing(cluster[1]), [slow])
    assert tally == {"ok": 1}
    assert len(killed) == 1
    assert len(list(place.iterdir())) == 3  # the first attempt, the second, and the file that it waited for


def _parents(seen):
    """The workers whose child processes left these files: parents of the fork servers that made these."""
    import psutil

    found = set()
    for file in seen:
        try:
            found.add(psutil.Process(int(file.name.split("-")[0])).ppid())
        except (psutil.NoSuchProcess, ValueError):
            continue
    return found


def test_closing_the_call_ends_the_child_processes(cluster, toy_folder, slow, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    (job,) = plan(toy_folder, "slow", sets=[f"place={place}", "wait=true"])
    task = Task(job, plugins=[slow], checkpoint=tmp_path / "r" / "x.checkpoint")

    class Stopping(DaskExecutor):
        def _wait(self, news):
            if list(place.iterdir()):
                raise KeyboardInterrupt
            return super()._wait(news)

    with pytest.raises(KeyboardInterrupt):
        list(Stopping(cluster[1]).run([task], lambda *_: None))
    (file,) = place.iterdir()
    process = int(file.name.split("-")[1])
    wait_for(lambda: not os.path.exists(f"/proc/{process}"), 30)
    assert not (tmp_path / "r" / "x.here").exists()


@pytest.mark.parametrize("busy_with", ["its data", "its fork server"])
def test_a_run_that_is_ended_before_its_child_has_started_starts_none(
    busy_with, toy_folder, slow, tmp_path, monkeypatch
):
    """Ctrl-C while a worker prepares the data, or while the server of its children still imports."""
    place = tmp_path / "place"
    place.mkdir()
    (job,) = plan(toy_folder, "slow", sets=[f"place={place}", "wait=true"])
    monkeypatch.setattr(remote, "_send", lambda *_: None)
    if busy_with == "its data":
        monkeypatch.setattr(remote, "data_of", lambda job, plugins: remote.end(["key"]) or job.data)
    else:
        start = remote._started
        monkeypatch.setattr(remote, "_started", lambda key, child: remote.end([key]) or start(key, child))
    answer = remote.run(Task(job, plugins=[slow], timeout=60), tmp_path / "x.here", "topic", "key")
    assert answer.status == "failed"
    assert answer.outcome in ("nobody waits for it any more", "its process was ended by SIGTERM")
    assert list(place.iterdir()) == []
    assert (remote._children, remote._ended) == ({}, set())


def test_ctrl_c_while_a_run_is_submitted_leaves_no_mark_and_ends_it(cluster, toy_folder, tmp_path):
    (job,) = plan(toy_folder, "svm-flat")
    ended = []

    class Interrupted(DaskExecutor):
        def _submit(self, task, topic, key):
            super()._submit(task, topic, key)
            assert (tmp_path / "x.here").read_text() == key
            raise KeyboardInterrupt

        def _end(self, keys, futures, topic):
            ended.extend(keys)
            super()._end(keys, futures, topic)

    with pytest.raises(KeyboardInterrupt):
        list(Interrupted(cluster[1]).run([Task(job, checkpoint=tmp_path / "x.checkpoint")], lambda *_: None))
    assert len(ended) == 1
    assert list(tmp_path.glob("*.here")) == []


def test_a_mark_of_a_killed_call_is_no_mark_of_this_one_and_is_removed_with_its_claim(toy_folder, tmp_path):
    (job,) = plan(toy_folder, "floor-majority")
    store = Store(tmp_path / "r", "m")
    mark = store.path(job.spec).with_suffix(".here")
    mark.parent.mkdir(parents=True)
    mark.write_text("cellbench-floor-majority-earlier")
    assert not remote._holds(mark, "cellbench-floor-majority-now")
    assert run([job], store, LocalExecutor())[0] == {"ok": 1}
    assert not mark.exists()


def test_a_model_that_has_no_room_here_leaves_its_record(toy_folder, tmp_path, monkeypatch):
    def full(file, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(dask, "_write", full)
    monkeypatch.setattr(remote, "_send", lambda *_: None)
    (job,) = plan(toy_folder, "svm-flat")
    task = Task(job, checkpoint=tmp_path / "x.checkpoint", model=tmp_path / "x.model")
    answer = remote.run(task, tmp_path / "x.here", "topic", "key")
    future = SimpleNamespace(status="finished", result=lambda: answer, release=lambda: None)
    outcome = DaskExecutor(None)._outcome(task, future)
    assert (outcome.record.status, outcome.record.facts["model_not_saved"]) == ("ok", "No space left on device")
    assert set(outcome.predictions) >= {"test_scores"}


def test_a_failure_is_a_record_with_its_reason(cluster, bad_plugin, toy_folder, tmp_path):
    jobs = plan(toy_folder, "bad", sets=["how=raises"])
    store = Store(tmp_path / "r", "m")
    assert run(jobs, store, DaskExecutor(cluster[1]), [bad_plugin])[0] == {"failed": 1}
    assert store.find(jobs[0].spec).reason.startswith("RuntimeError: the lamp is out")


def test_questions_are_answered_by_a_child_of_a_worker(cluster):
    executor = DaskExecutor(cluster[1])
    assert executor.ask(os.getpid) not in {os.getpid(), *cluster[1].run(os.getpid).values()}
    with pytest.raises(BackendError, match="could not answer"):
        executor.ask(os.abort)


def test_a_worker_without_the_data_prepares_them_by_name_or_says_what_to_do(toy_folder, monkeypatch):
    from cellbench.datasets import DatasetEntry, datasets
    from cellbench.datasets.toy import rings

    (job,) = plan(toy_folder, "svm-flat")
    assert remote.data_of(job) == toy_folder
    cache.remove(toy_folder)
    with pytest.raises(DataError, match="toy is prepared in a folder that a worker does not see; set CELLBENCH_DATA"):
        remote.data_of(job)
    monkeypatch.setitem(datasets._entries, "toy", DatasetEntry("toy", lambda *_: rings(), "", "", ""))
    assert cache.read(remote.data_of(job)).info.fingerprint == job.spec.fingerprint
    cache.remove(remote.data_of(job))
    monkeypatch.setitem(datasets._entries, "toy", DatasetEntry("toy", lambda *_: rings(n=30), "", "", ""))
    with pytest.raises(DataError, match=r"on a worker, and .* in the plan"):
        remote.data_of(job)


def test_a_folder_that_no_worker_sees_gets_the_model_as_a_file(toy_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "_send", lambda *_: None)
    (job,) = plan(toy_folder, "svm-flat")
    task = Task(job, checkpoint=tmp_path / "far" / "x.checkpoint", model=tmp_path / "far" / "x.model")
    answer = remote.run(task, tmp_path / "far" / "x.here", "topic", "key")
    assert answer.status == "ok"
    assert set(answer.outcome[1]) >= {"test_scores"}
    assert answer.model.startswith(b"PK")  # torch's files are zip archives
    assert not (tmp_path / "far").exists()
    assert answer.environment["machine"] == machine_name()


def test_without_dask_or_without_a_scheduler_it_says_so(monkeypatch):
    monkeypatch.setattr(dask, "CONNECT_SECONDS", 1)
    with pytest.raises(BackendError, match="no Dask scheduler answers there"), connected("tcp://127.0.0.1:9"):
        pass
    monkeypatch.setitem(dask.EXTRAS, "dask", Extra("dask", "no_such_module"))
    with pytest.raises(BackendError, match=r"--executor dask needs the package no_such_module"), connected(None):
        pass


def on_cuda(folder, *names):
    return [dataclasses.replace(job, spec=dataclasses.replace(job.spec, device="cuda")) for job in plan(folder, *names)]


def test_runs_on_cuda_that_no_worker_could_take_are_refused(cluster, toy_folder):
    refused = (
        r"none of the 2 workers of tcp://127.* has the resource GPU, .*; start one with .*GPU=1.*or give --device cpu"
    )
    heard = []
    tasks = [Task(job) for job in on_cuda(toy_folder, "svm-flat")]
    with pytest.raises(BackendError, match=refused):
        list(DaskExecutor(cluster[1]).run(tasks, lambda *event: heard.append(event)))
    assert heard == []


def test_the_first_worker_of_this_machine_has_its_card(toy_folder, monkeypatch):
    monkeypatch.setattr(dask, "cores", lambda: 4)
    monkeypatch.setattr(dask, "cuda_driver", lambda: True)
    with connected(None) as executor:
        client = executor._client
        client.wait_for_workers(2)
        workers = client.scheduler_info()["workers"].values()
        assert sorted(one["resources"].get("GPU", 0) for one in workers) == [0, 1]
        order = []
        tasks = [Task(job) for job in on_cuda(toy_folder, "svm-flat", "floor-majority")]
        for outcome in executor.run(tasks, lambda job, kind, facts: order.append(kind)):
            assert outcome.record.spec.device == "cuda"
            order.append(outcome.record.status)
        assert [kind for kind in order if kind in ("started", "ok", "failed", "skipped")][::2] == ["started"] * 2
        assert {executor.ask(_worker_of_this_child) for _ in range(4)} == {client.run(os.getpid)[_gpu(client)]}


def _gpu(client):
    return next(address for address, one in client.scheduler_info()["workers"].items() if one["resources"])


def _worker_of_this_child():
    import psutil

    return psutil.Process().parent().ppid()


def test_a_cluster_of_this_machine_changes_no_number_of_threads_here_and_its_runs_have_their_share(
    toy_folder, monkeypatch
):
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    (job,) = make_plan(["floor-majority"], [toy_folder])
    with connected(None) as executor:
        (outcome,) = executor.run([Task(job)], lambda *_: None)
    assert outcome.record.environment["threads"] == max(1, cores() // max(1, cores() // 2))
    assert not set(names) & set(os.environ)


def test_a_lost_scheduler_ends_the_call_and_what_was_finished_is_saved(cluster, toy_folder, slow, tmp_path):
    made, client = cluster
    place = tmp_path / "place"
    place.mkdir()
    jobs = [*plan(toy_folder, "floor-majority"), *plan(toy_folder, "slow", sets=[f"place={place}", "wait=true"])]

    class Losing(DaskExecutor):
        def _wait(self, news):
            if list(place.iterdir()) and list((tmp_path / "r").rglob("*.json")):
                made.close()
            return super()._wait(news)

    store = Store(tmp_path / "r", "m")
    with pytest.raises(LostClusterError, match="the same command goes on") as lost:
        run(jobs, store, Losing(client), [slow])
    assert lost.value.exit_code == 3
    assert store.find(jobs[0].spec).status == "ok"
    assert store.find(jobs[1].spec) is None
