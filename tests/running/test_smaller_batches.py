"""A GPU that is too small for the batch, which a method here pretends: half of it is tried, twice at most."""

import pytest
import torch

from cellbench.methods import method, methods
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.progress.display import outcome
from cellbench.running.single_run import execute


@pytest.fixture
def run(toy_folder, tmp_path):
    """Runs a method that has room for so many images at a time; returns the record and the batches that it tried."""
    tried = []

    @method("large", "", family="deep")
    def large(train, val, log, *, batch: int = 64, room: int = 64):
        tried.append(batch)
        log.epoch(epoch=1, epochs=1, loss=float(batch))
        log.checkpoint.write_bytes(b"progress")
        if batch > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        assert log.checkpoint.is_file()
        return lambda images: images.reshape(len(images), -1)[:, :3]

    def go(room):
        sets = [parse_override(f"room={room}"), parse_override("batch=64")]
        (job,) = make_plan(["large"], [toy_folder], overrides=sets)
        return execute(job, checkpoint=tmp_path / "checkpoint")[0]

    yield go, tried
    methods._entries.pop("large", None)


@pytest.mark.parametrize(("room", "batches"), [(64, [64]), (40, [64, 32]), (16, [64, 32, 16])])
def test_the_batch_is_halved_until_it_fits_and_the_record_says_so(run, room, batches):
    go, tried = run
    record = go(room)
    assert tried == batches
    assert record.facts.get("batch_instead") == (batches[-1] if len(batches) > 1 else None)
    assert [row["loss"] for row in record.history] == [batches[-1]]
    assert record.spec.params["batch"] == 64
    said = f"; in batches of {batches[-1]}, as more had no room on the GPU"
    assert outcome(record).endswith(said) is (len(batches) > 1)


def test_after_two_halvings_the_error_is_the_reason(run):
    go, tried = run
    with pytest.raises(torch.OutOfMemoryError):
        go(8)
    assert tried == [64, 32, 16]


def test_a_run_that_was_stopped_goes_on_with_the_smaller_batch_and_says_so(toy_folder, tmp_path, monkeypatch):
    """A net on a card that the whole batch fills: killed in its third epoch, and done by a card that has room."""
    from cellbench.core.records.store import Store
    from cellbench.deep.training import learner, loop

    sets = {"epochs": 4, "size": 16, "batch": 32, "precision": "fp32"}
    (job,) = make_plan(["mlp"], [toy_folder], overrides=[parse_override(f"{key}={sets[key]}") for key in sets])
    store = Store(tmp_path, "here")

    def full(learner, images, labels, share):
        if len(images) > 16:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return learner_backward(learner, images, labels, share)

    learner_backward = learner.backward
    monkeypatch.setattr(loop, "backward", full)
    whole, _ = execute(job)
    assert whole.facts["batch_instead"] == 16
    begun = []

    def heard(kind, facts):
        begun.extend([facts] if kind == "epoch" else [])

    def killed(kind, facts):
        heard(kind, facts)
        if len(begun) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(job, killed, store.checkpoint(job.spec))
    (kept,) = store.progress(job.spec)
    assert kept.name == f"{store.path(job.spec).stem}.batch-16.checkpoint"
    monkeypatch.setattr(loop, "backward", learner_backward)
    begun.clear()
    record, _ = execute(job, heard, store.checkpoint(job.spec))
    assert record.facts["batch_instead"] == 16
    assert [facts["epoch"] for facts in begun] == [3, 4]  # the third was not kept
    assert record.metrics == whole.metrics
    store.forget_progress(job.spec)
    assert not list(tmp_path.rglob("*checkpoint*"))
