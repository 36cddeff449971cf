"""A model's tensors as safetensors, with everything else of it as JSON in the file's metadata."""

import json
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ...core.extras import EXTRAS
from ...core.records.store import write_whole
from ...running.saved_models.models import Model


def write_safetensors(model: Model, target: Path) -> None:
    """Write the model to one file, whole or not at all. Raises BackendError if safetensors is missing.

    A tensor's name is where it stands in the model, such as 'state.net.fc.weight'. In the metadata, 'cellbench' has all
    else as JSON, in which each tensor has its name in its place.
    """
    EXTRAS["safetensors"].require("--to safetensors")
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {}
    rest = {name: _without_tensors(value, name, tensors) for name, value in vars(model).items()}
    content = save(tensors, {"format": "pt", "cellbench": json.dumps(rest, ensure_ascii=False)})
    write_whole(target, lambda file: file.write(content))


def _without_tensors(value: object, name: str, tensors: dict[str, Tensor]) -> object:
    """Return a value with the name of each tensor in the tensor's place; the tensors are added to `tensors`."""
    if isinstance(value, Tensor):
        tensors[name] = value.detach().cpu().contiguous().clone()  # two names must not share memory
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {str(key): _without_tensors(each, f"{name}.{key}", tensors) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_tensors(each, f"{name}.{k}", tensors) for k, each in enumerate(value)]
    return value
