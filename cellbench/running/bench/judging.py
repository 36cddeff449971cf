"""Whether a ratio to a peer is lower than noise allows, by the ratios of earlier runs.

A run at another time has other noise, so what counts is the spread between runs, not that of the rounds within one.

Logarithms of n earlier ratios are taken as normal, with mean m and standard deviation s. The next one lies
below m - t s √(1 + 1/n) with the chance that t, the quantile of Student's distribution with n - 1 degrees of freedom,
stands for: a prediction limit (Hahn & Meeker, Statistical Intervals, 1991, section 4.8). All benchmarks of a run
together may raise a false alarm once in 200 runs, so each of k may once in 200 k (Bonferroni). A ratio below its limit
is a regression, however large the spread is: the limit allows for it. One as far above is faster. In between, where a
loss of 20 % would be found in less than 95 of 100 runs, the machine is too noisy to say that nothing changed: that is
the answer, and no guess. Only ratios of at least ten runs are judged by.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

LEAST_RUNS = 10
LEAST_PAIRS = 4  # of runs of two versions in turn
FALSE_ALARMS = 1 / 200  # of a run, all benchmarks together
LOSS = 0.2  # of the speed, that is to be found
FOUND = 0.95  # of the runs with such a loss

Answer = Literal["as before", "slower", "faster", "too noisy", "too few runs"]


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


def judge_pairs(ratios: Sequence[float], before: Sequence[float], benchmarks: int, allowed: float = 0.0) -> Judgement:
    """Judge the mean change between ratios of two versions of the package, measured in turn, a pair at a time.

    The limit is that of the mean change, a factor: by the paired t test, with the same chances as of `judge`. What
    lasts for the life of a process is in the spread only if each pair has processes of its own.
    allowed: the share of the speed by which the two may differ for other reasons than their code.
    """
    n = len(ratios)
    if n < LEAST_PAIRS:
        return Judgement("too few runs")
    changes = np.log(ratios) - np.log(before)
    return _judge(math.exp(changes.mean()), 0.0, float(changes.std(ddof=1)) / math.sqrt(n), n, benchmarks, allowed)


def _judge(ratio: float, expected: float, spread: float, n: int, benchmarks: int, allowed: float = 0.0) -> Judgement:
    """Judge a ratio whose logarithm is expected with this spread, of which n runs give an estimate."""
    margin = _quantile(1 - FALSE_ALARMS / benchmarks, n - 1) * spread - math.log(1 - allowed)
    limit = math.exp(expected - margin)
    if ratio < limit:
        return Judgement("slower", limit)
    if ratio > math.exp(expected + margin):
        return Judgement("faster", limit)
    found = -math.log(1 - LOSS) >= margin + _quantile(FOUND, n - 1) * spread
    return Judgement("as before" if found else "too noisy", limit)


@cache
def _quantile(share: float, freedom: int) -> float:
    from scipy import stats

    return float(stats.t.ppf(share, freedom))
