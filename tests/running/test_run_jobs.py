"""The order of runs, and what is said of the time that is left."""

from collections import Counter

import pytest

from cellbench.core.records.runs import RunRecord
from cellbench.core.records.store import Store
from cellbench.running.executors import Outcome
from cellbench.running.planning.plan import make_plan
from cellbench.running.policy import Policy
from cellbench.running.progress import forecast
from cellbench.running.progress.estimates import SECONDS_TO_START, seconds_left
from cellbench.running.run_jobs import run_jobs

SECONDS = {"svm-hog": 5.0, "cnn": 300.0, "mlp": 20.0}


class Watcher:
    def __init__(self):
        self.started_in_order, self.expected = [], []

    def started(self, job, number, seconds_left):
        self.started_in_order.append((job.spec.method, seconds_left))

    def expect(self, seconds_left):
        self.expected.append(seconds_left)

    def event(self, *_):
        pass

    finished = event


class Pretending:
    """An executor whose runs train nothing; work: what each tells its listener."""

    def __init__(self, work):
        self.work, self.closed = work, False

    def run(self, tasks, listener):
        try:
            for task in tasks:
                listener(task.job, "started", {})
                self.work(lambda kind, facts, job=task.job: listener(job, kind, facts))
                yield Outcome(task.job, RunRecord(task.job.spec, "ok"), None)
        finally:
            self.closed = True

    def ask(self, question, plugins=()):
        return question()


@pytest.fixture
def run(toy_folder, tmp_path, monkeypatch):
    """Runs the methods of SECONDS without training."""

    def go(work=lambda listener: None) -> Watcher:
        monkeypatch.setattr(forecast, "estimates", lambda jobs, store: [SECONDS[job.spec.method] for job in jobs])
        watcher = Watcher()
        jobs = make_plan(["cnn", "svm-hog", "mlp"], [toy_folder])
        executor = Pretending(work)
        assert run_jobs(jobs, Store(tmp_path, "here"), Policy(), executor, watcher) == Counter(ok=3)
        assert executor.closed
        return watcher

    return go


def test_the_quickest_run_comes_first_and_what_is_left_is_the_sum_of_the_rest(run):
    first, *others = run().started_in_order
    assert first == ("svm-hog", SECONDS_TO_START + 325.0)
    assert others == [("mlp", 320.0), ("cnn", 300.0)]


def test_what_is_left_learns_from_the_epochs_done(run):
    def work(listener):
        for epoch, seconds in ((3, 8.0), (4, 12.0)):  # resumed after the second; 10 s an epoch, whatever its phases
            listener("phase", {"name": "fit"})
            listener("phase", {"name": "validate"})
            listener("epoch", {"epoch": epoch, "epochs": 10, "seconds": seconds})
        listener("epoch", {"val_accuracy": 0.5})  # without the number of epochs nothing is known

    assert run(work).expected == [7 * 8 + 320.0, 60 + 320.0, 7 * 8 + 300.0, 60 + 300.0, 7 * 8.0, 60.0]


def test_seconds_left_are_in_proportion_to_the_epochs_left():
    assert seconds_left([5.0, 10.0, 15.0], 7) == 70.0
    assert seconds_left([30.0], 0) == 0.0
