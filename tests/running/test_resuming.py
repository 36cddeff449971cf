"""A run that was ended in its middle: what is kept, what goes on from it, and when it is thrown away."""

from pathlib import Path

import pytest

from cellbench.core.records.store import Store
from cellbench.running.executors import LocalExecutor
from cellbench.running.planning.plan import Override, make_plan
from cellbench.running.policy import Policy
from cellbench.running.run_jobs import run_jobs
from cellbench.running.single_run import execute


class KilledError(Exception):
    """Stands for the end of a process."""


class Silent:
    def started(self, *_):
        pass

    event = expect = finished = started


@pytest.fixture
def job(toy_folder):
    short = [Override("*", key, value) for key, value in {"epochs": 4, "size": 16, "precision": "fp32"}.items()]
    return make_plan(["mlp"], [toy_folder], overrides=short)[0]


def killed_after(epochs, job, checkpoint):
    """The run ended when so many epochs were over and kept."""
    begun = []

    def listener(kind, facts):
        begun.extend([1] if facts.get("name") == "fit" else [])
        if len(begun) > epochs:
            raise KilledError

    with pytest.raises(KilledError):
        execute(job, listener, checkpoint)


def without_seconds(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


def test_a_run_goes_on_from_where_it_was_ended_and_throws_the_checkpoint_away(job, tmp_path):
    store = Store(tmp_path, "here")
    whole, _ = execute(job)
    killed_after(2, job, store.checkpoint(job.spec))
    assert store.checkpoint(job.spec).is_file()
    run_jobs([job], store, Policy(), LocalExecutor(), Silent())
    record = store.find(job.spec)
    assert without_seconds(record.history) == without_seconds(whole.history)
    assert record.metrics == whole.metrics
    assert record.history[0]["seconds"] > 0
    assert not list(Path(tmp_path).rglob("*checkpoint*"))


def test_force_starts_afresh(job, tmp_path):
    store = Store(tmp_path, "here")
    killed_after(3, job, store.checkpoint(job.spec))
    epochs = []

    class Listening(Silent):
        def event(self, kind, facts):
            epochs.extend([facts["epoch"]] if kind == "epoch" else [])

    run_jobs([job], store, Policy(force=True), LocalExecutor(), Listening())
    assert epochs == [1, 2, 3, 4]
