"""Nets that other packages define: torchvision's and timm's, for any number of channels and classes."""

import contextlib
from functools import cache, lru_cache
from typing import NamedTuple

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

# (name, value) of the arguments that tell a net the size of its images.
SizeArguments = tuple[tuple[str, int | tuple[int, int]], ...]

# Mean and deviation of ImageNet's training images, red, green, blue, as torchvision's pretrained nets expect.
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@cache
def names(package: str) -> frozenset[str]:
    """Return the names of the classification nets of `package`, 'torchvision' or 'timm'."""
    if package == "torchvision":
        return frozenset(torchvision.models.list_models(module=torchvision.models))
    import timm

    return frozenset(timm.list_models())


def build(net: str, channels: int, classes: int, size: int) -> nn.Module:
    """Return a new net; net: its name, `torchvision:NAME` or `timm:NAME`.

    Raises DataError, which names a size to set if one is known, if the net does not take images of this size.
    """
    architecture = Architecture(net, channels, classes)
    with contextlib.suppress(NotImplementedError):  # it cannot be tried: if it is too small, the net says so itself
        if reason := _reason_against(architecture, size):
            advice = _advice(architecture, size)
            raise DataError(f"{net} does not take images of {size}×{size} pixels ({reason}){advice}")
    return _make(architecture, _size_arguments(net, size))


def smallest(net: str) -> int | None:
    """Return the smallest side of an image, in pixels, that the net takes, found by trying; None if unknown."""
    try:
        return _next_size(Architecture(net, channels=3, classes=2), above=0)
    except NotImplementedError:
        return None


class Architecture(NamedTuple):
    """All that defines a net of another package except the size of the images."""

    net: str
    channels: int
    classes: int


def _size_arguments(net: str, size: int) -> SizeArguments:
    """Return the arguments that tell a net the size of its images; none for a net that takes any size."""
    package, _, name = net.partition(":")
    if package == "torchvision":
        single: dict[str, tuple[str, int | tuple[int, int]]] = {
            "vit_": ("image_size", size),
            "maxvit": ("input_size", (size, size)),
        }
        return tuple(argument for prefix, argument in single.items() if name.startswith(prefix))
    EXTRAS["timm"].require(net)
    import timm

    known = timm.get_pretrained_cfg(name)
    return (("img_size", size),) if known is not None and known.fixed_input_size else ()


def _make(architecture: Architecture, size_arguments: SizeArguments) -> nn.Module:
    """Return a new net of torchvision or timm for the architecture's channels and classes.

    A net of torchvision gets another first convolution if images haven't three channels; timm's take any number.
    """
    package, _, name = architecture.net.partition(":")
    if package == "torchvision":
        extra = {**SINGLE_OUTPUT.get(name, {}), **dict(size_arguments)}
        net = torchvision.models.get_model(name, weights=None, num_classes=architecture.classes, **extra)
        _read_channels(net, architecture.channels)
        return net
    import timm

    return timm.create_model(
        name,
        pretrained=False,
        in_chans=architecture.channels,
        num_classes=architecture.classes,
        **dict(size_arguments),
    )


@lru_cache(maxsize=1)  # several sizes are tried on one
def _without_weights(architecture: Architecture, size_arguments: SizeArguments) -> nn.Module:
    with torch.device("meta"):
        return _make(architecture, size_arguments).eval()


def _read_channels(net: nn.Module, channels: int) -> None:
    """Replace the net's first convolution by one for `channels` channels, else alike, if it reads another number."""
    found = first_convolution(net)
    if found is None or found[1].in_channels == channels:
        return
    name, old = found
    kernel, stride, padding = old.kernel_size, old.stride, old.padding
    new = nn.Conv2d(channels, old.out_channels, kernel, stride, padding, bias=old.bias is not None)  # type: ignore[arg-type]
    nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    net.set_submodule(name, new)


def _advice(architecture: Architecture, size: int) -> str:
    least = _next_size(architecture, above=0)
    if least is not None and least > size:
        return f"; the smallest that it takes have {least}: set size={least}"
    # between two sizes that it takes there may be some that it does not
    larger = _next_size(architecture, above=size)
    return f"; {larger} would do: set size={larger}" if larger else ""


def _next_size(architecture: Architecture, above: int) -> int | None:
    """Return a size larger than `above` that the net takes; None if it takes none of SIZES.

    It is the first of SIZES that the net takes, or a smaller one that bisection finds below it.

    Raises NotImplementedError where the net cannot be tried.
    """
    refused = above
    for size in (larger for larger in SIZES if larger > above):
        if _reason_against(architecture, size):
            refused = size
            continue
        while size - refused > 1:
            middle = (refused + size) // 2
            refused, size = (middle, size) if _reason_against(architecture, middle) else (refused, middle)
        return size
    return None


def _reason_against(architecture: Architecture, size: int) -> str:
    """Return why the net cannot be built for, or run on, images of this size; '' if it can.

    It is tried without weights and computes nothing. Nets that compute with their weights while they are built
    (torchvision's RegNets) cannot be tried so: NotImplementedError.
    """
    try:
        net = _without_weights(architecture, _size_arguments(architecture.net, size))
        net(torch.empty(2, architecture.channels, size, size, device="meta"))
    except NotImplementedError:
        raise
    except (RuntimeError, ValueError, AssertionError, ZeroDivisionError) as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return ""


def version_of(net: str) -> str:
    """Return the version of the package that defines the net; '' for our nets."""
    package = net.partition(":")[0]
    if package == "torchvision":
        return torchvision.__version__
    if package == "timm":
        import timm

        return timm.__version__
    return ""


def normalisation(net: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and deviation of red, green and blue (0 to 1) that published weights of `net` expect."""
    package, _, name = net.partition(":")
    if package == "timm":
        import timm

        if known := timm.get_pretrained_cfg(name):
            return known.mean, known.std
    return IMAGENET
