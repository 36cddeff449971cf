"""Optimisers against torch's own."""

import pytest
import torch

from cellbench.deep.recipe import Recipe
from cellbench.deep.training.optimisers import axes_in_memory_order, make_optimiser


@pytest.mark.parametrize(
    ("name", "kind"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_only_weights_decay_unless_all_are_to(name, kind):
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Linear(2, 2))
    optimiser = make_optimiser(net, Recipe(optimiser=name, lr=0.1, weight_decay=0.1))
    assert type(optimiser) is kind
    decays = {p.ndim > 1: group["weight_decay"] for group in optimiser.param_groups for p in group["params"]}
    assert decays == {True: 0.1, False: 0.0}
    groups = make_optimiser(net, Recipe(optimiser=name, lr=0.1, weight_decay=0.1, decay_all=True)).param_groups
    assert {group["weight_decay"] for group in groups} == {0.1}


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_steps_on_weights_that_lie_channels_last_are_those_of_torchs_plain_optimiser(name, layout):
    """Also with gradients that lie otherwise, with which torch's own fused steps go wrong; torch 2.15."""
    recipe = Recipe(optimiser=name, lr=0.1, weight_decay=0.01)

    def trained(make, layout):
        torch.manual_seed(0)
        net = torch.nn.Conv2d(6, 8, 3).to(memory_format=torch.channels_last)
        optimiser = make(net)
        for _ in range(3):
            net.weight.grad = torch.randn(8, 6, 3, 3).contiguous(memory_format=layout)
            with axes_in_memory_order(optimiser):
                optimiser.step()
        return net.weight

    def plain(net):
        kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
        momentum = {"momentum": recipe.momentum, "nesterov": True} if name == "sgd" else {}
        return kinds[name](net.parameters(), lr=0.1, weight_decay=0.01, foreach=False, **momentum)

    got, expected = trained(lambda net: make_optimiser(net, recipe), layout), trained(plain, torch.channels_last)
    assert got.shape == (8, 6, 3, 3)
    assert got.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)
