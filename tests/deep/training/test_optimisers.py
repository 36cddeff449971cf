"""Learning rates against hand computation and torch's own schedulers."""

import pytest
import torch

from cellbench.deep.recipe import Recipe
from cellbench.deep.training.optimisers import learning_rate, make_optimiser, plateaus


def test_the_one_cycle_rises_for_thirty_percent_and_falls_to_nothing():
    recipe = Recipe(lr=1.0)
    assert learning_rate(recipe, 0.15) == pytest.approx(0.5)
    assert learning_rate(recipe, 0.3) == pytest.approx(1.0)
    assert learning_rate(recipe, 0.65) == pytest.approx(0.5)
    assert learning_rate(recipe, 1.0) == pytest.approx(0.0)


def test_the_cosine_falls_from_its_peak_and_constant_stays():
    assert learning_rate(Recipe(lr=1.0, schedule="cosine"), 1 / 3) == pytest.approx(0.75)
    assert learning_rate(Recipe(lr=1.0, schedule="constant"), 0.9) == 1.0


def test_any_schedule_may_rise_first():
    recipe = Recipe(lr=1.0, schedule="step", rise=0.1)
    assert [learning_rate(recipe, at) for at in (0.05, 0.1, 0.5, 0.75)] == pytest.approx([0.5, 1.0, 0.1, 0.01])


def test_steps_fall_at_their_milestones_as_torch_does():
    recipe = Recipe(lr=1.0, schedule="step", milestones=(0.5, 0.8), factor=0.3)
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.MultiStepLR(optimiser, [5, 8], gamma=0.3)
    for epoch in range(10):
        assert learning_rate(recipe, epoch / 10) == pytest.approx(optimiser.param_groups[0]["lr"])
        optimiser.step()
        theirs.step()


@pytest.mark.parametrize("patience", [0, 1, 3])
def test_the_plateau_is_torchs(patience):
    losses = [1.0, 0.9, 0.95, 0.94, 0.93, 0.89999, 0.92, 0.91, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.4, 0.41, 0.42]
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.1, patience=patience, eps=0)
    for epoch, loss in enumerate(losses):
        theirs.step(loss)
        assert 0.1 ** plateaus(losses[: epoch + 1], patience) == pytest.approx(optimiser.param_groups[0]["lr"])


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
