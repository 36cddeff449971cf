"""Nets that other packages define: torchvision's and timm's, for any number of channels and classes."""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
import torchvision
from torch import nn

from ..core.errors import DataError
from ..core.extras import EXTRAS
from .parts import first_convolution

# Further outputs in training are left out: there is one loss here.
# init_weights: torchvision warns where it isn't said.
SINGLE_OUTPUT = {key: {"aux_logits": False, "init_weights": True} for key in ("googlenet", "inception_v3")}
SIZES = (8, 16, 24, 32, 48, 64, 75, 80, 96, 112, 128, 160, 192, 224, 256, 299, 384, 448, 512)


@cache
def names(package: str) -> frozenset[str]:
    """Classification nets that `package` ('torchvision' or 'timm') knows."""
    if package == "torchvision":
        return frozenset(torchvision.models.list_models(module=torchvision.models))
    import timm

    return frozenset(timm.list_models())


def of_torchvision(name: str, channels: int, classes: int, size: int) -> nn.Module:
    """torchvision's net, its first convolution exchanged where the image hasn't three channels."""

    def make(size: int) -> nn.Module:
        extra: dict[str, Any] = SINGLE_OUTPUT.get(name, {})
        if name.startswith("vit_"):
            extra = {"image_size": size}
        elif name.startswith("maxvit"):
            extra = {"input_size": (size, size)}
        net = torchvision.models.get_model(name, weights=None, num_classes=classes, **extra)
        _read_channels(net, channels)
        return net

    return _checked(f"torchvision:{name}", make, channels, size)


def of_timm(name: str, channels: int, classes: int, size: int) -> nn.Module:
    """timm's net; one that is made for a single image size is made for this one."""
    EXTRAS["timm"].require(name)
    import timm

    def make(size: int) -> nn.Module:
        known = timm.get_pretrained_cfg(name)
        extra = {"img_size": size} if known is not None and known.fixed_input_size else {}
        return timm.create_model(name, pretrained=False, in_chans=channels, num_classes=classes, **extra)

    return _checked(f"timm:{name}", make, channels, size)


def _read_channels(net: nn.Module, channels: int) -> None:
    """Exchange the first convolution for one of the same shape that reads so many channels."""
    found = first_convolution(net)
    if found is None or found[1].in_channels == channels:
        return
    name, old = found
    kernel, stride, padding = old.kernel_size, old.stride, old.padding
    new = nn.Conv2d(channels, old.out_channels, kernel, stride, padding, bias=old.bias is not None)  # type: ignore[arg-type]
    nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    net.set_submodule(name, new)


def _checked(name: str, make: Callable[[int], nn.Module], channels: int, size: int) -> nn.Module:
    """The net for this image size, or DataError that names a size which it would take."""
    reason = _refusal(make, channels, size)
    if reason is not None:
        larger = (each for each in SIZES if each > size)
        taken = next((each for each in larger if _refusal(make, channels, each) is None), None)
        advice = f"; {taken} would do: set size={taken}" if taken else ""
        raise DataError(f"{name} does not take images of {size}×{size} pixels ({reason}){advice}")
    return make(size)


def _refusal(make: Callable[[int], nn.Module], channels: int, size: int) -> str | None:
    """Why the net cannot be made for, or run on, such images; None if it can. Nothing is computed."""
    try:
        with torch.device("meta"):
            make(size).eval()(torch.empty(2, channels, size, size))
    except NotImplementedError:  # torchvision's RegNet computes with its weights when it is made: no telling
        return None
    except (RuntimeError, ValueError, AssertionError) as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return None


def published(pretrained: str) -> tuple[dict[str, torch.Tensor], str]:
    """ImageNet weights of `torchvision:NAME` or `timm:NAME`, and what they are called; downloads them.

    Raises OSError or RuntimeError where that fails, ValueError where there are none.
    """
    package, _, name = pretrained.partition(":")
    if package == "torchvision":
        chosen = torchvision.models.get_model_weights(name).DEFAULT
        return torchvision.models.get_model(name, weights=chosen).state_dict(), str(chosen)
    EXTRAS["timm"].require(pretrained)
    import timm

    net = timm.create_model(name, pretrained=True)
    return net.state_dict(), f"timm {net.pretrained_cfg['architecture']}.{net.pretrained_cfg['tag']}"


def source_of_weights(pretrained: str) -> tuple[str, str]:
    """Where the weights that `published` wants are on the network, and the folder in which it looks first."""
    package, _, name = pretrained.partition(":")
    if package == "torchvision":
        return torchvision.models.get_model_weights(name).DEFAULT.url, f"{torch.hub.get_dir()}/checkpoints"
    import timm

    known = timm.get_pretrained_cfg(name)
    return f"https://huggingface.co/{known.hf_hub_id if known else 'timm'}", "the cache of huggingface_hub"
