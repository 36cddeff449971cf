"""The rule that finds a slower benchmark: what it answers, how seldom it is wrong, and what it learns from a run."""

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest

from cellbench.running.bench import judging

FILE = Path(__file__).parents[1] / "benchmarks" / "regressions.py"
SPEC = importlib.util.spec_from_file_location("regressions", FILE)
assert SPEC
assert SPEC.loader
regressions = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(regressions)

BENCHMARKS = 12  # of a run
TRIALS = 4000


def answers(spread, runs, loss=0.0):
    """The rule's answers to one benchmark's ratios of TRIALS machines that differ from run to run by `spread`."""
    rng = np.random.default_rng(0)
    logarithms = rng.normal(math.log(5), spread, (TRIALS, runs + 1))
    logarithms[:, -1] += math.log(1 - loss)
    ratios = np.exp(logarithms)
    return [judging.judge(float(row[-1]), row[:-1], BENCHMARKS).answer for row in ratios]


@pytest.mark.parametrize("runs", [10, 20, 40])
@pytest.mark.parametrize("spread", [0.01, 0.02, 0.04])
def test_false_alarms_are_at_most_one_in_200_runs(spread, runs):
    """A run has 12 benchmarks: each may raise one in 2,400. Of 4,000 that is 1.7; more than 8 has a chance of 1e-4."""
    assert answers(spread, runs).count("slower") <= 8


@pytest.mark.parametrize(("spread", "runs"), [(0.01, 10), (0.02, 10), (0.03, 20), (0.035, 40)])
def test_a_loss_of_20_percent_is_found(spread, runs):
    found = answers(spread, runs, loss=0.2)
    judged = [answer for answer in found if answer != "too noisy"]
    assert len(judged) > 0.8 * TRIALS
    assert judged.count("slower") >= 0.95 * len(judged)


def test_a_noisy_machine_is_called_noisy_and_nothing_is_guessed():
    found = answers(0.15, 10, loss=0.2)
    assert found.count("too noisy") > 0.99 * TRIALS
    assert found.count("slower") < 0.001 * TRIALS


def test_the_limit_by_hand():
    """Ten ratios, e^0.01 and e^-0.01 in turn: m = 0, s = 0.01 √(10/9); of one benchmark, t of 9 at 1/200 is 3.2498."""
    earlier = [math.exp(0.01), math.exp(-0.01)] * 5
    judged = judging.judge(0.97, earlier, benchmarks=1)
    assert judged.limit == pytest.approx(math.exp(-3.2498 * 0.01 * math.sqrt(10 / 9) * math.sqrt(1.1)), rel=1e-5)
    assert judged.answer == "as before"
    assert judging.judge(0.95, earlier, benchmarks=1).answer == "slower"
    assert judging.judge(0.1, earlier[:9], benchmarks=1).answer == "too few runs"


def test_pairs_by_hand():
    """Changes of +1 % and -1 % in turn about a loss of a tenth: their mean has a spread of 0.01 √(10/9) / √10."""
    before = [5.0] * 10
    ratios = [4.5 * math.exp(0.01 * (-1) ** i) for i in range(10)]
    judged = judging.judge_pairs(ratios, before, benchmarks=1)
    assert judged.limit == pytest.approx(math.exp(-3.2498 * 0.01 / 3), rel=1e-4)
    assert judged.answer == "slower"
    assert judging.judge_pairs(before, ratios, benchmarks=1).answer == "as before"
    wild = [5 * math.exp(0.4 * (-1) ** i) for i in range(10)]
    assert judging.judge_pairs(wild, before, benchmarks=1).answer == "too noisy"


def test_ratios_on_record_raise_no_false_alarm_and_show_a_loss():
    """Each ratio against those of the other runs, as it is and a fifth lower."""
    seen = 0
    for kind, known in regressions.read().items():
        for name, ratios in known["ratios"].items():
            for at, ratio in enumerate(ratios):
                others = ratios[:at] + ratios[at + 1 :]
                before = judging.judge(ratio, others, len(known["ratios"])).answer
                lower = judging.judge(0.8 * ratio, others, len(known["ratios"])).answer
                assert before != "slower", (kind, name, ratio)
                seen += before == "as before"
                assert lower != "as before" or ratio > np.median(others), (kind, name, ratio)
    if not seen:
        pytest.skip("no baseline is quiet enough to be judged by")


def test_a_run_is_added_and_a_slower_one_begins_anew(tmp_path, monkeypatch):
    file = tmp_path / "baselines.json"
    for i in range(12):
        regressions.update("here, quiet", {"hog": 5 + 0.01 * (i % 2), "svm": 2.0}, file)
    assert regressions.earlier_ratios("here, quiet", file) == {"hog": [5, 5.01] * 6, "svm": [2] * 12}
    regressions.update("here, quiet", {"hog": 3.0}, file)
    assert regressions.earlier_ratios("here, quiet", file) == {"hog": [3], "svm": [2] * 12}
    assert regressions.earlier_ratios("elsewhere, quiet", file) == {}
    kept = json.loads(file.read_text())
    kept["here, quiet"]["packages"]["numpy"] = "0.1"
    file.write_text(json.dumps(kept))
    assert regressions.earlier_ratios("here, quiet", file) == {}


def test_kinds_tell_busy_from_quiet(monkeypatch):
    monkeypatch.setattr(regressions, "processor", lambda: "Quick 9000")
    monkeypatch.setattr(regressions, "cores", lambda: 2)
    assert regressions.machine_kind(0.01) == "Quick 9000, 2 cores, quiet"
    assert regressions.machine_kind(0.5) == regressions.machine_kind(None) == "Quick 9000, 2 cores, busy"
