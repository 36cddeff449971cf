"""The best result on record of a data set: what a shortcut is compared with."""

from pathlib import Path

from ...core.data import Dataset
from ...core.errors import UsageError
from ...core.records.store import read_records
from ...core.text.console import note
from .shortcuts import MEASURES, BestResult


def best_result(results: Path, data: Dataset, asked: bool) -> BestResult | None:
    """Return the run with the highest test value on the same data set and split, or None where there is none.

    Only complete runs without a limit on the number of images count. asked: whether the user gave the folder; then a
    missing folder raises UsageError, and notes name the files that are passed over.
    """
    if asked and not results.is_dir():
        raise UsageError(f"{results} is no folder; give one that `cellbench run -o` wrote")

    def say(text: str) -> None:
        if asked:
            note(text)

    found = []
    for _, _, record, _ in read_records(results, lambda path, why: say(f"passed over {path}: {why}")):
        spec = record.spec
        same = (spec.dataset, spec.fingerprint, spec.split) == (data.name, data.info.fingerprint, data.split.name)
        figure = record.metrics.get("test", {}).get(MEASURES[data.multilabel])
        if same and spec.limit is None and spec.val_limit is None and record.status == "ok" and figure is not None:
            found.append(BestResult(spec.method, figure))
    if not found:
        say(f"no full-data result on {data.name}, split {data.split.name}, in {results}")
    return max(found, key=lambda best: best.value, default=None)
