"""Freeze plans, and batch norm that stays as it is."""

import pytest
import torch
from torch import nn

from cellbench.core.errors import UsageError
from cellbench.deep.nets import NETS
from cellbench.deep.recipe import Recipe
from cellbench.deep.training.freezing import _stop_frozen_norms, freeze, plan_of_epoch, set_training_mode

from ..helpers import meta


def learning(net: nn.Module) -> set[str]:
    return {name for name, parameter in net.named_parameters() if parameter.requires_grad}


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
    _stop_frozen_norms(net)
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    net(torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    changed = {name for name, buffer in net.named_buffers() if not torch.equal(buffer, before[name])}
    assert changed == {name for name in before if name.startswith("stage3")}


def test_a_step_with_a_frozen_body_changes_the_head_alone():
    torch.manual_seed(0)
    net = NETS["resnet20"].build(1, 3, 8)
    set_training_mode(net, "head")
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1, weight_decay=0.1)
    net(torch.randn(4, 1, 8, 8)).square().sum().backward()
    optimiser.step()
    assert {name for name, t in net.state_dict().items() if not torch.equal(t, before[name])} == {
        "fc.weight",
        "fc.bias",
    }


def test_the_head_learns_alone_for_its_epochs_and_other_plans_hold_throughout():
    recipe = Recipe(freeze="head", head_epochs=2)
    assert [plan_of_epoch(recipe, epoch) for epoch in (1, 2, 3, 4)] == ["head", "head", "none", "none"]
    assert [plan_of_epoch(Recipe(freeze="convolutions"), epoch) for epoch in (1, 9)] == ["convolutions"] * 2
    assert plan_of_epoch(Recipe(), 1) == "none"
