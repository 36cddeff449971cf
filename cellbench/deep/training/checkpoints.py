"""Checkpoints: all that it takes to resume training as if it had never been stopped."""

import contextlib
import copy
import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from ... import __version__
from ...core.machine.contention import Spent
from ...core.mixed_values import State
from ...core.records.runs import RunLog
from ...core.tensors import NoTensorsError, load_tensors, save_tensors
from .learner import Learner

FORMAT = 3  # raise it when a checkpoint holds other things, or in another shape
WRITTEN_BY = f"cellbench {__version__}, checkpoint {FORMAT}, torch {torch.__version__}"


@dataclass(frozen=True)
class Best:
    """The best epoch so far: its score on val, its number from 1, and its weights where they are to be kept."""

    score: float = -math.inf
    epoch: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)


def keep(learner: Learner, best: Best, log: RunLog) -> None:
    """Write the state of training to the log's checkpoint, if it has one."""
    if log.checkpoint is None:
        return
    state = {
        **{name: part.state_dict() for name, part in _parts(learner).items()},
        "best": best.score,
        "best_epoch": best.epoch,
        "best_weights": best.weights,
        "shuffle": learner.random.get_state(),
        "random": random_states(learner.classifier.device),
        "history": log.history,
        "seconds": {phase: log.seconds.get(phase, 0.0) for phase in ("fit", "validate")},
        "spent": astuple(log.spent),
    }
    with contextlib.suppress(OSError):  # on a full disk training goes on; saving the record will report it
        save(log.checkpoint, state)


def resume(learner: Learner, log: RunLog) -> Best:
    """Restore the state of training that `keep` wrote, if there is any, and return the best epoch so far.

    The log gets the history of the epochs before, and their seconds.
    """
    if (state := load(log.checkpoint)) is None:
        return Best()
    for name, part in _parts(learner).items():
        part.load_state_dict(state[name])
    learner.random.set_state(state["shuffle"])
    set_random_states(state["random"], learner.classifier.device)
    log.history.extend(state["history"])
    log.carry(state["seconds"], Spent(*state["spent"]))
    return Best(state["best"], state["best_epoch"], state["best_weights"])


def _parts(learner: Learner) -> dict[str, nn.Module | torch.optim.Optimizer | torch.amp.GradScaler]:
    return {"net": learner.classifier.net, "optimiser": learner.optimiser, "scaler": learner.scaler}


def save(path: Path, state: State) -> None:
    """Write a mapping of tensors, numbers, text, and lists and mappings of them; never leaves part of a file.

    An OSError, such as that of a full disk, passes through.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(path)
    try:
        with unfinished.open("wb") as file:
            save_tensors({**state, "written_by": WRITTEN_BY}, file)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def remove(path: Path) -> None:
    """Delete the checkpoint, and the unfinished file of a process that was killed while it wrote one."""
    path.unlink(missing_ok=True)
    _unfinished(path).unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    """Return the path of a checkpoint while it is written: always the same, so that at most one file is left over."""
    return path.with_name(f".{path.name}.part")


def load(path: Path | None) -> State | None:
    """Return what `save` wrote; None if there is no file, or if it is cut short or of another version."""
    if path is None or not path.is_file():
        return None
    try:
        state = load_tensors(path)
    except (OSError, NoTensorsError):
        return None
    return state if isinstance(state, dict) and state.get("written_by") == WRITTEN_BY else None


def random_states(device: str) -> dict[str, Tensor]:
    """Return the states of torch's global random generators, which dropout draws from."""
    return {"cpu": torch.get_rng_state(), **({"cuda": torch.cuda.get_rng_state()} if device == "cuda" else {})}


def set_random_states(states: Mapping[str, Tensor], device: str) -> None:
    torch.set_rng_state(states["cpu"])
    if device == "cuda":
        torch.cuda.set_rng_state(states["cuda"])


def weights_of(net: nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of the net's weights, which further training does not change."""
    return copy.deepcopy(net.state_dict())
