"""The share of the processors that other programs had."""

import subprocess
import sys
import time

import psutil
import pytest

from cellbench.core.contention import NOTHING, Spent
from cellbench.core.runs import RunLog


def test_what_others_had_is_what_was_used_less_ones_own():
    assert (Spent(there=40, used=30, own=10) - Spent(there=20, used=14, own=9)).of_others == pytest.approx(
        (16 - 1) / 20
    )
    assert (Spent(2, 2, 0) + Spent(2, 0, 0)).of_others == 0.5


def test_a_time_too_short_to_be_told_has_no_share():
    assert NOTHING.of_others is None
    assert Spent(there=0.9, used=0.9, own=0).of_others is None


def test_rounding_makes_no_share_below_none_or_above_all():
    assert Spent(there=2, used=1.00, own=1.01).of_others == 0
    assert Spent(there=2, used=2.01, own=0).of_others == 1


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
    assert log.spent.own >= 0.4
    assert log.spent.of_others >= had / log.spent.there - 0.05
    assert log.spent.used - log.spent.own >= had - 0.1


def test_only_phases_that_train_are_counted():
    log = RunLog()
    with log.phase("predict"):
        time.sleep(0.05)
    assert log.spent == NOTHING
    with log.phase("features"):
        time.sleep(0.05)
    assert log.spent.there > 0
