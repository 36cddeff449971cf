"""However it ends: one line that says why, and the exit code that goes with it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cellbench.cli import main

from .program import call, call_in_its_own_process


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "say --quick, --all or --suite NAME, or choose with -m METHOD or -d DATASET"),
        (["run", "-m", "resnet81"], "did you mean 'resnet18'"),
        (["run", "-m", "resnet"], "no method matches 'resnet'"),
        (["run", "-d", "synthetic-yest"], "did you mean 'synthetic-yeast'"),
        (["run", "-d", "no/such/folder"], "no/such/folder"),
        (["run", "-d", "hep2"], "cellbench prepare hep2 --from PATH"),
        (["run", "-m", "cnn", "--exclude", "cnm"], "did you mean 'cnn'"),
        (["run", "-m", "cnn", "--exclude", "c*"], "leaves nothing of cnn"),
        (["run", "-m", "cnn", "--seeds", "2-0"], "write 0, 0-2 or 0,3,5"),
        (["run", "-m", "svm-hog", "--epochs", "3"], "--epochs is for nets, and none was chosen (svm-hog)"),
        (["run", "-m", "cnn", "--seeds", "x"], "write 0, 0-2 or 0,3,5"),
        (["run", "-m", "cnn", "--seeds", "0-99999999"], "give seeds below 10,000"),
        (["run", "-m", "cnn", "--timeout", "0"], "--timeout got 0; give a number of seconds above zero"),
        (["run", "-m", "cnn", "--timeout", "nan"], "--timeout got nan; give a number of seconds above zero"),
        (["run", "-d", ".", "-m", "cnn", "-o", "../r", "--image-size", "0"], "size is 0; give 8 to 1024 pixels"),
        (["run", "-d", str(Path(__file__)), "-m", "cnn"], "is a file; give a folder of images"),
        (["run", "--limit", "abc"], "cellbench run: invalid value for '--limit': 'abc' is not a valid integer range"),
        (["run", "all"], "cellbench run: got unexpected extra argument (all) (see cellbench run --help)"),
        (["inspect", "hep2", "-o", "look.jpg"], "-o got look.jpg; the montage is a PNG"),
        (["run", "-m", "svm-hog", "--device", "cuda"], "--device cpu"),
        (["run", "-d", "hep2", "--labels", "x.csv"], "--labels is for folders of images, not for 'hep2'"),
        (["run", "-d", ".", "-m", "cnn", "-o", "results"], "would lie among the images of ."),
        (["prepare", "hep2", "--labels", "x.csv"], "--labels is for folders of images"),
        (["prepare", "hep2", "--image-size", "0"], "--image-size is for folders of images, not for 'hep2'"),
        (["table", "no/such/results"], "no/such/results"),
        (
            ["table", str(Path(__file__))],
            "test_exit_codes.py' is a file; give the folder of records that `cellbench run -o`",
        ),
        (["tabel"], "did you mean 'table'"),
        (["check", "nothing"], "no method is called 'nothing'"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "cuda" in arguments:
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
    out = call(*arguments)
    assert out.returncode == 2
    assert message in out.stderr
    assert out.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_from_outside_a_slip_is_one_line_and_exit_code_2_too():
    out = call_in_its_own_process("tabel")
    assert (out.returncode, out.stdout, out.stderr.count("\n")) == (2, "", 1)
    assert "did you mean 'table'" in out.stderr


def test_an_internal_error_is_one_line_and_exit_code_1(monkeypatch, capsys):
    monkeypatch.delenv("CELLBENCH_DEBUG", raising=False)
    monkeypatch.setattr("cellbench.core.machine.environment.versions", lambda: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["cellbench", "doctor"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    assert capsys.readouterr().err == (
        "cellbench: internal error: ZeroDivisionError: division by zero; --debug shows where\n"
    )


def test_a_closed_pipe_is_taken_quietly():
    process = subprocess.Popen(
        [sys.executable, "-m", "cellbench", "list", "methods"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.communicate()[1] == b""


def heed_ctrl_c() -> None:
    """A shell starts what runs in its background deaf to Ctrl-C, and children inherit that: also from these tests."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_exits_130_and_leaves_a_usable_folder(cells, tmp_path):
    results = tmp_path / "results"
    arguments = ["run", "-d", str(cells), "-m", "svm-hog", "-m", "cnn", "--epochs", "100000", "-o", str(results)]
    process = subprocess.Popen(
        [sys.executable, "-m", "cellbench", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    deadline = time.monotonic() + 60
    while not list(results.rglob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "finished runs are saved" in errors
    assert "Traceback" not in errors
    assert [path.parent.name for path in results.rglob("*.json")] == ["svm-hog"]
    assert not [path for path in results.rglob("*") if path.name.endswith(".part")]


def test_a_killed_matrix_goes_on_where_it_was(cells, tmp_path):
    results = tmp_path / "results"
    arguments = ["run", "-d", str(cells), "-m", "svm-hog", "-m", "cnn", "-o", str(results), "--epochs"]
    process = subprocess.Popen([sys.executable, "-m", "cellbench", *arguments, "100000"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(results.rglob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.kill()
    process.wait()
    again = call(*arguments, "1")
    assert again.returncode == 0
    assert again.stdout.startswith(f"1 ok, 1 already done. Next: cellbench table {results} --runs all\n\n")
