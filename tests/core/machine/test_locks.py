"""Locks: one process has them, they end with it, and a file that is left behind locks nothing."""

import subprocess
import sys

import pytest

from cellbench.core.machine import locks

HOLDS = """
import sys, time
from pathlib import Path
from cellbench.core.machine import locks
lock = locks.take(Path(sys.argv[1]), shared=sys.argv[2] == "shared")
lock.note("mine")
print("held", flush=True)
time.sleep(60)
"""

pytestmark = pytest.mark.skipif(locks.fcntl is None, reason="this system has no locks of flock")


@pytest.fixture
def other_process(tmp_path):
    """Starts a process that holds the lock of a file, alone or shared."""
    started = []

    def start(kind):
        command = [sys.executable, "-c", HOLDS, str(tmp_path / "lock"), kind]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_lock_ends_with_its_process_even_if_it_is_killed(other_process, tmp_path):
    path = tmp_path / "lock"
    holder = other_process("alone")
    assert locks.take(path) is None
    assert locks.take(path, shared=True) is None
    assert path.read_text() == "mine"
    holder.kill()
    holder.wait()
    assert path.exists()  # the file stays, and locks nothing
    lock = locks.take(path)
    assert lock.is_kept
    lock.release(remove=True)
    assert not path.exists()


def test_several_share_a_lock_and_nobody_has_it_alone_meanwhile(other_process, tmp_path):
    holder = other_process("shared")
    shared = locks.take(tmp_path / "lock", shared=True)
    assert shared.is_kept
    holder.kill()
    holder.wait()
    assert locks.take(tmp_path / "lock") is None
    shared.release()
    assert locks.take(tmp_path / "lock").is_kept


def test_a_lock_whose_file_was_deleted_is_not_taken_for_that_of_the_new_file(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    first = locks.take(path)
    flock, opened = locks.fcntl.flock, []

    def while_it_is_given_back(file, how):
        opened.append(file)
        if len(opened) == 1:
            first.release(remove=True)
        flock(file, how)

    monkeypatch.setattr(locks.fcntl, "flock", while_it_is_given_back)
    lock = locks.take(path)
    assert len(opened) == 2
    assert lock.is_kept
    assert path.exists()


def test_where_no_lock_can_be_kept_everybody_has_it(tmp_path, monkeypatch):
    lock = locks.take(tmp_path / "no such folder" / "lock")
    assert not lock.is_kept
    lock.note("mine")
    lock.release(remove=True)

    def unsupported(file, how):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", unsupported)
    assert not locks.take(tmp_path / "lock").is_kept
