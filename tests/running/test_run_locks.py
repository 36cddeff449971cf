"""Several processes on one folder of results: each run is done once, and no record is lost to another attempt."""

import os
import re
import threading
from collections import Counter

import numpy as np
import pytest

from cellbench.core.errors import UsageError
from cellbench.core.machine import locks
from cellbench.core.records.runs import RunRecord
from cellbench.core.records.store import Store
from cellbench.running import run_locks
from cellbench.running.executors import Outcome
from cellbench.running.planning.plan import make_plan
from cellbench.running.policy import DONE, Policy
from cellbench.running.run_jobs import ELSEWHERE, run_jobs, summary
from cellbench.running.run_locks import RunLocks

pytestmark = pytest.mark.skipif(locks.fcntl is None, reason="this system has no locks of flock")
SCORES = {"test_scores": np.eye(2, dtype=np.float32)}


class Silent:
    def started(self, *_):
        pass

    event = expect = finished = started


class Pretending:
    """An executor whose runs train nothing. work: called with each task before its outcome is there."""

    def __init__(self, status="ok", work=lambda task: None):
        self.status, self.work, self.done = status, work, []

    def run(self, tasks, listener):
        for task in tasks:
            listener(task.job, "started", {})
            self.done.append(task.job.spec.key)
            self.work(task)
            record = RunRecord(task.job.spec, self.status, reason="" if self.status == "ok" else "no luck")
            yield Outcome(task.job, record, SCORES if self.status == "ok" else None)


@pytest.fixture
def jobs(toy_folder):
    return make_plan(["svm-flat", "svm-hog", "mlp", "cnn"], [toy_folder])


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(run_locks, "POLL_SECONDS", 0.01)
    return Store(tmp_path / "results", "here")


def go(jobs, store, executor, say=lambda line: None, **policy):
    return run_jobs(jobs, store, Policy(**policy), executor, Silent(), say=say)


