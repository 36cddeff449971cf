"""How long it takes from records to tables and intervals."""

import json
import os
import subprocess
import sys

import numpy as np

from cellbench.core.records.runs import RunRecord, RunSpec
from cellbench.core.records.store import Store
from cellbench.methods import methods
from cellbench.results.statistics import intervals
from cellbench.results.statistics.bootstrap import RESAMPLES

from .test_preparing import BETWEEN, IDLE

# The peer of a table: every record read and parsed, and no more. Machines differ in speed by a factor of two.
PLAIN = "import json, pathlib, sys; [json.loads(p.read_text()) for p in pathlib.Path(sys.argv[1]).rglob('*.json')]"
LARGEST_RATIO = 4  # measured: 2.6 to 3.3


def test_table_of_10000_records(benchmark, figures, keep_ratio, tmp_path):
    """Ten data sets, twenty settings, fifty seeds; no predictions, of which a table reads a hundred at most. Judged by
    the processors' seconds, in those that it takes to read and parse the files alone."""
    entry = methods["resnet18"]
    told = {p: {"accuracy": 0.5, "balanced_accuracy": 0.5, "macro_f1": 0.5, "n": 10} for p in ("train", "val", "test")}
    epochs = tuple({"epoch": e, "train_loss": 1 / e, "val_macro_f1": 0.5, "seconds": 1.25} for e in range(1, 31))
    facts = {"family": entry.family, "classes": ["a", "b"], "counts": {p: [5, 5] for p in told}, "synthetic": True}
    store = Store(tmp_path / "results", "machine")
    for i in range(10_000):
        params = {"epochs": 30, "lr": 0.01 * (i // 10 % 20 + 1)}
        spec = RunSpec(f"toy-{i % 10}", "f", "official", {"size": 64}, "resnet18", 1, params, seed=i // 200)
        overrides = {} if params["lr"] == 0.1 else {"lr": params["lr"]}
        done = {"metrics": told, "seconds": {"fit": 1.0, "predict": 0.1}, "history": epochs, "facts": facts}
        store.save(RunRecord(spec, "ok", overrides=overrides, **done))
    command = [sys.executable, "-m", "cellbench", "table", str(store.root), "--runs", "all", "--view", "leaderboard"]
    plain = [sys.executable, "-c", PLAIN, str(store.root)]
    usage: list[float] = []

    def run() -> None:
        out = subprocess.run([sys.executable, "-c", BETWEEN, *command], stdout=subprocess.PIPE, check=True).stdout
        usage.extend(json.loads(out))

    judged = "clock" if os.getloadavg()[0] < IDLE else "processors"
    benchmark.pedantic(run, rounds=1)
    clock, (processors, memory) = benchmark.stats.stats.median, usage
    figures("table_of_10000_records", clock, processors, memory * (1 if sys.platform == "darwin" else 1024), judged)
    out = subprocess.run([sys.executable, "-c", BETWEEN, *plain], stdout=subprocess.PIPE, check=True).stdout
    assert 1 / keep_ratio(processors, json.loads(out)[0], "reading and parsing, processor seconds") < LARGEST_RATIO


def test_intervals_of_12500_predictions_in_12_classes(against):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 12, 12_500)
    predicted = np.where(rng.random(12_500) < 0.8, truth, rng.integers(0, 12, 12_500))

    def peer() -> None:
        """The loop that one writes first, in numpy."""
        for _ in range(RESAMPLES):
            drawn = rng.integers(0, 12_500, 12_500)
            confusion = np.bincount(truth[drawn] * 12 + predicted[drawn], minlength=144).reshape(12, 12)
            2 * confusion.diagonal() / (confusion.sum(0) + confusion.sum(1))

    ours = lambda: intervals.intervals(truth, predicted, ["accuracy", "macro_f1"])  # noqa: E731
    assert against(ours, peer, "a loop over 2,000 resamples", rounds=3) > 1
