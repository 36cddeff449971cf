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
from cellbench.core.machine.environment import versions
from cellbench.running.bench import machine
from cellbench.running.bench.judging import judge

BASELINES = Path(__file__).parent / "baselines.json"
MOST_RUNS = 40


def machine_kind(others: float | None) -> str:
    """Return the kind of this machine, and whether other programs keep it busy.

    others: the share of the processors' time that they had (cellbench.core.machine.contention); None if unknown.
    """
    return f"{machine.kind()}, {'busy' if others is None or is_busy(others) else 'quiet'}"


def read(path: Path = BASELINES) -> dict[str, dict[str, Any]]:
    """Return the baselines by kind of machine: 'packages', their versions, and 'ratios', lists by benchmark."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def earlier_ratios(kind: str, path: Path = BASELINES) -> dict[str, list[float]]:
    """Return the ratios of earlier runs on this kind of machine with the packages that are installed, by benchmark."""
    known = read(path).get(kind, {})
    return known.get("ratios", {}) if known.get("packages") == versions() else {}


def why_none(kind: str, path: Path = BASELINES) -> str:
    """Return why no earlier ratio judges a run on this kind of machine, in one line; '' if some do."""
    if earlier_ratios(kind, path):
        return ""
    known = read(path).get(kind)
    if known is None:
        return "no baseline of this kind of machine: floors alone judge; --update-baselines begins one"
    before, now = known["packages"], versions()
    changed = [
        f"{name} {before.get(name, 'missing')} → {now.get(name, 'missing')}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    return (
        f"the baseline was measured with other packages ({', '.join(changed)}): floors alone judge; "
        "--update-baselines begins it anew"
    )


def update(kind: str, ratios: Mapping[str, float], path: Path = BASELINES) -> None:
    """Add the ratios of a run to the baselines.

    Those of a benchmark that this run found slower or faster begin anew, as the older ones are of other code; so do all
    that were measured with other versions of packages. The last MOST_RUNS are kept.
    """
    known = earlier_ratios(kind, path)
    for name, ratio in ratios.items():
        before = known.get(name, [])
        changed = judge(ratio, before, len(ratios)).answer in ("slower", "faster")
        known[name] = [*([] if changed else before), float(f"{ratio:.5g}")][-MOST_RUNS:]
    every = {**read(path), kind: {"packages": versions(), "ratios": known}}
    path.write_text(json.dumps(every, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


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
    if not rows:
        return "No baseline is stored: not yet measured."
    return tabulate(rows, ("machine", "benchmark", "runs", "mean", "spread", "limit"), tablefmt="github")


if __name__ == "__main__":
    print(table())
