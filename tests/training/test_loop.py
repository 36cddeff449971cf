"""The training loop: rates, augmentation, precision, checkpoints, and what it does when things go wrong."""

import math

import numpy as np
import pytest
import torch

from cellbench.core.errors import TrainingError, UsageError
from cellbench.core.metrics import decide, macro_f1
from cellbench.core.runs import RunLog
from cellbench.nets.cnn import cnn
from cellbench.training import loop
from cellbench.training.augment import augment
from cellbench.training.recipe import Recipe

STILL = {"rotate": 0.0, "flip": False, "scale": 0.0, "shift": 0.0, "gain": 0.0}


def train(toy, **settings):
    torch.manual_seed(0)
    net = cnn(channels=1, classes=3, size=32)
    log = RunLog()
    recipe = Recipe(**{"epochs": 4, "batch": 16, "lr": 0.05, "precision": "fp32", **settings})
    return loop.train(net, recipe, toy.part("train"), toy.part("val"), 0, "cpu", log), log


def test_the_one_cycle_rises_for_thirty_percent_and_falls_to_nothing():
    recipe = Recipe(lr=1.0)
    assert loop.learning_rate(recipe, 0.15) == pytest.approx(0.5)
    assert loop.learning_rate(recipe, 0.3) == pytest.approx(1.0)
    assert loop.learning_rate(recipe, 0.65) == pytest.approx(0.5)
    assert loop.learning_rate(recipe, 1.0) == pytest.approx(0.0)


def test_the_cosine_falls_from_its_peak_and_constant_stays():
    assert loop.learning_rate(Recipe(lr=1.0, schedule="cosine"), 1 / 3) == pytest.approx(0.75)
    assert loop.learning_rate(Recipe(lr=1.0, schedule="constant"), 0.9) == 1.0


def test_the_weights_kept_are_those_of_the_best_epoch_on_validation(toy):
    model, log = train(toy, epochs=6)
    scores = [row["val_macro_f1"] for row in log.history]
    assert model.best_epoch == 1 + int(np.argmax(scores))
    val = toy.part("val")
    assert macro_f1(val.labels, decide(model.predict(val.images))) == max(scores)


def test_rehearsing_on_random_labels_leaves_no_trace(toy, monkeypatch):
    with_rehearsal, _ = train(toy, epochs=1)
    monkeypatch.setattr(loop, "REHEARSAL_STEPS", 0)
    without, _ = train(toy, epochs=1)
    images = toy.part("test").images
    # dropout draws from torch's global generator, which the rehearsal restores
    np.testing.assert_array_equal(with_rehearsal.predict(images), without.predict(images))


def test_history_has_every_epoch_with_its_rate_and_losses(toy):
    _, log = train(toy)
    assert [row["epoch"] for row in log.history] == [1, 2, 3, 4]
    assert all(math.isfinite(row[key]) for row in log.history for key in ("train_loss", "val_loss", "lr", "seconds"))
    assert log.history[-1]["val_accuracy"] > log.history[0]["val_accuracy"]
    assert set(log.seconds) == {"transfer", "warmup", "fit"}


def test_a_loss_that_is_no_number_ends_the_run_and_names_the_rate(toy):
    with pytest.raises(TrainingError, match=r"epoch \d.*learning rate"):
        train(toy, lr=1e30, schedule="constant")


def test_a_training_set_smaller_than_a_batch_is_one_batch(toy):
    model, _ = train(toy, batch=4096, epochs=1)
    assert model.predict(toy.part("test").images).shape == (30, 3)


def test_images_are_normalised_by_train_statistics_by_channel():
    images = torch.randint(0, 255, (700, 2, 5, 5), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    images[:, 1] = 7
    mean, deviation = loop._statistics(images)
    torch.testing.assert_close(mean[0, 0, 0, 0].double(), images[:, 0].double().mean())
    torch.testing.assert_close(deviation[0, 0, 0, 0].double(), images[:, 0].double().std(correction=0))
    assert (mean[0, 1, 0, 0], deviation[0, 1, 0, 0]) == (7, 1)


def test_no_augmentation_is_the_identity():
    batch = torch.rand(3, 2, 16, 16)
    torch.testing.assert_close(augment(batch, Recipe(**STILL), torch.Generator()), batch, atol=1e-5, rtol=0)


def test_augmentation_differs_by_sample_and_repeats_by_seed():
    batch = torch.rand(1, 1, 16, 16).expand(4, 1, 16, 16).contiguous()
    first, again = (augment(batch, Recipe(), torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.allclose(first[0], first[1])


def test_gain_changes_intensity_within_its_range():
    batch = torch.ones(500, 1, 4, 4)
    means = augment(batch, Recipe(**{**STILL, "gain": 0.2}), torch.Generator().manual_seed(0)).mean((1, 2, 3))
    assert 0.8 <= means.min() < 0.82
    assert 1.18 < means.max() <= 1.2


def test_a_flip_mirrors_about_half_of_the_images():
    batch = torch.arange(16.0).view(1, 1, 4, 4).repeat(200, 1, 1, 1)
    out = augment(batch, Recipe(**{**STILL, "flip": True}), torch.Generator().manual_seed(0))
    mirrored = torch.isclose(out, batch.flip(3), atol=1e-3).flatten(1).all(1)
    kept = torch.isclose(out, batch, atol=1e-3).flatten(1).all(1)
    assert bool((mirrored ^ kept).all())
    assert 70 < int(mirrored.sum()) < 130


def test_precision_can_be_chosen(toy):
    model, _ = train(toy, precision="bf16", epochs=1)
    assert str(model.precision) == "bf16"
    assert model.predict(toy.part("test").images).dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs is 0; it must be above zero"),
        ({"epochs": 1.5}, "whole number"),
        ({"lr": -1}, "cannot be negative"),
        ({"lr": "fast"}, "lr is 'fast'; give a number"),
        ({"flip": 1}, "true or false"),
        ({"schedule": "onecycle"}, "choose one of one-cycle, cosine, constant"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        Recipe(**settings)