@pytest.mark.parametrize("policy", [{}, {"force": True}], ids=["", "--force"])
def test_three_equal_matrices_at_once_do_each_run_once(jobs, store, policy):
    together = threading.Barrier(3)
    pause = threading.Event()
    executors = [Pretending(work=lambda task: pause.wait(0.05)) for _ in range(3)]
    tallies = []

    def matrix(executor):
        together.wait()
        tallies.append(go(jobs, store, executor, **policy))

    threads = [threading.Thread(target=matrix, args=(executor,)) for executor in executors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    done = Counter(key for executor in executors for key in executor.done)
    assert done == Counter(job.spec.key for job in jobs)
    assert sum(tally["ok"] for tally in tallies) == 4
    assert all(tally["ok"] + tally[DONE] == 4 for tally in tallies)
    assert len(list(store.root.rglob("*.json"))) == 4
    assert not list(store.root.rglob("*.lock"))


def test_runs_that_another_process_has_are_left_to_it_or_waited_for(jobs, store):
    lines, executor = [], Pretending()
    with RunLocks(store) as other:
        assert other.take(jobs[1].spec)
        tally = go(jobs, store, executor, say=lines.append, wait=False)
        assert tally == Counter({"ok": 3, ELSEWHERE: 1})
        assert summary(tally, 4) == "3 ok, 1 under way elsewhere"
        (line,) = lines
        assert re.fullmatch(
            rf"1 run \(svm-hog on toy, seed 0\) left to process {os.getpid()} since \d{{4}}-\d\d-\d\d [\d:]{{8}}", line
        )
        lines.clear()

        def finish(line):
            lines.append(line)
            store.save(RunRecord(jobs[1].spec, "ok"))
            other.release(jobs[1].spec)

        assert go(jobs, store, executor, say=finish) == Counter({DONE: 4})
    assert lines[0].startswith("waiting for 1 run (svm-hog on toy, seed 0) of process ")
    assert lines[0].endswith("; --no-wait would not wait")
    assert len(executor.done) == 3


def test_a_run_whose_process_gives_it_up_is_done_by_the_one_that_waits(jobs, store):
    with RunLocks(store) as other:
        other.take(jobs[0].spec)
        executor = Pretending()
        assert go(jobs, store, executor, say=lambda line: other.release(jobs[0].spec)) == Counter(ok=4)
    assert executor.done[-1] == jobs[0].spec.key


@pytest.mark.parametrize("status", ["failed", "timeout", "skipped"])
@pytest.mark.parametrize("policy", [{}, {"force": True}, {"save_models": True}])
def test_an_attempt_without_results_never_replaces_a_record_that_has_them(jobs, store, status, policy):
    (job, *_) = jobs

    def another_is_faster(task):
        store.save(RunRecord(job.spec, "ok", reason="first"), SCORES)
        store.model(job.spec).write_bytes(b"model")

    lines = []
    tally = go([job], store, Pretending(status, another_is_faster), say=lines.append, **policy)
    assert tally == Counter({status: 1})
    assert store.find(job.spec).reason == "first"
    assert store.path(job.spec).with_suffix(".npz").is_file()
    assert store.model(job.spec).read_bytes() == b"model"
    assert lines == [f"{job}: the record that was there before stays"]


def test_without_force_the_first_result_stays_and_with_it_the_last(jobs, store):
    (job, *_) = jobs

    def another_is_faster(task):
        store.save(RunRecord(job.spec, "ok", reason="first"), SCORES)
        store.model(job.spec).write_bytes(b"model")

    go([job], store, Pretending(work=another_is_faster))
    assert store.find(job.spec).reason == "first"
    assert store.model(job.spec).is_file()
    go([job], store, Pretending(), force=True)
    assert store.find(job.spec).reason == ""
    assert not store.model(job.spec).exists()  # it was that of the record which is no more


def test_a_model_gets_its_name_with_its_record_and_what_was_left_of_one_is_removed(jobs, store):
    (job, *_) = jobs
    store.path(job.spec).parent.mkdir(parents=True)
    left = [store.new_model(job.spec), store.path(job.spec).with_name(f".{store.path(job.spec).name}.ab12.part")]
    other = store.path(job.spec).with_name(".s1-0123456789ab.json.cd34.part")
    for part in (*left, other):
        part.write_bytes(b"half")
    seen = []

    def work(task):
        seen.extend(part.exists() for part in left)
        task.model.write_bytes(b"whole")
        assert not store.model(job.spec).exists()

    go([job], store, Pretending(work=work), save_models=True)
    assert seen == [False, False]
    assert store.model(job.spec).read_bytes() == b"whole"
    assert [path.name for path in store.root.rglob("*.part")] == [other.name]


def test_on_a_full_disk_the_record_has_the_room_of_the_model_and_the_progress(jobs, store, monkeypatch):
    (job, *_) = jobs
    save = Store.save

    def has_room(self, record, predictions=None):
        if store.new_model(job.spec).exists() or store.checkpoint(job.spec).exists():
            raise UsageError("cannot write it: No space left on device")
        return save(self, record, predictions)

    def work(task):
        task.model.write_bytes(b"large")
        task.checkpoint.write_bytes(b"large")

    monkeypatch.setattr(Store, "save", has_room)
    assert go([job], store, Pretending(work=work), save_models=True) == Counter(ok=1)
    assert store.find(job.spec).status == "ok"
    assert not store.model(job.spec).exists()


def test_what_an_interrupted_run_left_half_written_goes_with_its_lock(jobs, store):
    """A child process that is ended as it keeps its progress leaves a part, whatever it ends by."""

    def interrupted(task):
        task.checkpoint.with_name(f".{task.checkpoint.name}.part").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(jobs[:1], store, Pretending(work=interrupted))
    assert not [path for path in store.root.rglob("*") if path.is_file()]
