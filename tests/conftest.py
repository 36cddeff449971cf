"""Toy data that every test may use; real data come from CELLBENCH_TEST_DATA."""

import os
from pathlib import Path

# One thread a test process: tests run side by side, and two processes of two threads on two cores wait for each
# other's barriers (measured: 40 times slower). Set before torch is imported; child processes inherit it.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest

from cellbench.core.data import Dataset
from cellbench.datasets.toy import rings


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test out of the user's cache and state folders."""
    base = tmp_path_factory.mktemp("home")
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
def toy() -> Dataset:
    return rings()
