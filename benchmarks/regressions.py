"""Whether a ratio to a peer is lower than noise allows: the rule, and the ratios of earlier runs that it goes by.

`baselines.json` has, for each kind of machine and each benchmark, the ratio of each of the last runs. A run at another
time has other noise, so what counts is the spread between runs, not that of the rounds within one.

The rule. Logarithms of n earlier ratios are taken as normal, with mean m and standard deviation s. The next one lies
below m - t s √(1 + 1/n) with the chance that t, the quantile of Student's distribution with n - 1 degrees of freedom,
stands for: a prediction limit (Hahn & Meeker, Statistical Intervals, 1991, section 4.8). All benchmarks of a run
together may raise a false alarm once in 200 runs, so each of k may once in 200 k (Bonferroni). A ratio below its limit
is a regression. Where the spread is so large that a loss of 20 % would be found in less than 95 of 100 runs, the
machine is too noisy to say: that is the answer, and no guess. Only ratios of at least ten runs are judged by.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy import stats

from cellbench.core.contention import is_busy
from cellbench.core.environment import cores, processor, versions

BASELINES = Path(__file__).parent / "baselines.json"
LEAST_RUNS, MOST_RUNS = 10, 40
FALSE_ALARMS = 1 / 200  # of a run, all benchmarks together
LOSS = 0.2  # of the speed, that is to be found
FOUND = 0.95  # of the runs with such a loss

Answer = Literal["as before", "slower", "too noisy", "too few runs"]


@dataclass(frozen=True)
class Judgement:
    """What is said of a ratio, and the limit below which it would be a regression; None where there is none."""

    answer: Answer
    limit: float | None = None


def judge(ratio: float, earlier: Sequence[float], benchmarks: int) -> Judgement:
    """Judge a ratio by those of earlier runs; benchmarks: how many are judged in this run."""
    n = len(earlier)
    if n < LEAST_RUNS:
        return Judgement("too few runs")
    logarithms = np.log(earlier)
    spread = float(logarithms.std(ddof=1)) * math.sqrt(1 + 1 / n)
    return _judge(ratio, float(logarithms.mean()), spread, n, benchmarks)


def judge_pairs(ratios: Sequence[float], before: Sequence[float], benchmarks: int) -> Judgement:
    """Judge the mean change between ratios of two versions of the package, measured in turn, a pair at a time.

    The limit is that of the mean change, a factor: by the paired t test, with the same chances as of `judge`.
    """
    n = len(ratios)
    if n < LEAST_RUNS:
        return Judgement("too few runs")
    changes = np.log(ratios) - np.log(before)
    return _judge(math.exp(changes.mean()), 0.0, float(changes.std(ddof=1)) / math.sqrt(n), n, benchmarks)


def _judge(ratio: float, expected: float, spread: float, n: int, benchmarks: int) -> Judgement:
    """Judge a ratio whose logarithm is expected with this spread, of which n runs give an estimate."""
    below = _quantile(1 - FALSE_ALARMS / benchmarks, n - 1) * spread
    limit = math.exp(expected - below)
    if -math.log(1 - LOSS) < below + _quantile(FOUND, n - 1) * spread:
        return Judgement("too noisy", limit)
    return Judgement("slower" if ratio < limit else "as before", limit)


@cache
def _quantile(share: float, freedom: int) -> float:
    return float(stats.t.ppf(share, freedom))


def machine_kind(others: float | None) -> str:
    """Return the kind of this machine: processor, cores, and whether other programs keep it busy.

    others: the share of the processors' time that they had, see cellbench.core.contention; None if it is unknown.
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
