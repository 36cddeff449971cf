"""Threads and processes give results in the order of the items, and what goes wrong in one reaches the caller."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cellbench.core.errors import DataError
from cellbench.core.machine.environment import cores
from cellbench.datasets.files.parallel import AHEAD, BATCH, BATCH_BYTES, in_batches, in_order

ORPHAN = """
import sys, time
from cellbench.datasets.files.parallel import in_batches
from tests.datasets.files.test_parallel import pid_then_sleep

if __name__ == "__main__":
    list(in_batches(pid_then_sleep, [sys.argv[1]], processes=True))
"""

PIPED = """
from cellbench.datasets.files.parallel import in_batches
from tests.datasets.files.test_parallel import squares

print(sum(in_batches(squares, range(300), processes=True)))
"""


def squares(batch: list[int]) -> list[int]:
    return [n * n for n in batch]


def pids(batch: list[int]) -> list[int]:
    return [os.getpid()] * len(batch)


def inverses(batch: list[int]) -> list[float]:
    return [1 / (n - 500) for n in batch]


def hold_back_ctrl_c(batch: list[int]) -> list[bool]:
    os.kill(os.getpid(), signal.SIGINT)
    return [signal.SIGINT in signal.sigpending() for _ in batch]


def dies(batch: list[int]) -> list[int]:
    os._exit(9)


def pid_then_sleep(batch: list[str]) -> list[str]:
    Path(batch[0]).write_text(str(os.getpid()))
    time.sleep(60)
    return batch


def test_threads_return_results_in_the_order_of_the_items() -> None:
    assert list(in_order(lambda n: n * n, range(1000))) == [n * n for n in range(1000)]
    assert list(in_order(lambda n: n, [])) == []


def test_an_error_in_a_thread_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda n: 1 // (n - 500), range(1000)))


def test_processes_return_results_in_the_order_of_the_items() -> None:
    assert list(in_batches(squares, range(1000), processes=True)) == [n * n for n in range(1000)]
    assert os.getpid() not in in_batches(pids, range(1000), processes=True)


def test_an_error_in_a_process_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_batches(inverses, range(1000), processes=True))


def test_a_process_that_dies_is_told_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match="a process that reads images was ended: is the memory full"):
        list(in_batches(dies, range(10_000), processes=True))
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal masks")
def test_processes_leave_ctrl_c_to_their_parent() -> None:
    assert all(in_batches(hold_back_ctrl_c, range(1000), processes=True))
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_only_a_few_batches_are_taken_ahead_of_their_use() -> None:
    taken = []
    results = in_order(abs, (taken.append(n) or n for n in range(100_000)))
    assert next(results) == 0
    assert len(taken) == (cores() + AHEAD + 1) * BATCH
    results.close()


def test_large_items_are_taken_ahead_by_their_bytes() -> None:
    taken = []
    results = in_order(len, ((n, (taken.append(n) or "name", bytes(BATCH_BYTES // 4))) for n in range(100_000)))
    assert next(results) == 2
    assert len(taken) == (cores() + AHEAD + 1) * 4
    results.close()


def test_a_script_from_standard_input_works_with_threads(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    told = subprocess.run(
        [sys.executable, "-"], input=PIPED, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (told.stdout, told.stderr) == (f"{sum(n * n for n in range(300))}\n", "")


def test_without_semaphores_threads_do_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    import multiprocessing.synchronize  # noqa: F401 (reads a limit off what is replaced)

    def refused(*args: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("_multiprocessing.SemLock", refused)
    assert set(in_batches(pids, range(1000), processes=True)) == {os.getpid()}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script, note = tmp_path / "orphan.py", tmp_path / "pid"
    script.write_text(ORPHAN)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    parent = subprocess.Popen([sys.executable, str(script), str(note)], env=environment)
    deadline = time.monotonic() + 30
    while not (note.exists() and note.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    child = int(note.read_text())
    while _is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        return "Z" not in Path(f"/proc/{process}/stat").read_text().split()[2:3]  # dead, and nobody has asked how
    except (ProcessLookupError, FileNotFoundError):
        return False
