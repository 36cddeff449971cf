"""Nets that other packages define: torchvision's and timm's, for any number of channels and classes."""

import contextlib
from functools import cache, lru_cache
from typing import Any, NamedTuple

import torch
import torchvision
from torch import nn

from ...core.errors import DataError
from ...core.extras import EXTRAS
from .layers import first_convolution

# Further outputs in training are left out: there is one loss here.
# init_weights: torchvision warns where it is left out.
SINGLE_OUTPUT = {key: {"aux_logits": False, "init_weights": True} for key in ("googlenet", "inception_v3")}
# Tried in turn. Those of patches (14, 16, 32) are among them: transformers take whole patches only.
SIZES = (1, 2, 4, 8, 14, 16, 24, 28, 32, 48, 56, 64, 75, 80, 96, 112, 128, 160, 192, 224, 256, 299, 384, 448, 512)

# Mean and deviation of ImageNet's training images, red, green, blue, as torchvision's pretrained nets expect.
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@cache
def names(package: str) -> frozenset[str]:
    """Classification nets that `package` ('torchvision' or 'timm') knows."""
    if package == "torchvision":
        return frozenset(torchvision.models.list_models(module=torchvision.models))
    import timm

    return frozenset(timm.list_models())


def build(net: str, channels: int, classes: int, size: int) -> nn.Module:
    """The net that `torchvision:NAME` or `timm:NAME` is. DataError, with a size to set, if it doesn't take
    such images."""
    kind = Kind(net, channels, classes)
    with contextlib.suppress(NotImplementedError):  # it cannot be tried: if it is too small, the net says so itself
        if reason := _refusal(kind, size):
            raise DataError(f"{net} does not take images of {size}×{size} pixels ({reason}){_advice(kind, size)}")
    return _make(kind, _made_for(net, size))


def smallest(net: str) -> int | None:
    """The smallest side of an image, in pixels, that the net takes, found by trying; None where it cannot be tried."""
    try:
        return _next(Kind(net, channels=3, classes=2), above=0)
    except NotImplementedError:
        return None


class Kind(NamedTuple):
    """A net but for what the size of the images changes."""

    net: str
    channels: int
    classes: int


def _made_for(net: str, size: int) -> tuple[tuple[str, Any], ...]:
    """Arguments of a net that is made for a single size of images; none of the others."""
    package, _, name = net.partition(":")
    if package == "torchvision":
        single = {"vit_": ("image_size", size), "maxvit": ("input_size", (size, size))}
        return tuple(argument for prefix, argument in single.items() if name.startswith(prefix))
    EXTRAS["timm"].require(net)
    import timm

    known = timm.get_pretrained_cfg(name)
    return (("img_size", size),) if known is not None and known.fixed_input_size else ()


def _make(kind: Kind, made_for: tuple[tuple[str, Any], ...]) -> nn.Module:
    """torchvision's net, its first convolution exchanged where the image hasn't three channels; or timm's."""
    package, _, name = kind.net.partition(":")
    if package == "torchvision":
        extra = {**SINGLE_OUTPUT.get(name, {}), **dict(made_for)}
        net = torchvision.models.get_model(name, weights=None, num_classes=kind.classes, **extra)
        _read_channels(net, kind.channels)
        return net
    import timm

    return timm.create_model(name, pretrained=False, in_chans=kind.channels, num_classes=kind.classes, **dict(made_for))


@lru_cache(maxsize=1)  # several sizes are tried on one
def _weightless(kind: Kind, made_for: tuple[tuple[str, Any], ...]) -> nn.Module:
    with torch.device("meta"):
        return _make(kind, made_for).eval()


def _read_channels(net: nn.Module, channels: int) -> None:
    """Replace the first convolution, where it reads another number of channels, by one of the same shape."""
    found = first_convolution(net)
    if found is None or found[1].in_channels == channels:
        return
    name, old = found
    kernel, stride, padding = old.kernel_size, old.stride, old.padding
    new = nn.Conv2d(channels, old.out_channels, kernel, stride, padding, bias=old.bias is not None)  # type: ignore[arg-type]
    nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    net.set_submodule(name, new)


def _advice(kind: Kind, size: int) -> str:
    least = _next(kind, above=0)
    if least is not None and least > size:
        return f"; the smallest that it takes have {least}: set size={least}"
    larger = _next(kind, above=size)  # between two sizes that it takes there may be some that it doesn't
    return f"; {larger} would do: set size={larger}" if larger else ""


def _next(kind: Kind, above: int) -> int | None:
    """The next larger size that the net takes: among SIZES, then by halving what lies before it. NotImplementedError
    where the net cannot be tried."""
    refused = above
    for size in (each for each in SIZES if each > above):
        if _refusal(kind, size):
            refused = size
            continue
        while size - refused > 1:
            middle = (refused + size) // 2
            refused, size = (middle, size) if _refusal(kind, middle) else (refused, middle)
        return size
    return None


def _refusal(kind: Kind, size: int) -> str:
    """Why the net cannot be made for, or run on, such images; '' if it can. Nothing is computed, so that
    NotImplementedError comes of nets that compute with their weights when they are made: torchvision's RegNets."""
    try:
        net = _weightless(kind, _made_for(kind.net, size))
        net(torch.empty(2, kind.channels, size, size, device="meta"))
    except NotImplementedError:
        raise
    except (RuntimeError, ValueError, AssertionError, ZeroDivisionError) as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return ""


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


def licence(pretrained: str) -> str:
    """The licence of published weights, or '' where their package does not state it (torchvision seldom does)."""
    package, _, name = pretrained.partition(":")
    if package == "torchvision":
        return torchvision.models.get_model_weights(name).DEFAULT.meta.get("license", "")
    import timm

    known = timm.get_pretrained_cfg(name)
    return (known and known.license) or ""


def version_of(net: str) -> str:
    """The version of the package that defines the net; '' of nets of ours."""
    package = net.partition(":")[0]
    if package == "torchvision":
        return torchvision.__version__
    if package == "timm":
        import timm

        return timm.__version__
    return ""


def normalisation(net: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of red, green and blue, of values from 0 to 1, that published weights of `net` expect."""
    package, _, name = net.partition(":")
    if package == "timm":
        import timm

        if known := timm.get_pretrained_cfg(name):
            return known.mean, known.std
    return IMAGENET


def source_of_weights(pretrained: str) -> tuple[str, str]:
    """The address that `published` downloads weights from, and the folder in which it looks for them first."""
    package, _, name = pretrained.partition(":")
    if package == "torchvision":
        return torchvision.models.get_model_weights(name).DEFAULT.url, f"{torch.hub.get_dir()}/checkpoints"
    import timm

    known = timm.get_pretrained_cfg(name)
    return f"https://huggingface.co/{known.hf_hub_id if known else 'timm'}", "the cache of huggingface_hub"
