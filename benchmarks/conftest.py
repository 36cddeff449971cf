"""Timings as ratios: ours against a peer, turn by turn in one run, so that a noisy machine slows both alike."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cellbench.core.machine.contention import Spent
from cellbench.running.bench.judging import Judgement, judge

from . import regressions

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # before torch is imported: as in the processes of real runs

sys.path.insert(0, str(Path(__file__).parents[1]))  # processes that a benchmark starts look for its functions

RATIOS: list[tuple[str, str, float, float, float]] = []
STARTED = Spent.now()
JUDGED: dict[str, Judgement] = {}
FIGURES: list[tuple[str, float, float, float, str]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "add the ratios of this run to benchmarks/baselines.json; where it is slower, its ratios begin anew"
    parser.addoption("--update-baselines", action="store_true", help=text)
    parser.addoption("--ratios", type=Path, help="write the ratios of this run to a JSON file, by benchmark")


@pytest.fixture
def against(benchmark, request):
    """against(ours, peer, name_of_peer, rounds, warm) times both in turn and returns peer / ours, of medians.

    A function that returns a float is judged by it: the seconds that count, without what it had to prepare.
    warm: whether both are called once before, for imports, kernels and the page cache; not where each call has
    processes of its own, which it warms.
    """

    def compare(
        ours: Callable[[], object], peer: Callable[[], object], name: str, rounds: int = 5, warm: bool = True
    ) -> float:
        if warm:
            ours(), peer()
        our_seconds: list[float] = []
        peer_seconds: list[float] = []
        benchmark.pedantic(
            lambda: our_seconds.append(_seconds(ours)),
            setup=lambda: peer_seconds.append(_seconds(peer)),
            rounds=rounds,
        )
        mine, theirs = statistics.median(our_seconds), statistics.median(peer_seconds)
        benchmark.extra_info.update(peer=name, peer_median=theirs, ratio=theirs / mine)
        RATIOS.append((request.node.name, name, mine, theirs, theirs / mine))
        return theirs / mine

    return compare


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    own = work()
    return own if isinstance(own, float) else time.perf_counter() - start


@pytest.fixture
def figures() -> Callable[[str, float, float, float, str], None]:
    """figures(test, seconds, processor_seconds, bytes, judged) puts them into the summary; judged: which seconds."""
    return lambda *line: FIGURES.append(line)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which a ratio is lower than the noise of earlier runs allows."""
    ratios = {test: ratio for test, *_, ratio in RATIOS}
    kind = regressions.machine_kind((Spent.now() - STARTED).of_others)
    known = regressions.earlier_ratios(kind)
    JUDGED.update({test: judge(ratio, known.get(test, []), len(ratios)) for test, ratio in ratios.items()})
    if file := session.config.getoption("--ratios"):
        file.write_text(json.dumps(ratios), encoding="utf-8")
    if session.config.getoption("--update-baselines") and ratios:
        regressions.update(kind, ratios)
    elif session.exitstatus == pytest.ExitCode.OK and any(one.answer == "slower" for one in JUDGED.values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter) -> None:
    if RATIOS:
        kind = regressions.machine_kind((Spent.now() - STARTED).of_others)
        terminalreporter.section("ours against a peer, medians of one run, and the limit that earlier runs give")
        terminalreporter.write_line(kind)
        for test, peer, mine, theirs, ratio in RATIOS:
            judged = JUDGED[test]
            limit = f"≥ {judged.limit:.2f}" if judged.limit else ""
            figures = f"{mine:8.3f} s {theirs:8.3f} s {ratio:6.2f} × {limit:<7} {judged.answer:<12}"
            terminalreporter.write_line(f"{_words(test):<38} {figures} {peer}")
    if FIGURES:
        terminalreporter.section("seconds by the clock and by the processors, memory of all processes at most")
        for test, clock, busy, memory, judged in FIGURES:
            line = f"{_words(test):<44} {clock:6.2f} s  {busy:6.2f} s  {memory / 1e9:6.2f} GB"
            terminalreporter.write_line(f"{line}  judged: {judged}")


def _words(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")
