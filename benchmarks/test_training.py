"""What training takes of the machine: the real program on data of a study's size."""

import json
import subprocess
import sys
from pathlib import Path

# 90,000 cells of two channels, as the yeast study's; noise will do, as only its size counts.
PLUGIN = """
import numpy as np
from cellbench.core.data import Dataset, Split
from cellbench.datasets import dataset

@dataset("noise", "noise", licence="none", size="90,000")
def build(scratch, source):
    rng = np.random.default_rng(0)
    at = np.split(rng.permutation(90_000), [65_000, 77_500])
    return Dataset(
        name="noise",
        images=rng.integers(0, 255, (90_000, 2, 64, 64), np.uint8),
        labels=rng.integers(0, 12, 90_000),
        classes=tuple("abcdefghijkl"),
        channels=("protein", "cell"),
        split=Split("official", *at),
    )
"""


def test_memory_of_training_on_90000_deepyeast_sized_cells(
    tmp_path: Path, figures, against_products, monkeypatch
) -> None:
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "cache"))
    plugin, results = tmp_path / "noise.py", tmp_path / "results"
    plugin.write_text(PLUGIN)
    program = [sys.executable, "-m", "cellbench", "run", "--plugin", str(plugin), "-d", "noise", "-m", "mlp"]
    records = []

    def fit() -> float:
        subprocess.run([*program, "--epochs", "1", "--quiet", "-o", str(results)], check=True)
        records.append(json.loads(next(results.rglob("*.json")).read_text()))
        return records[0]["seconds"]["fit"]

    seconds, record = against_products(fit), records[0]
    figures("memory_of_training_on_90000_cells", seconds, 0.0, record["memory"]["host"], "memory")
    assert record["facts"]["n"]["train"] == 65_000
    assert record["memory"]["host"] < 3e9
