"""What it takes to go on with training in its middle as if it had never been stopped."""

import copy
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .. import __version__
from ..core.store import write_whole

WRITTEN_BY = f"cellbench {__version__}, torch {torch.__version__}"


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write tensors, numbers, text, and lists and mappings of them, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda file: torch.save({**state, "written_by": WRITTEN_BY}, file))


def load(path: Path | None) -> dict[str, Any] | None:
    """What `save` wrote; None when there is nothing, or nothing that this version wrote whole."""
    if path is None or not path.is_file():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None
    return state if isinstance(state, dict) and state.get("written_by") == WRITTEN_BY else None


def random_states() -> dict[str, Any]:
    """Of torch's own generators, which dropout draws from."""
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}


def set_random_states(states: Mapping[str, Any]) -> None:
    torch.set_rng_state(states["cpu"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])


def weights_of(net: nn.Module) -> dict[str, torch.Tensor]:
    """A copy of the net's weights that training does not change."""
    return copy.deepcopy(net.state_dict())
