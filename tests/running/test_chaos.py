"""The program, its run and its fork server killed at a dozen moments: in the end the records are as if undisturbed."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from cellbench.core.records.store import read_predictions, read_records

from .watching import RINGS, processes_with, until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are looked up in /proc"),
]
KILLS = int(os.environ.get("CELLBENCH_KILLS", "12"))  # 30 in .ci/run
PLUGIN = """
import time
import numpy as np
from cellbench.methods import method

@method("patient", "waits, and names the brightest", family="classic", seeded=True)
def patient(train, val, log, *, seed, k: int = 1):
    for epoch in range(4):
        time.sleep(0.1)
        log.epoch(epoch=epoch + 1, epochs=4)
    rows = np.random.default_rng(seed).normal(size=(train.images[0].size, 3))
    return lambda images: images.reshape(len(images), -1) @ rows
"""


def started(folder: Path, mark: str, said: Path, executor: str = "local") -> subprocess.Popen:
    arguments = ["run", "-v", "-d", "rings-toy", "-m", "patient", "--seeds", "0-4", "--retry-failed", "--save-models"]
    arguments += ["--plugin", str(folder / "plugin.py"), "-o", str(folder / "results"), "--executor", executor]
    with said.open("w") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "cellbench", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, "CELLBENCH_TEST_MARK": mark},
        )


def whole(folder: Path) -> dict[str, object]:
    """What the records say that no clock changes, with their predictions."""
    found = {}
    for path, _, record, _ in read_records(folder / "results", lambda path, why: pytest.fail(f"{path}: {why}")):
        kept = read_predictions(path)
        assert kept is not None
        arrays = {name: array.tolist() for name, array in kept.items()}
        found[path.name] = (record.status, record.metrics, record.per_class, record.history, arrays)
    return found


@pytest.mark.parametrize("executor", ["local", "dask"])
def test_killed_at_a_dozen_moments_the_records_are_those_of_an_undisturbed_matrix(executor, tmp_path):
    """With Dask its workers are among those that are killed, and begin anew."""
    if executor == "dask":
        pytest.importorskip("distributed")
    rng, mark = random.Random(7), f"chaos-{uuid.uuid4().hex}"
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    for folder in (undisturbed, disturbed):
        folder.mkdir()
        (folder / "plugin.py").write_text(PLUGIN + RINGS)
    assert started(undisturbed, mark, tmp_path / "said").wait(timeout=120) == 0, (tmp_path / "said").read_text()

    killed = 0
    while killed < KILLS:
        process = started(disturbed, mark, tmp_path / "said", executor)
        try:
            while process.poll() is None and killed < KILLS:
                until(lambda at=process: "[" in (tmp_path / "said").read_text() or at.poll() is not None, 60)
                time.sleep(rng.uniform(0, 0.5))
                others = [number for number in processes_with(mark) if number != process.pid]
                target = process.pid if rng.random() < 0.3 else rng.choice(others or [process.pid])
                try:
                    os.kill(target, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    continue
        finally:
            process.kill()
            process.wait()
        assert until(lambda: not processes_with(mark), 30), processes_with(mark)

    last = started(disturbed, mark, tmp_path / "said")
    assert last.wait(timeout=120) == 0, (tmp_path / "said").read_text()
    assert whole(disturbed) == whole(undisturbed)
    assert len(whole(disturbed)) == 5
    left = [path.name for path in disturbed.rglob("*") if path.suffix in (".part", ".lock", ".checkpoint")]
    assert left == []
