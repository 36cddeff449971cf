"""A GPU that is too small for the batch, which a method here pretends: half of it is tried, twice at most."""

import pytest
import torch

from cellbench.methods import method, methods
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.progress import outcome
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
