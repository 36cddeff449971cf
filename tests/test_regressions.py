"""The rule that finds a slower benchmark: what it answers, how seldom it is wrong, and what it learns from a run."""

import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

import cellbench
from cellbench.running.bench import judging, machine

FILE = Path(__file__).parents[1] / "benchmarks" / "regressions.py"
SPEC = importlib.util.spec_from_file_location("regressions", FILE)
assert SPEC
assert SPEC.loader
regressions = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(regressions)

BENCHMARKS = 20  # of a run, about as many as `pytest benchmarks` has
TRIALS = 4000

# The ratios of 13 runs of two benchmarks within forty minutes, on two cores that other programs kept busy.
STORED = {
    "hog": (3.6742, 3.1196, 3.1646, 5.2323, 5.4801, 3.6415, 8.3193, 5.7615, 9.6426, 2.8097, 9.8407, 5.5377, 4.0505),
    "intervals": (
        3.4858, 3.1854, 3.7862, 3.7729, 3.5905, 3.9158, 3.3743, 3.3253, 4.0772, 3.5014, 3.7649, 3.4091, 2.9545,
    ),
}  # fmt: skip


def shares(logarithms, loss=0.0):
    """The share of each answer of the rule to the last ratio of each row, that is lower by `loss`, by those before it.

    logarithms: (trials, runs + 1), of ratios.
    """
    ratios = np.exp(logarithms)
    ratios[:, -1] *= 1 - loss
    answers = [judging.judge(float(row[-1]), row[:-1], BENCHMARKS).answer for row in ratios]
    return {answer: answers.count(answer) / len(answers) for answer in get_args(judging.Answer)}


def drawn(spread, runs):
    """Normal logarithms of TRIALS machines that differ from run to run by `spread`."""
    return np.random.default_rng(0).normal(math.log(5), spread, (TRIALS, runs + 1))


