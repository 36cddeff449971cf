"""However the program is stopped, finished runs stay, and no process of its goes on."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from .watching import RINGS, processes_with, until

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are looked up in /proc")


STOPPED = """
import time
from cellbench.running.executors.process import Call, wait_for

def sleep(listener):
    import os
    listener("here", {"process": os.getpid()})
    for _ in range(20): time.sleep(0.05)
    return "whole"

if __name__ == "__main__":
    call = Call(sleep, (), timeout=60)
    while (ending := call.hear(lambda kind, facts: print(facts["process"], flush=True))) is None:
        wait_for([call])
    print(ending, round(call.seconds_stopped), flush=True)
    call.end()
"""


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def test_ctrl_z_stops_the_run_too_and_both_go_on_together(tmp_path):
    (tmp_path / "stopped.py").write_text(STOPPED)
    command = [sys.executable, str(tmp_path / "stopped.py")]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0)
    try:
        child = int(parent.stdout.readline())
        assert _state(child) in "SR"
        os.kill(parent.pid, signal.SIGTSTP)
        assert until(lambda: _state(parent.pid) == _state(child) == "T", 20)
        time.sleep(1)
        os.kill(parent.pid, signal.SIGCONT)
        assert parent.stdout.readline().startswith("('done', 'whole') 1")
        assert parent.wait(60) == 0
    finally:
        parent.kill()


@pytest.fixture
def matrix_at_work(request, toy_folder, bad_plugin, tmp_path):
    """`cellbench run` with one run finished and the next under way in its child: the process, its mark, its results.

    What the next does is the fixture's parameter, 'sleeps' without one.
    """
    rings = tmp_path / "rings.py"  # the toy data as a data set that the command knows
    rings.write_text(RINGS)
    mark, results, said = uuid.uuid4().hex, tmp_path / "results", tmp_path / "said"
    arguments = [
        "run",
        "-v",
        "-d",
        "rings-toy",
        "-m",
        "svm-flat",
        "-m",
        "bad",
        "--set",
        f"bad:how={getattr(request, 'param', 'sleeps')}",
    ]
    arguments += ["--plugin", str(rings), "--plugin", str(bad_plugin), "-o", str(results)]
    with said.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "cellbench", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, "CELLBENCH_TEST_MARK": mark},
            start_new_session=True,
        )
    try:
        asleep = until(lambda: "bad on toy" in (text := said.read_text()) and text.endswith("    fit\n"), 60)
        assert asleep, said.read_text()
        yield process, mark, results, said
    finally:
        for left in processes_with(mark):
            os.kill(left, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("to_all", [False, True], ids=["the program", "its whole process group"])
def test_sigterm_ends_the_child_at_work_keeps_what_is_finished_and_exits_143(matrix_at_work, to_all):
    process, mark, results, said = matrix_at_work
    assert len(processes_with(mark)) >= 3  # the program, the fork server, the run
    (os.killpg if to_all else os.kill)(process.pid, signal.SIGTERM)
    assert process.wait(timeout=20) == 143
    assert until(lambda: not processes_with(mark), 10), processes_with(mark)
    assert [path.parent.name for path in results.rglob("*.json")] == ["svm-flat"]
    assert not list(results.rglob("*.part"))
    assert said.read_text().splitlines()[-1].startswith("stopped; finished runs are saved.")
    assert "Traceback" not in said.read_text()


@pytest.mark.parametrize("matrix_at_work", ["sleeps", "holds the lock"], indirect=True)
def test_a_program_that_is_killed_outright_leaves_no_run_behind(matrix_at_work):
    process, mark, results, _ = matrix_at_work
    process.kill()
    assert process.wait(timeout=20) == -signal.SIGKILL
    assert until(lambda: not processes_with(mark), 10), processes_with(mark)
    assert [path.parent.name for path in results.rglob("*.json")] == ["svm-flat"]
