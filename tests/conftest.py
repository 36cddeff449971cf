"""Toy data that every test may use; real data come from CELLBENCH_TEST_DATA."""

import os
from pathlib import Path

import numpy as np
import pytest

from cellbench.core.data import Dataset, Info, Split


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


def make_toy(n: int = 120, classes: int = 3, channels: int = 1, size: int = 64, seed: int = 0) -> Dataset:
    """Noisy stripes whose direction is the class, dark as micrographs are: easy for anything that looks at shape."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    y, x = np.mgrid[:size, :size] / size
    angle = labels * np.pi / classes
    phase = rng.uniform(0, 0.5, n)[:, None, None]  # less than a period, so that raw pixels tell the classes apart too
    wave = np.cos(2 * np.pi * 3 * (np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y) + phase)
    images = 60 + 40 * wave[:, None] * np.linspace(1, 0.5, channels)[:, None, None]
    images = (images + rng.normal(0, 8, images.shape)).clip(0, 255).astype(np.uint8)
    order = rng.permutation(n)
    train, val, test = np.sort(order[: n // 2]), np.sort(order[n // 2 : 3 * n // 4]), np.sort(order[3 * n // 4 :])
    return Dataset(
        name="toy",
        images=images,
        labels=labels.astype(np.int64),
        classes=tuple(f"stripe {k}" for k in range(classes)),
        channels=tuple(f"channel {k}" for k in range(channels)),
        split=Split("toy", train, val, test),
        info=Info(licence="MIT", citation="none", synthetic=True),
    )


@pytest.fixture(scope="session")
def toy() -> Dataset:
    return make_toy()
