"""Computes convolutions of small maps as matrix products: on processors up to three times as fast.

`fast_small_convolutions` is the one switch. Training and prediction put the net's forward pass inside it.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from typing import Any, TypeAlias, TypeGuard

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from .precision import Precision

# Pixels a side of the maps before and after, at most, and what computes their convolution. Beyond, oneDNN is as fast.
PRODUCTS = 4, 2  # all of it: oneDNN has a third of its speed there, and computes the padding, which is most
WINDOWS = 8, 4  # the weight's gradient: oneDNN takes twice as long for it as for the result
POINTS = 16, 8  # of 1×1 kernels, which are products anyway: oneDNN takes more than twice as long for maps of 2×2

Faster: TypeAlias = "type[_Products] | type[_Windows] | type[_Points]"  # `apply` computes the convolution


def fast_small_convolutions(precision: Precision) -> AbstractContextManager[object]:
    """Return a context in which small convolutions are matrix products, on a processor that computes in bf16.

    For other devices and precisions the context changes nothing.

    Use it inside the precision's autocast, around the forward pass; the backward pass follows from that.
    """
    wanted = precision.device == "cpu" and precision.autocast is torch.bfloat16
    return SmallConvolutions() if wanted else nullcontext()


class SmallConvolutions(TorchFunctionMode):
    """Inside it, convolutions of small maps run as products in bf16, with sums in float32; all others as in torch.

    torch calls `__torch_function__` in place of each of its functions, so that nets need not be built for this.
    Gradients of weights become float32 piece by piece, while these are in the cache.
    """

    def __torch_function__(
        self,
        function: Callable[..., object],
        types: Collection[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if function is torch.conv2d and not kwargs and (faster := _faster(*args)):
            x, weight, bias, stride, padding, *_ = args
            y = faster.apply(x.bfloat16(), weight, stride[0], padding[0])
            return y if bias is None else y + bias.bfloat16().view(-1, 1, 1)
        return function(*args, **(kwargs or {}))


def _faster(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: int = 1,
) -> "Faster | None":
    """Return what computes this convolution faster than torch, or None.

    It is None unless maps and kernel are square, and stride, padding and dilation are tuples of equal numbers.
    """
    if not (_equal_numbers(stride) and _equal_numbers(padding) and _equal_numbers(dilation)):
        return None
    side, kernel = x.shape[-1], weight.shape[-1]
    if x.ndim != 4 or x.shape[2] != side or weight.shape[2] != kernel or dilation[0] > 1 or groups > 1:
        return None
    after = _after(side, kernel, stride[0], padding[0])
    if kernel == 1:
        known: list[tuple[tuple[int, int], Faster]] = [(POINTS, _Points)] if padding[0] == 0 else []
    else:
        known = [(PRODUCTS, _Products), (WINDOWS, _Windows)]
    return next((faster for (before, most), faster in known if side <= before and 0 < after <= most), None)


def _equal_numbers(pair: object) -> TypeGuard[tuple[int, ...]]:
    return isinstance(pair, tuple) and len({*pair}) == 1


def _after(side: int, kernel: int, stride: int, padding: int) -> int:
    return (side + 2 * padding - kernel) // stride + 1


class _Products(torch.autograd.Function):
    """conv2d without bias: x (n, c, s, s) bf16, weight (k, c, t, t) -> (n, k, after, after) bf16, channels last."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        """Compute each output pixel by a product: the input pixels that it sees, times the taps that see them."""
        side, kernel = x.shape[2], weight.shape[2]
        x, weight = x.permute(0, 2, 3, 1), weight.bfloat16().permute(0, 2, 3, 1)
        outs = range(_after(side, kernel, stride, padding))
        windows = [_window(out * stride - padding, kernel, side) for out in outs]
        y, parts = x.new_empty(len(x), len(outs), len(outs), len(weight)), []
        for (r, (rows, down)), (c, (columns, across)) in product(enumerate(windows), repeat=2):
            part = weight[:, down, across].reshape(len(weight), -1)
            y[:, r, c] = x[:, rows, columns].reshape(len(x), -1) @ part.t()
            parts.append(part)
        ctx.save_for_backward(x, *parts)
        ctx.windows, ctx.sights = windows, [_sight(tap, windows, stride, padding) for tap in range(kernel)]
        return y.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Return the gradients of x and weight.

        That of x is made by the transposed products of `forward`, that of weight by a product for every tap of the
        kernel, over all input pixels that the tap saw.
        """
        x, *parts = ctx.saved_tensors
        slope = slope.permute(0, 2, 3, 1)
        filters, channels = slope.shape[3], x.shape[3]
        of_x = torch.zeros(x.shape, dtype=torch.float32, device=x.device)
        windows = product(enumerate(ctx.windows), repeat=2)
        for part, ((r, (rows, _)), (c, (columns, _))) in zip(parts, windows, strict=True):
            seen = of_x[:, rows, columns]
            seen += (slope[:, r, c] @ part).view(seen.shape)
        taps = len(ctx.sights)
        of_weight = torch.empty(filters, taps, taps, channels, dtype=torch.float32)
        for (i, (down, rows)), (j, (across, columns)) in product(enumerate(ctx.sights), repeat=2):
            after, before = slope[:, down, across].reshape(-1, filters), x[:, rows, columns].reshape(-1, channels)
            of_weight[:, i, j] = after.t() @ before
        return of_x.to(x.dtype).permute(0, 3, 1, 2), of_weight.permute(0, 3, 1, 2), None, None


