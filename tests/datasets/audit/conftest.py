import pytest

from cellbench.datasets.audit import shortcuts


@pytest.fixture(autouse=True)
def _small_forests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortcuts, "TREES", 20)
