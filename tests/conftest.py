"""Toy data that every test may use; real data come from CELLBENCH_TEST_DATA."""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

# One thread a test process: tests run side by side, and two processes of two threads on two cores wait for each
# other's barriers (measured: 40 times slower). Set before torch is imported; child processes inherit it.
os.environ["OMP_NUM_THREADS"] = "1"
# Programs that tests start take the package from where it is installed, too, not from the current folder.
os.environ["PYTHONSAFEPATH"] = "1"

import pytest

from . import leftovers

os.environ["CELLBENCH_DATA"] = str(leftovers.session_home() / "cache")
os.environ["XDG_STATE_HOME"] = str(leftovers.session_home() / "state")

sys.path.insert(0, leftovers.tests_alone())

import cellbench
from cellbench.core.data import Dataset
from cellbench.datasets.toy import rings

if TYPE_CHECKING:
    from cellbench.results.results import Results

HOMES = itertools.count()  # folders are made by those tests that need them
BEFORE = pytest.StashKey[tuple[list[Path], set[str]]]()
LEFT = pytest.StashKey[list[str]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):  # pytest-xdist's workers leave this to the process that has them
        folders = leftovers.watched()
        session.config.stash[BEFORE] = folders, leftovers.snapshot(folders)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session when there is something new in a folder that no test may write to."""
    if BEFORE in session.config.stash:
        folders, before = session.config.stash[BEFORE]
        session.config.stash[LEFT] = sorted(leftovers.snapshot(folders) - before)
        if session.config.stash[LEFT] and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if left := terminalreporter.config.stash.get(LEFT, []):
        terminalreporter.section("left behind", red=True)
        terminalreporter.line("These appeared while the tests ran; a test writes only below tmp_path:")
        for path in left[:20]:
            terminalreporter.line(f"  {path}")
        if len(left) > 20:
            terminalreporter.line(f"  and {len(left) - 20} more")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(leftovers.session_home(), ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-xdist keep the order of `pytest_collection_modifyitems`; it would sort modules by number of tests."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with modules that are marked as long: begun last, they would leave the other processes without work."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test out of the user's cache and state folders."""
    base = tmp_path_factory.getbasetemp() / "homes" / str(next(HOMES))
    monkeypatch.setenv("CELLBENCH_DATA", str(base / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(base / "state"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, or a skip that says how to get them used."""
    folder = os.environ.get("CELLBENCH_TEST_DATA")
    if not folder:
        pytest.skip("CELLBENCH_TEST_DATA is not set: no real cells to test on")
    return Path(folder)


@pytest.fixture(scope="session")
def shipped() -> "Results":
    """The records that are shipped, or a skip where others may lie among them; in CI, where none may, a failure."""
    root = Path(__file__).parent.parent
    listed = subprocess.run(["git", "status", "--short", "results"], cwd=root, capture_output=True, check=False)
    if listed.returncode or listed.stdout:
        reason = "no git checkout, or records that are not shipped lie in results/"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return cellbench.load_results(root / "results")


@pytest.fixture(scope="session")
def toy() -> Dataset:
    return rings()