class _Windows(torch.autograd.Function):
    """conv2d without bias, in which the gradient of the weight is one product over all windows of the kernel."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        weight = weight.bfloat16()
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, None, stride, padding)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (x, weight), stride, padding = ctx.saved_tensors, [ctx.stride] * 2, [ctx.padding] * 2
        of_x = [True, False, False]
        settings = (None, stride, padding, [1, 1], False, [0, 0], 1)
        slope_of_x = torch.ops.aten.convolution_backward(slope, x, weight, *settings, of_x)[0]
        filters, channels, kernel, _ = weight.shape
        padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, *padding, *padding))
        seen = padded.unfold(1, kernel, ctx.stride).unfold(2, kernel, ctx.stride).permute(0, 1, 2, 4, 5, 3)
        of_weight = slope.permute(0, 2, 3, 1).reshape(-1, filters).t() @ seen.reshape(-1, kernel * kernel * channels)
        of_weight = of_weight.to(torch.float32)
        return slope_of_x, of_weight.view(filters, kernel, kernel, channels).permute(0, 3, 1, 2), None, None


class _Points:
    """conv2d with a 1×1 kernel, without bias or padding, as a product of the pixels that it reads and the kernel."""

    @staticmethod
    def apply(x: Tensor, weight: Tensor, stride: int, _: int) -> Tensor:
        read = x.permute(0, 2, 3, 1)[:, ::stride, ::stride]
        return F.linear(read, weight.flatten(1).bfloat16()).permute(0, 3, 1, 2)


def _window(first: int, kernel: int, side: int) -> tuple[slice, slice]:
    """Return, along one side, the pixels that a kernel placed at `first` sees, and the taps that see them."""
    pixels = slice(max(first, 0), max(min(first + kernel, side), 0))
    return pixels, slice(pixels.start - first, pixels.stop - first)


def _sight(tap: int, windows: list[tuple[slice, slice]], stride: int, padding: int) -> tuple[slice, slice]:
    """Return, along one side, the outputs that use the tap, and the input pixels that they see through it."""
    outs = [out for out, (_, taps) in enumerate(windows) if taps.start <= tap < taps.stop]
    if not outs:
        return slice(0), slice(0)
    first, last = (out * stride - padding + tap for out in (outs[0], outs[-1]))
    return slice(outs[0], outs[-1] + 1), slice(first, last + 1, stride)
