"""Whatever a method does to its process, its run alone fails, with its reason, and nothing of it lives on."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from cellbench.core.errors import UsageError
from cellbench.core.machine.processes import use_short_temporary_folder
from cellbench.core.records.runs import RunRecord
from cellbench.core.records.store import Store
from cellbench.datasets.cached import remove_cached
from cellbench.datasets.files import cache
from cellbench.running.executors import child, process
from cellbench.running.planning.plan import make_plan, parse_override

from ..watching import RINGS, processes_with, until

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what Linux alone can do")

HARMFUL = """
import os, signal, subprocess, sys, time
import numpy as np
from cellbench.methods import method

@method("harmful", "", family="classic")
def harmful(train, val, log, *, how: str = "nothing"):
    if how == "exits with a reason": sys.exit("the licence server is down")
    if how == "prints much":
        for i in range(30): os.write(1, b"x" * 100_000)
        raise ValueError("that was all")
    if how == "says much": raise ValueError("x" * 50_000_000)
    if how == "escapes": raise ValueError("\\x1b[31mred\\nline")
    if how == "cannot say":
        class Mute(Exception):
            def __str__(self): raise RuntimeError
        raise Mute
    if how == "exits as a script does": os._exit(87)
    if how == "interrupts": raise KeyboardInterrupt
    if how == "kills its group": os.killpg(0, signal.SIGKILL)
    if how == "leaves one behind":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False)
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "holds the GIL":
        import ctypes
        log.phase("fit").__enter__()
        ctypes.PyDLL(None).sleep(60)
    return lambda images: np.zeros((len(images), 3))
"""


@pytest.fixture
def harmful(toy_folder, tmp_path):
    """Runs the method in a child; how: what it does there."""
    from cellbench.core.registry import load_plugin_file
    from cellbench.methods import methods

    file = tmp_path / "harmful_methods.py"
    file.write_text(HARMFUL)
    methods._entries.pop("harmful", None)
    load_plugin_file(file)

    def go(how: str) -> RunRecord:
        (job,) = make_plan(["harmful"], [toy_folder], overrides=[parse_override(f"how={how}")])
        return child.run_job(job, lambda *_: None, plugins=[file])[0]

    yield go
    methods._entries.pop("harmful", None)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("exits as a script does", "its process ended with exit code 87 before it had finished"),
        ("exits with a reason", "SystemExit: the licence server is down (harmful_methods.py:"),
        ("escapes", r"ValueError: \x1b[31mred line (harmful_methods.py:"),
        ("cannot say", "Mute: no message (harmful_methods.py:"),
        ("interrupts", "KeyboardInterrupt: no message (harmful_methods.py:"),
        ("kills its group", "its process was ended by SIGKILL"),
    ],
)
def test_its_run_fails_with_the_reason(harmful, how, reason):
    record = harmful(how)
    assert record.status == "failed"
    assert record.reason.startswith(reason)
    assert harmful("nothing").status == "ok"  # the fork server lives on


def test_a_long_reason_is_cut(harmful):
    record = harmful("says much")
    assert record.reason.startswith("ValueError: xxx")
    assert 900 < len(record.reason) < 1100


def test_of_what_a_run_prints_a_megabyte_is_passed_on(harmful, capfd):
    assert harmful("prints much").reason.startswith("ValueError: that was all")
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.count("x") == process.MOST_OUTPUT
    assert told.err.count("(what it prints beyond 1.0 MB is left out)") == 1


@LINUX
def test_a_child_that_dies_while_its_own_child_holds_the_pipe_is_noticed_and_leaves_nobody(harmful):
    start = time.monotonic()
    record = harmful("leaves one behind")
    assert time.monotonic() - start < 30
    assert record.reason.startswith("its process was ended by SIGKILL")


PROGRAM = """
import sys
import cellbench
if __name__ == "__main__":
    cellbench.run([sys.argv[1]], ["harmful"], set=["how=" + sys.argv[2]], plugins=[sys.argv[3]], output=sys.argv[4],
                  verbose=True)
"""


@LINUX
def test_a_program_killed_outright_takes_a_run_with_it_that_holds_the_interpreter(tmp_path):
    plugin, cells = tmp_path / "harmful_methods.py", tmp_path / "rings.py"
    plugin.write_text(HARMFUL + RINGS)
    (tmp_path / "program.py").write_text(PROGRAM)
    mark, said = f"mark-{os.getpid()}-{time.monotonic_ns()}", tmp_path / "said"
    command = [sys.executable, tmp_path / "program.py", "rings-toy", "holds the GIL", plugin, tmp_path / "r"]
    with said.open("w") as errors:
        process = subprocess.Popen(command, stderr=errors, env={**os.environ, "CELLBENCH_TEST_MARK": mark})
    try:
        assert until(lambda: said.read_text().endswith("    fit\n"), 90), said.read_text()
        assert len(processes_with(mark)) >= 3
        process.kill()
        process.wait()
        assert until(lambda: not processes_with(mark), 5), processes_with(mark)
    finally:
        for left in processes_with(mark):
            os.kill(left, signal.SIGKILL)
    assert not cells.exists()


def test_a_script_that_calls_run_at_its_top_is_told_so_once_and_nothing_is_recorded(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import cellbench\n"
        "methods = ['floor-majority', 'floor-intensity']\n"
        "cellbench.run('synthetic-yeast', methods, limit=50, output='records', quiet=True)\n"
    )
    out = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert out.returncode == 1
    assert out.stderr.count("Traceback") == 1
    assert out.stderr.splitlines()[-1] == (
        "cellbench.core.errors.UsageError: cellbench is called at the top of a script, and each process that it starts "
        'reads the script again up to that call; put the call below `if __name__ == "__main__":`'
    )
    assert not list(tmp_path.rglob("*.json"))


def test_a_temporary_folder_with_a_long_path_is_no_hindrance(tmp_path):
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    code = (
        "from cellbench.running.executors import child, questions\n"
        "if __name__ == '__main__': print(child.ask(questions.describe_torch)['threads'])\n"
    )
    (tmp_path / "asks.py").write_text(code)
    environment = {**os.environ, "TMPDIR": str(folder)}
    out = subprocess.run(
        [sys.executable, tmp_path / "asks.py"], env=environment, capture_output=True, text=True, check=False
    )
    assert (out.returncode, out.stdout.strip()) == (0, os.environ["OMP_NUM_THREADS"]), out.stderr
    use_short_temporary_folder()  # where it is short already, nothing happens


def test_data_in_use_are_not_removed_and_a_run_whose_data_vanish_fails_alone(toy_folder, tmp_path):
    with (
        cache.in_use([toy_folder]),
        pytest.raises(UsageError, match=r"toy is in use by a run; wait until it is done, or stop it"),
    ):
        remove_cached("toy")
    assert toy_folder.is_dir()
    (job,) = make_plan(["svm-flat"], [toy_folder])
    shutil.rmtree(toy_folder)
    record, predictions = child.run_job(job, lambda *_: None)
    assert (record.status, predictions) == ("failed", None)
    assert "meta.json" in record.reason
    store = Store(tmp_path, "here")
    store.save(record)
    assert store.find(job.spec).reason == record.reason
