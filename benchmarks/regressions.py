"""The ratios of earlier runs of the benchmarks, by kind of machine, in `baselines.json`.

How a ratio is judged by them says `cellbench.running.bench.judging`. `python benchmarks/regressions.py` prints them.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from cellbench.core.machine.contention import is_busy
from cellbench.core.machine.environment import cores, processor, versions
from cellbench.running.bench.judging import judge

BASELINES = Path(__file__).parent / "baselines.json"
MOST_RUNS = 40


def machine_kind(others: float | None) -> str:
    """Return the kind of this machine: processor, cores, and whether other programs keep it busy.

    others: the share of the processors' time that they had (cellbench.core.machine.contention); None if unknown.
    """
    state = "busy" if others is None or is_busy(others) else "quiet"
    return f"{processor()}, {cores()} cores, {state}"


def read(path: Path = BASELINES) -> dict[str, dict[str, Any]]:
    """Return the baselines by kind of machine: 'packages', their versions, and 'ratios', lists by benchmark."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def earlier_ratios(kind: str, path: Path = BASELINES) -> dict[str, list[float]]:
    """Return the ratios of earlier runs on this kind of machine with the packages that are installed, by benchmark."""
    known = read(path).get(kind, {})
    return known.get("ratios", {}) if known.get("packages") == versions() else {}


def update(kind: str, ratios: Mapping[str, float], path: Path = BASELINES) -> None:
    """Add the ratios of a run to the baselines.

    Those of a benchmark that this run found slower begin anew, as the older ones are of faster code; so do all that
    were measured with other versions of packages. The last MOST_RUNS are kept.
    """
    known = earlier_ratios(kind, path)
    for name, ratio in ratios.items():
        slower = judge(ratio, known.get(name, []), len(ratios)).answer == "slower"
        known[name] = [*([] if slower else known.get(name, [])), round(ratio, 4)][-MOST_RUNS:]
    every = {**read(path), kind: {"packages": versions(), "ratios": known}}
    path.write_text(json.dumps(every, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def table() -> str:
    """Return a Markdown table of the baselines: how far apart runs are, and whether a loss could be found."""
    rows = []
    for kind, known in sorted(read().items()):
        for name, ratios in sorted(known["ratios"].items()):
            mean = float(np.log(ratios).mean())
            spread = float(np.log(ratios).std(ddof=1)) if len(ratios) > 1 else 0.0
            judged = judge(math.exp(mean), ratios, len(known["ratios"]))
            limit = f"≥ {judged.limit:.2f}" if judged.limit and judged.answer == "as before" else judged.answer
            title = name.removeprefix("test_").replace("_", " ")
            rows.append((kind, title, len(ratios), f"{math.exp(mean):.2f} ×", f"{spread:.0%}", limit))
    return tabulate(rows, ("machine", "benchmark", "runs", "mean", "spread", "limit"), tablefmt="github")


if __name__ == "__main__":
    print(table())
