"""`cellbench doctor` and `cellbench check`."""

import os

from click.testing import CliRunner

from cellbench.cli.tools.doctor import doctor

from ..program import call, call_in_its_own_process


def test_doctor_names_every_backend_with_its_reason():
    out = call("doctor")
    assert out.returncode == 0, out.stderr
    assert "SVM onedal" in out.stdout
    assert "SVM libsvm            yes" in out.stdout
    assert os.path.expanduser("~") not in out.stdout.split("cache")[0]


def test_doctor_counts_one_core_and_one_thread_in_the_singular(monkeypatch):
    monkeypatch.setattr("cellbench.core.machine.environment.cores", lambda: 1)
    facts = {"cuda": False, "gpu": "", "cuda_version": "", "threads": 1}
    monkeypatch.setattr("cellbench.running.executors.child.ask", lambda question: facts)
    (line,) = [line for line in CliRunner().invoke(doctor).output.splitlines() if line.startswith("processor")]
    assert line.endswith(", 1 core, 1 thread")


def test_check_reports_rules_kept_and_broken(tmp_path):
    kept = call("check", "svm-flat")
    assert kept.returncode == 0, kept.stderr
    assert kept.stdout.endswith("svm-flat: all rules kept.\n")
    plugin = tmp_path / "constant.py"
    plugin.write_text(
        "import numpy as np\nfrom cellbench.methods import method\n"
        "@method('constant', 'names one class', family='svm')\n"
        "def constant(train, val, log): return lambda images: np.zeros((len(images), 3))\n"
    )
    broken = call_in_its_own_process("check", "constant", "--plugin", str(plugin))
    assert broken.returncode == 4
    assert "does not beat the commonest class" in broken.stdout
    assert "constant: 1 rule broken." in broken.stdout