def resampled(runs, spread=None):
    """Logarithms of stored ratios about their mean, drawn with replacement; spread: what they are scaled to, if any."""
    rng, rows = np.random.default_rng(0), []
    for ratios in STORED.values():
        about = np.log(ratios) - np.log(ratios).mean()
        rows.append(about if spread is None else about * spread / about.std(ddof=1))
    return np.concatenate([rng.choice(row, (TRIALS // 2, runs + 1)) for row in rows])


@pytest.mark.parametrize("runs", [10, 20, 40])
@pytest.mark.parametrize("spread", [0.01, 0.02, 0.04, 0.15])
def test_false_alarms_are_at_most_one_in_200_runs(spread, runs):
    """A run has 20 benchmarks: each may raise one in 4,000. Of 4,000 that is one; more than 6 has a chance of 1e-4."""
    assert shares(drawn(spread, runs))["slower"] * TRIALS <= 6


@pytest.mark.parametrize("runs", [10, 20, 40])
@pytest.mark.parametrize("spread", [None, 0.01, 0.02, 0.04])
def test_stored_ratios_raise_no_more_false_alarms(spread, runs):
    """Resampled as they are, and scaled to quieter machines: their distribution is not normal."""
    assert shares(resampled(runs, spread))["slower"] * TRIALS <= 6


# The largest spreads, in steps of half a per cent, with which a loss of 20 % is found in 95 of 100 runs: of all runs,
# not only of those that are quiet enough to be judged.
ENOUGH = [(0.025, 10), (0.035, 20), (0.035, 40)]


@pytest.mark.parametrize(("spread", "runs"), [(0.01, 10), *ENOUGH])
def test_a_loss_of_20_percent_is_found(spread, runs):
    for logarithms in (drawn(spread, runs), resampled(runs, spread)):
        found = shares(logarithms, loss=0.2)
        assert found["slower"] >= 0.95
        assert found["slower"] >= 0.95 * (1 - found["too noisy"])


@pytest.mark.parametrize(("spread", "runs", "share"), [(0.03, 10, 0.89), (0.04, 20, 0.86), (0.05, 40, 0.71)])
def test_on_a_noisier_machine_it_is_found_less_often_and_else_called_too_noisy(spread, runs, share):
    found = shares(drawn(spread, runs), loss=0.2)
    print(f"spread {spread:.1%}, {runs} runs: {found}")
    assert found["slower"] == pytest.approx(share, abs=0.02)
    assert found["slower"] + found["too noisy"] > 0.985
    assert found["slower"] >= 0.95 * (found["slower"] + found["as before"])


def test_a_noisy_machine_is_called_noisy_and_nothing_is_guessed():
    """Without a loss; with one of a fifth, a ratio below the limit is still a rare one."""
    assert shares(drawn(0.15, 10))["too noisy"] > 0.99
    found = shares(drawn(0.15, 10), loss=0.2)
    assert found["too noisy"] > 0.97
    assert found["slower"] < 0.03
    assert found["as before"] == 0


def test_a_ratio_below_the_limit_is_slower_however_noisy_the_machine_is():
    earlier = [5 * math.exp(0.1 * (-1) ** i) for i in range(10)]
    judged = judging.judge(4.5, earlier, benchmarks=1)
    assert judged.answer == "too noisy"
    assert judging.judge(0.99 * judged.limit, earlier, benchmarks=1).answer == "slower"
    assert judging.judge(10.0, earlier, benchmarks=1).answer == "faster"


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
    assert judging.judge_pairs(before, ratios, benchmarks=1).answer == "faster"
    assert judging.judge_pairs(ratios, ratios[::-1], benchmarks=1).answer == "as before"
    wild = [5 * math.exp(0.4 * (-1) ** i) for i in range(10)]
    assert judging.judge_pairs(wild, before, benchmarks=1).answer == "too noisy"


def test_pairs_may_differ_by_what_is_allowed():
    ratios = [5 * 0.85 * math.exp(0.01 * (-1) ** i) for i in range(10)]
    assert judging.judge_pairs(ratios, [5.0] * 10, benchmarks=1).answer == "slower"
    assert judging.judge_pairs(ratios, [5.0] * 10, benchmarks=1, allowed=0.15).answer != "slower"
    assert judging.judge_pairs(ratios, [5.0] * 10, benchmarks=1, allowed=0.1).limit == pytest.approx(
        0.9 * math.exp(-3.2498 * 0.01 / 3), rel=1e-4
    )


def test_what_lasts_for_the_life_of_a_process_raises_no_false_alarm_where_each_pair_has_its_own():
    """Processes of the same code differ by 5 % as long as they live, and turns by 1 %: 6 pairs of 3 turns, 3 works.

    Twenty turns of one pair, allowed the same tenth, would be called slower in some of a hundred.
    """
    rng, lives, turns = np.random.default_rng(0), 0.05 * math.sqrt(2), 0.01 * math.sqrt(2)

    def alarms(changes):
        ones = np.ones(changes.shape[1])
        answers = [judging.judge_pairs(np.exp(row), ones, benchmarks=3, allowed=0.1).answer for row in changes]
        return answers.count("slower")

    of_one_pair = rng.normal(0, lives, (TRIALS, 1)) + rng.normal(0, turns, (TRIALS, 20))
    of_six_pairs = rng.normal(0, lives, (TRIALS, 6)) + rng.normal(0, turns / math.sqrt(3), (TRIALS, 6))
    assert alarms(of_one_pair) > TRIALS / 100
    assert alarms(of_six_pairs) <= TRIALS / 1000


@pytest.mark.parametrize(("loss", "spread"), [(0.2, 0.02), (0.25, 0.03)])
def test_six_pairs_find_a_loss(loss, spread):
    changes = math.log(1 - loss) + np.random.default_rng(0).normal(0, spread, (TRIALS, 6))
    answers = [judging.judge_pairs(np.exp(row), np.ones(6), benchmarks=3, allowed=0.1).answer for row in changes]
    print(f"a loss of {loss:.0%}, spread {spread:.0%}: slower in {answers.count('slower') / TRIALS:.1%}")
    assert answers.count("slower") > 0.9 * TRIALS


def test_fewer_than_four_pairs_judge_nothing():
    assert judging.judge_pairs([1.0] * 3, [5.0] * 3, benchmarks=1).answer == "too few runs"


ON_RECORD = [ratios for known in regressions.read().values() for ratios in known["ratios"].values()]


@pytest.mark.parametrize("ratios", [*STORED.values(), *ON_RECORD])
def test_ratios_on_record_raise_no_false_alarm(ratios):
    """Each ratio against those of the other runs, as it is and a fifth lower."""
    for at, ratio in enumerate(ratios):
        others = [*ratios[:at], *ratios[at + 1 :]]
        assert judging.judge(ratio, others, BENCHMARKS).answer != "slower"
        lower = judging.judge(0.8 * ratio, others, BENCHMARKS).answer
        assert lower != "as before" or ratio > np.median(others)


def test_a_run_is_added_and_one_that_differs_begins_anew(tmp_path):
    file = tmp_path / "baselines.json"
    for i in range(12):
        regressions.update("here, quiet", {"hog": 5 + 0.01 * (i % 2), "svm": 2.0}, file)
    assert regressions.earlier_ratios("here, quiet", file) == {"hog": [5, 5.01] * 6, "svm": [2] * 12}
    regressions.update("here, quiet", {"hog": 3.0}, file)
    assert regressions.earlier_ratios("here, quiet", file) == {"hog": [3], "svm": [2] * 12}
    regressions.update("here, quiet", {"svm": 2.5}, file)
    assert regressions.earlier_ratios("here, quiet", file) == {"hog": [3], "svm": [2.5]}
    assert regressions.earlier_ratios("elsewhere, quiet", file) == {}


def test_a_baseline_of_other_packages_is_said_to_judge_nothing(tmp_path):
    file = tmp_path / "baselines.json"
    assert "no baseline of this kind of machine" in regressions.why_none("here, quiet", file)
    regressions.update("here, quiet", {"hog": 5.0}, file)
    assert regressions.why_none("here, quiet", file) == ""
    kept = json.loads(file.read_text())
    kept["here, quiet"]["packages"]["numpy"] = "0.1"
    file.write_text(json.dumps(kept))
    assert regressions.earlier_ratios("here, quiet", file) == {}
    said = regressions.why_none("here, quiet", file)
    assert f"numpy 0.1 → {np.__version__})" in said
    assert "\n" not in said


def test_kinds_tell_busy_from_quiet(monkeypatch):
    monkeypatch.setattr(machine, "kind", lambda: "Quick 9000, 2 cores")
    assert regressions.machine_kind(0.01) == "Quick 9000, 2 cores, quiet"
    assert regressions.machine_kind(0.5) == regressions.machine_kind(None) == "Quick 9000, 2 cores, busy"


def test_a_kind_says_what_changes_a_ratio(monkeypatch):
    monkeypatch.setattr(machine, "processor", lambda: "Quick 9000")
    monkeypatch.setattr(machine, "cores", lambda: 2)
    words = machine.kind().split(", ")
    assert words[:3] == ["Quick 9000", "2 cores", f"{torch.get_num_threads()} threads"]
    assert words[4] in ("bf16", "no bf16")
    assert words[5:] == [f"Python {sys.version_info.major}.{sys.version_info.minor}"]


def test_a_kind_is_the_same_however_fast_the_machine_is_at_that_moment(monkeypatch):
    before = machine.kind()
    monkeypatch.setattr(machine, "product_seconds", lambda times=1: pytest.fail("measured"))
    assert machine.kind() == before


TESTS = """
def test_with_a_peer(against):
    assert against(lambda: 0.5, lambda: 2.0, "nobody", rounds=2) == 4

def test_without_a_peer(against_products, keep_ratio):
    assert against_products(lambda: 0.5, 3, part="_alone") == 0.5
    assert keep_ratio(2.0, 3.0, "another") == 1.5
"""


def test_every_benchmark_of_a_run_has_a_ratio_and_the_output_says_what_judges(tmp_path):
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    for name in ("__init__.py", "conftest.py", "regressions.py"):
        shutil.copy(FILE.with_name(name), folder)
    (folder / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "benchmarks", "--update-baselines"]
    package = str(Path(cellbench.__file__).parents[1])
    for _ in range(2):
        done = subprocess.run(
            [*command, "--ratios", "ratios.json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([package, str(tmp_path)])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "fixed products of matrices" in done.stdout
        ratios = json.loads((tmp_path / "ratios.json").read_text())
        assert ratios.pop("test_without_a_peer_alone") > 0
        assert ratios == {"test_with_a_peer": 4.0, "test_without_a_peer": 1.5}
        kept = json.loads((folder / "baselines.json").read_text())
        begun = "no baseline of this kind of machine" in done.stdout
        assert begun is all(len(one) == 1 for known in kept.values() for one in known["ratios"].values())
    assert {name for one in kept.values() for name in one["ratios"]} == {*ratios, "test_without_a_peer_alone"}
