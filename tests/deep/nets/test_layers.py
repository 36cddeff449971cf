"""Heads, freeze plans, and batch norm that stays as it is."""

import pytest
import torch
from torch import nn

from cellbench.core.errors import UsageError
from cellbench.deep.nets import NETS, find
from cellbench.deep.nets.layers import (
    convolution_modules,
    first_convolution,
    freeze,
    head_layers,
    head_parameters,
    last_linear,
    settle_norms,
    values_after,
)


def meta(name: str) -> nn.Module:
    with torch.device("meta"):
        return find(name).build(3, 6, 64)


def learning(net: nn.Module) -> set[str]:
    return {name for name, parameter in net.named_parameters() if parameter.requires_grad}


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


def test_only_the_last_layer_of_a_net_with_a_frozen_body_learns():
    net = meta("vgg11")
    freeze(net, "head")
    assert learning(net) == {"classifier.6.weight", "classifier.6.bias"}


def test_with_convolutions_frozen_the_linear_layers_learn():
    net = meta("vgg11")
    freeze(net, "convolutions")
    assert learning(net) == {f"classifier.{i}.{kind}" for i in (0, 3, 6) for kind in ("weight", "bias")}


def test_a_net_that_classifies_by_convolution_keeps_learning_in_that_one():
    net = meta("torchvision:squeezenet1_1")
    for plan in ("head", "convolutions"):
        freeze(net, plan)
        assert learning(net) == {"classifier.1.weight", "classifier.1.bias"}


def test_a_plan_is_the_same_twice_and_can_be_taken_back():
    net = meta("resnet18")
    everything = learning(net)
    freeze(net, "head")
    once = learning(net)
    freeze(net, "head")
    assert learning(net) == once
    freeze(net, "convolutions")
    assert learning(net) == {"fc.weight", "fc.bias"}
    freeze(net, "none")
    assert learning(net) == everything


def test_a_plan_that_is_unknown_or_senseless_is_refused():
    with pytest.raises(UsageError, match="freeze is 'heads'; did you mean 'head'"):
        freeze(meta("resnet18"), "heads")
    with pytest.raises(UsageError, match="this net has none"):
        freeze(meta("mlp"), "convolutions")


def test_frozen_batch_norm_counts_nothing_and_learning_batch_norm_does():
    net = NETS["resnet20"].build(1, 3, 8)
    freeze(net, "head")
    for parameter in net.stage3.parameters():
        parameter.requires_grad_(True)
    net.train()
    settle_norms(net)
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    net(torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    changed = {name for name, buffer in net.named_buffers() if not torch.equal(buffer, before[name])}
    assert changed == {name for name in before if name.startswith("stage3")}


def test_a_step_with_a_frozen_body_changes_the_head_alone():
    torch.manual_seed(0)
    net = NETS["resnet20"].build(1, 3, 8)
    freeze(net, "head")
    net.train()
    settle_norms(net)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1, weight_decay=0.1)
    net(torch.randn(4, 1, 8, 8)).square().sum().backward()
    optimiser.step()
    assert {name for name, t in net.state_dict().items() if not torch.equal(t, before[name])} == {
        "fc.weight",
        "fc.bias",
    }


def test_the_values_after_a_stack_are_counted_without_computing():
    stack = nn.Sequential(nn.Conv2d(2, 5, 3), nn.MaxPool2d(2))
    assert values_after(stack, channels=2, size=10) == 5 * 4 * 4
