"""Nets without weights, and a network that does not answer."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cellbench.deep.nets.table import find


def meta(name: str, channels: int = 3, classes: int = 6, size: int = 64, **options: Any) -> nn.Module:
    """Return a net on torch's meta device, where it has shapes and no values."""
    with torch.device("meta"):
        return find(name).build(channels, classes, size, **options)


def no_network(*_: object, **__: object) -> None:
    """Fail as a download does on a machine without network."""
    raise OSError("<urlopen error [Errno -2] Name or service not known>")


def no_hub(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Let huggingface_hub ask a port of this machine that refuses, and look into another cache, a folder."""
    constants = pytest.importorskip("huggingface_hub", reason="the extra timm is not installed").constants
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
