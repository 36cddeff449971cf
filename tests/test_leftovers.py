"""The guard against what tests leave behind: it names what is new, and is not misled by what tools write."""

import os
import subprocess
import sys
from pathlib import Path

from .leftovers import ROOT, snapshot


def test_what_is_new_is_named_but_for_the_files_of_tools_and_those_that_people_write(tmp_path: Path) -> None:
    (tmp_path / "here.txt").touch()
    before = snapshot([tmp_path, tmp_path / "not there"])
    for name in ("scratch/deep/images.npy", "package/__pycache__/one.pyc", ".coverage.host.1", "new.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = snapshot([tmp_path, tmp_path / "not there"]) - before
    assert found == {str(tmp_path / "scratch/deep/images.npy")}


def test_a_session_that_leaves_a_file_beside_the_real_data_fails_and_says_which(tmp_path: Path) -> None:
    tests, data = tmp_path / "tests", tmp_path / "data"
    for folder in (tests, data):
        folder.mkdir()
    for name in ("__init__.py", "conftest.py", "leftovers.py"):
        (tests / name).write_bytes((ROOT / "tests" / name).read_bytes())
    (tests / "test_one.py").write_text(
        "def test_that_passes(real_data):\n"
        "    (real_data / 'scratch').mkdir()\n"
        "    (real_data / 'scratch' / 'x').touch()\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    environment = {**os.environ, "CELLBENCH_TEST_DATA": str(data), "PYTEST_ADDOPTS": ""}
    del environment["CELLBENCH_TESTS_HOME"]  # that session has its own
    out = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert out.returncode == 1, out.stdout + out.stderr
    assert "left behind" in out.stdout
    assert f"  {data / 'scratch' / 'x'}\n" in out.stdout
    assert "1 passed" in out.stdout
