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
from cellbench.running.bench.machine import product_seconds

from . import regressions

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # before torch is imported: as in the processes of real runs

sys.path.insert(0, str(Path(__file__).parents[1]))  # processes that a benchmark starts look for its functions

# Of the fixed work that stands in for a peer where there is none: 86 GFLOP, at two cores some tenths of a second.
PRODUCTS = 40

RATIOS: list[tuple[str, str, float, float, float]] = []
STARTED = Spent.now()
JUDGED: dict[str, Judgement] = {}
NOTES: list[str] = []  # the kind of this machine, and why no earlier run judges
FIGURES: list[tuple[str, float, float, float, str]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "add the ratios of this run to benchmarks/baselines.json; a benchmark that changed begins anew"
    parser.addoption("--update-baselines", action="store_true", help=text)
    parser.addoption("--ratios", type=Path, help="write the ratios of this run to a JSON file, by benchmark")


@pytest.fixture
def keep_ratio(request) -> Callable[..., float]:
    """keep_ratio(ours, peer, name_of_peer, part) keeps the ratio of two times in seconds for the baselines, returns it.

    part: where a test has several ratios, which of them it is.
    """

    def keep(ours: float, peer: float, name: str, part: str = "") -> float:
        RATIOS.append((request.node.name + part, name, ours, peer, peer / ours))
        return peer / ours

    return keep


@pytest.fixture
def against_products(keep_ratio) -> Callable[..., float]:
    """against_products(work, rounds, part) returns the median seconds that work() returns, which has no peer.

    Fixed products of matrices are timed before and after each round, and stand in for a peer in the ratio that is kept.
    """

    def compare(work: Callable[[], float], rounds: int = 1, part: str = "") -> float:
        product_seconds()  # torch starts its threads
        fixed, seconds = [product_seconds(PRODUCTS)], []
        for _ in range(rounds):
            seconds.append(work())
            fixed.append(product_seconds(PRODUCTS))
        keep_ratio(statistics.median(seconds), statistics.median(fixed), "fixed products of matrices", part)
        return statistics.median(seconds)

    return compare


@pytest.fixture
def against(benchmark, keep_ratio):
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
        return keep_ratio(mine, theirs, name)

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
    if not ratios:
        return
    kind = regressions.machine_kind((Spent.now() - STARTED).of_others)
    known = regressions.earlier_ratios(kind)
    NOTES.extend(filter(None, (kind, regressions.why_none(kind))))
    JUDGED.update({test: judge(ratio, known.get(test, []), len(ratios)) for test, ratio in ratios.items()})
    if file := session.config.getoption("--ratios"):
        file.write_text(json.dumps(ratios), encoding="utf-8")
    if session.config.getoption("--update-baselines"):
        regressions.update(kind, ratios)
    elif session.exitstatus == pytest.ExitCode.OK and any(one.answer == "slower" for one in JUDGED.values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter) -> None:
    if RATIOS:
        terminalreporter.section("ours against a peer, medians of one run, and the limit that earlier runs give")
        for line in NOTES:
            terminalreporter.write_line(line)
        for test, peer, mine, theirs, ratio in RATIOS:
            judged = JUDGED[test]
            limit = f"≥ {judged.limit:.3g}" if judged.limit else ""
            figures = f"{mine:8.3f} s {theirs:8.3f} s {ratio:6.4g} × {limit:<7} {judged.answer:<12}"
            terminalreporter.write_line(f"{_words(test):<38} {figures} {peer}")
    if FIGURES:
        terminalreporter.section("seconds by the clock and by the processors, memory of all processes at most")
        for test, clock, busy, memory, judged in FIGURES:
            line = f"{_words(test):<44} {clock:6.2f} s  {busy:6.2f} s  {memory / 1e9:6.2f} GB"
            terminalreporter.write_line(f"{line}  judged: {judged}")


def _words(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")
