"""The share of the processors that other programs had."""

import subprocess
import sys
import time
from typing import NamedTuple

import psutil
import pytest

from cellbench.core.machine import contention
from cellbench.core.machine.contention import NOTHING, Spent
from cellbench.core.records.runs import RunLog


@pytest.fixture
def two_processors(monkeypatch):
    monkeypatch.setattr(contention, "USABLE", frozenset({0, 1}))
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: [Times(10, 20, 70)] * 4)


class Times(NamedTuple):
    user: float
    system: float
    idle: float
    iowait: float = 0
    guest: float = 0


def test_of_a_shared_machine_the_processors_that_this_process_may_use_are_counted(monkeypatch):
    """One of a guest is in user."""
    every = [Times(500, 500, 0), Times(30, 10, 50, iowait=10, guest=20), Times(1, 2, 97), Times(900, 0, 100)]
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: every)
    for usable, there, used in (({1, 2}, 200, 43), ({1}, 100, 40), (None, 2200, 1943), ({1, 4}, 2200, 1943)):
        monkeypatch.setattr(contention, "USABLE", usable)
        assert (Spent.now().total_seconds, Spent.now().busy_seconds) == (there, used)


def test_what_others_had_is_what_was_used_less_ones_own(two_processors):
    earlier = Spent(total_seconds=20, busy_seconds=14, own_seconds=9)
    later = Spent(total_seconds=40, busy_seconds=30, own_seconds=10)
    assert (later - earlier).of_others == pytest.approx((16 - 1) / 20)
    assert (Spent(2, 2, 0) + Spent(2, 0, 0)).of_others == 0.5


def test_a_time_too_short_to_be_told_has_no_share(two_processors):
    assert NOTHING.of_others is None
    assert Spent(total_seconds=0.98, busy_seconds=0.9, own_seconds=0).of_others is None  # 0.49 s of two
    assert Spent(total_seconds=1.00, busy_seconds=1.0, own_seconds=0).of_others == 1


def test_rounding_makes_no_share_below_none_or_above_all(two_processors):
    assert Spent(total_seconds=2, busy_seconds=1.00, own_seconds=1.01).of_others == 0
    assert Spent(total_seconds=2, busy_seconds=2.01, own_seconds=0).of_others == 1


def test_another_program_at_work_is_seen_and_ones_own_work_is_not():
    busy = "import time\nend = time.perf_counter() + 60\nwhile time.perf_counter() < end: pass"
    other = subprocess.Popen([sys.executable, "-c", busy])
    try:
        of_other = psutil.Process(other.pid)
        while sum(of_other.cpu_times()[:2]) < 0.2:  # it is started and at work
            time.sleep(0.05)
        log, before = RunLog(), sum(of_other.cpu_times()[:2])
        with log.phase("fit"):
            mine, end = time.process_time(), time.perf_counter() + 1
            while time.process_time() < mine + 0.5 or time.perf_counter() < end:
                pass
        had = sum(of_other.cpu_times()[:2]) - before
    finally:
        other.kill()
        other.wait()
    assert log.spent.own_seconds >= 0.4
    assert log.spent.of_others >= had / log.spent.total_seconds - 0.05
    assert log.spent.busy_seconds - log.spent.own_seconds >= had - 0.1


def test_only_phases_that_train_are_counted():
    log = RunLog()
    with log.phase("predict"):
        time.sleep(0.05)
    assert log.spent == NOTHING
    with log.phase("features"):
        time.sleep(0.05)
    assert log.spent.total_seconds > 0
