"""Timings as ratios: ours against a peer, turn by turn in one run, so that a noisy machine slows both alike."""

import statistics
import time
from collections.abc import Callable

import pytest

RATIOS: list[tuple[str, str, float, float, float]] = []


@pytest.fixture
def against(benchmark, request):
    """against(ours, peer, name_of_peer, rounds) times both in turn and returns peer / ours, of medians."""

    def compare(ours: Callable[[], object], peer: Callable[[], object], name: str, rounds: int = 5) -> float:
        ours(), peer()  # warm: imports, kernels, the page cache
        seconds = []

        def peers_turn() -> None:
            start = time.perf_counter()
            peer()
            seconds.append(time.perf_counter() - start)

        benchmark.pedantic(ours, setup=peers_turn, rounds=rounds)
        mine, theirs = benchmark.stats.stats.median, statistics.median(seconds)
        benchmark.extra_info.update(peer=name, peer_median=theirs, ratio=theirs / mine)
        RATIOS.append((request.node.name, name, mine, theirs, theirs / mine))
        return theirs / mine

    return compare


def pytest_terminal_summary(terminalreporter) -> None:
    if RATIOS:
        terminalreporter.section("ours against a peer, medians of one run")
        for test, peer, mine, theirs, ratio in RATIOS:
            what = test.removeprefix("test_").replace("_", " ")
            terminalreporter.write_line(f"{what:<32} {mine:8.3f} s   {theirs:8.3f} s   {ratio:6.2f} ×   {peer}")
