"""The README keeps its word: its commands work as pasted, and it is short."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long
ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def command_after(mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n```sh\n(.+)\n```", README)
    assert found, mark
    return found[1]


def test_it_is_short():
    assert len(README.splitlines()) <= 200


def test_the_run_command_does_the_main_job_on_embedded_data(tmp_path):
    """As pasted, but for the environment, which is this one, and for a size that a test can wait for."""
    make, install, run = command_after("run command").split(" && ")
    assert (make, install) == ("python3 -m venv .venv", ".venv/bin/pip install -q .")
    program, *arguments = shlex.split(run)
    assert program == ".venv/bin/cellbench"
    quick = [*arguments, "--limit", "100", "--epochs", "1"]
    out = subprocess.run(
        [sys.executable, "-m", "cellbench", *quick], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert out.returncode == 0, out.stderr
    # without ImageNet's weights, and without a network to get them from, the probes are skipped
    assert re.match(r"(12 ok|10 ok, 2 skipped)\. Next: cellbench table --runs all\n\n", out.stdout), out.stdout
    assert "These images are simulated, so no verdict rests on them." in " ".join(out.stdout.split())
    table = subprocess.run(
        [sys.executable, "-m", "cellbench", "table", "--runs", "all"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "simulated" in table.stdout
    for method in (
        "svm-flat",
        "svm-hog",
        "mlp",
        "cnn",
        "alexnet",
        "fastnet",
        "resnet18",
        "plain18",
    ):
        assert re.search(rf"^{method} ", table.stdout, re.MULTILINE), method


def test_ci_runs_the_test_command_word_for_word():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (extract,) = re.findall(r'^command="\$\((.*)\)"$', script, re.MULTILINE)
    found = subprocess.run(["bash", "-c", extract], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert found.strip() == command_after("test command")
