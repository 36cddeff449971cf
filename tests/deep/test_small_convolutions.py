"""Convolutions of small maps as products, against torch's own in float32."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cellbench.deep import small_convolutions
from cellbench.deep.small_convolutions import SmallConvolutions

BF16 = 0.004  # half a step of bf16 relative to a number


def _passes(conv, x, slope):
    """Result and the three gradients, as float32."""
    x = x.clone().requires_grad_()
    conv.zero_grad()
    y = conv(x)
    y.backward(slope.to(y.dtype))
    return [t.float() for t in (y.detach(), x.grad, *(p.grad for p in conv.parameters()))]


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "padding", "way"),
    [
        (2, 3, 1, 1, "_Products"),
        (4, 3, 2, 1, "_Products"),
        (1, 3, 1, 1, "_Products"),
        (3, 5, 2, 2, "_Products"),
        (2, 2, 1, 0, "_Products"),
        (4, 3, 1, 1, "_Windows"),
        (8, 3, 2, 1, "_Windows"),
        (7, 5, 2, 1, "_Windows"),
        (6, 3, 2, 0, "_Windows"),
        (8, 3, 1, 1, None),
        (16, 3, 4, 1, None),
        (2, 1, 1, 0, "_Points"),
        (16, 1, 2, 0, "_Points"),
        (7, 1, 3, 0, "_Points"),
        (2, 1, 1, 1, None),
        (16, 1, 1, 0, None),
    ],
)
def test_a_convolution_and_its_gradients_are_those_of_torch_in_float32(side, kernel, stride, padding, way, monkeypatch):
    called = []
    for name in ("_Products", "_Windows", "_Points"):
        each = getattr(small_convolutions, name)
        monkeypatch.setattr(each, "apply", lambda *args, name=name, do=each.apply: called.append(name) or do(*args))
    torch.manual_seed(0)
    conv = nn.Conv2d(24, 40, kernel, stride, padding).to(memory_format=torch.channels_last)
    with torch.no_grad():
        conv.weight.copy_(conv.weight.bfloat16())  # so that both start from the same numbers
    x = torch.randn(8, 24, side, side).bfloat16().float()
    slope = torch.randn_like(conv(x)).bfloat16().float()

    expected = _passes(conv, x, slope)
    with torch.autocast("cpu", torch.bfloat16):
        of_torch = _passes(conv, x, slope)
        with SmallConvolutions():
            got = _passes(conv, x, slope)

    assert called == ([way] if way else [])
    for mine, theirs, torchs in zip(got, expected, of_torch, strict=True):
        assert mine.shape == theirs.shape
        if way is None:  # how close torch comes to float32 is the processor's affair
            assert torch.equal(mine, torchs)
        else:
            assert (mine - theirs).norm() < BF16 * theirs.norm()


def test_a_convolution_in_groups_and_one_of_functional_form_are_left_to_torch():
    x, weight = torch.randn(2, 4, 2, 2), torch.randn(4, 2, 3, 3)
    with SmallConvolutions():
        assert torch.equal(F.conv2d(x, weight, None, 1, 1, 1, 2), torch.conv2d(x, weight, None, 1, 1, 1, 2))
        assert F.conv2d(x, weight, padding=1, groups=2).dtype == torch.float32
