"""Learning rates against hand computation and torch's own schedulers."""

import pytest
import torch

from cellbench.core.errors import UsageError
from cellbench.deep.recipe import Recipe
from cellbench.deep.training.schedules import learning_rate, plateaus


def test_the_one_cycle_rises_for_thirty_percent_and_falls_to_nothing():
    recipe = Recipe(lr=1.0)
    assert learning_rate(recipe, 0.15) == pytest.approx(0.5)
    assert learning_rate(recipe, 0.3) == pytest.approx(1.0)
    assert learning_rate(recipe, 0.65) == pytest.approx(0.5)
    assert learning_rate(recipe, 1.0) == pytest.approx(0.0)


def test_two_stages_have_a_cycle_each():
    """The head trains for 2 of 10 epochs: a cycle up to 0.2, another from there on."""
    recipe = Recipe(lr=1.0, schedule="one-cycle-per-stage", freeze="head", head_epochs=2, epochs=10)
    for start, end in ((0.0, 0.2), (0.2, 1.0)):
        alone = Recipe(lr=1.0)
        for share in (0.1, 0.3, 0.5, 0.65, 0.9):
            found = learning_rate(recipe, start + share * (end - start))
            assert found == pytest.approx(learning_rate(alone, share)), (start, share)
    assert learning_rate(recipe, 0.06) == pytest.approx(1.0)
    assert learning_rate(recipe, 0.2 + 0.3 * 0.8) == pytest.approx(1.0)
    assert learning_rate(recipe, 0.199999) == pytest.approx(0.0, abs=1e-4)


def test_a_head_that_trains_to_the_end_has_one_cycle():
    recipe = Recipe(lr=1.0, schedule="one-cycle-per-stage", freeze="head", head_epochs=5, epochs=1)
    assert [learning_rate(recipe, at) for at in (0.15, 0.3, 1.0)] == pytest.approx([0.5, 1.0, 0.0])


def test_stages_are_for_training_that_has_them():
    with pytest.raises(UsageError, match="only freeze=head trains in stages; choose schedule=one-cycle"):
        Recipe(schedule="one-cycle-per-stage")


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
