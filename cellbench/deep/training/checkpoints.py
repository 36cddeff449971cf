"""What it takes to go on with training in its middle as if it had never been stopped."""

import copy
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ... import __version__

FORMAT = 3  # another one whenever something else is kept, or in another shape
WRITTEN_BY = f"cellbench {__version__}, checkpoint {FORMAT}, torch {torch.__version__}"


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write tensors, numbers, text, and lists and mappings of them, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({**state, "written_by": WRITTEN_BY}, _unfinished(path))
    _unfinished(path).replace(path)


def remove(path: Path) -> None:
    """The checkpoint, and what a process that was killed while writing it left behind."""
    path.unlink(missing_ok=True)
    _unfinished(path).unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    """Always of one name: a process that is killed here leaves one such file, not one each time."""
    return path.with_name(f".{path.name}.part")


def load(path: Path | None) -> dict[str, Any] | None:
    """What `save` wrote; None when there is nothing, or nothing that this version wrote whole."""
    if path is None or not path.is_file():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None
    return state if isinstance(state, dict) and state.get("written_by") == WRITTEN_BY else None


def random_states(device: str) -> dict[str, Any]:
    """Of torch's own generators, which dropout draws from."""
    return {"cpu": torch.get_rng_state(), **({"cuda": torch.cuda.get_rng_state()} if device == "cuda" else {})}


def set_random_states(states: Mapping[str, Any], device: str) -> None:
    torch.set_rng_state(states["cpu"])
    if device == "cuda":
        torch.cuda.set_rng_state(states["cuda"])


def weights_of(net: nn.Module) -> dict[str, torch.Tensor]:
    """A copy of the net's weights that training does not change."""
    return copy.deepcopy(net.state_dict())
