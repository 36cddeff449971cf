"""The first convolution and the head of any net, and what comes out of a stack of layers."""

import pytest
from torch import nn

from cellbench.core.errors import UsageError
from cellbench.deep.nets.layers import (
    convolution_modules,
    first_convolution,
    head_layers,
    head_parameters,
    last_linear,
    values_after,
)

from ..helpers import meta


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("resnet18", ["fc"]),
        ("vgg11", ["classifier.0", "classifier.3", "classifier.6"]),
        ("alexnet-hep2", ["classifier.1", "classifier.4", "classifier.7", "classifier.9"]),
        ("mlp", ["8"]),  # batch norm stands between the linear layers
        ("bninception", ["last_linear"]),
        ("torchvision:mobilenet_v3_small", ["classifier.0", "classifier.3"]),
        ("torchvision:vit_b_32", ["heads.head"]),  # its other linear layers belong to attention
        ("torchvision:squeezenet1_1", ["classifier.1"]),
    ],
)
def test_the_head_is_the_linear_layers_at_the_end(name, head):
    net = meta(name)
    assert [layer for layer, _ in head_layers(net)] == head
    assert {id(p) for p in head_parameters(net)} == {id(p) for p in net.get_submodule(head[-1]).parameters()}


def test_the_last_linear_layer_gives_the_scores():
    assert last_linear(meta("vgg11")).out_features == 6
    with pytest.raises(UsageError, match="no linear layer"):
        last_linear(meta("torchvision:squeezenet1_1"))


def test_the_first_convolution_reads_the_image():
    name, layer = first_convolution(meta("resnet50"))
    assert (name, layer.in_channels) == ("conv1", 3)
    assert first_convolution(meta("mlp")) is None
    assert len(convolution_modules(meta("plain18"))) == 17


def test_the_values_after_a_stack_are_counted_without_computing():
    stack = nn.Sequential(nn.Conv2d(2, 5, 3), nn.MaxPool2d(2))
    assert values_after(stack, channels=2, size=10) == 5 * 4 * 4
