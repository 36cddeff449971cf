"""The training loop: rates, augmentation, precision, checkpoints, and what it does when things go wrong."""

import copy
import itertools
import math
import shutil

import numpy as np
import pytest
import torch

from cellbench.core.errors import TrainingError, UsageError
from cellbench.core.machine.contention import Spent
from cellbench.core.records.runs import RunLog
from cellbench.core.scoring.metrics import decide, macro_f1
from cellbench.core.training_budget import Budget
from cellbench.datasets.toy import rings
from cellbench.deep.augmentation.augment import DRAWS
from cellbench.deep.augmentation.geometric import TRIES
from cellbench.deep.nets.cnn import cnn
from cellbench.deep.recipe import Recipe
from cellbench.deep.training import checkpoints, loop, warmup
from cellbench.deep.training.optimisers import make_optimiser, set_rate


def train(toy, log=None, **settings):
    torch.manual_seed(0)
    net = cnn(channels=1, classes=3, size=32)
    log = log or RunLog()
    recipe = Recipe(**{"epochs": 4, "batch": 16, "lr": 0.05, "precision": "fp32", **settings})
    return loop.train(net, recipe, toy.part("train"), toy.part("val"), 0, "cpu", log), log


def test_a_loop_written_out_in_plain_torch_learns_the_same(toy):
    """Two batches an epoch and a third that is not whole; cosine, Nesterov, decay of weights alone, smoothed labels."""
    still = {"rotate": 0.0, "flip": False, "scale": 0.0, "shift": 0.0, "gain": 0.0}
    settings = {"epochs": 3, "batch": 25, "lr": 0.05, "schedule": "cosine", "precision": "fp32", "choose": "last"}
    part = toy.part("train")
    assert len(part) // 25 == 2 < len(part) / 25

    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(32 * 32, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    plain = copy.deepcopy(net)
    loop.train(net, Recipe(**still, **settings), part, toy.part("val"), 0, "cpu", RunLog())

    images, labels = torch.from_numpy(part.images.astype(np.float32)), torch.from_numpy(part.labels)
    images = (images - images.mean()) / images.std(correction=0)
    weights, biases = ([p for p in plain.parameters() if (p.ndim > 1) == matrix] for matrix in (True, False))
    groups = [{"params": weights, "weight_decay": 5e-4}, {"params": biases, "weight_decay": 0.0}]
    optimiser = torch.optim.SGD(groups, lr=0.05, momentum=0.9, nesterov=True)
    generator = torch.Generator().manual_seed(0)
    for epoch in range(3):
        order = torch.randperm(len(part), generator=generator)
        for number, chosen in enumerate(order[:50].split(25)):
            torch.rand(len(DRAWS) + 2 * TRIES, 25, generator=generator)  # augmentation draws also where it is off
            for group in optimiser.param_groups:
                group["lr"] = 0.05 * 0.5 * (1 + math.cos(math.pi * (epoch + (number + 0.5) / 2) / 3))
            loss = torch.nn.functional.cross_entropy(plain(images[chosen]), labels[chosen], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    for ours, expected in zip(net.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


def test_the_weights_kept_are_those_of_the_best_epoch_on_validation(toy):
    model, log = train(toy, epochs=6, choose="best")
    scores = [row["val_macro_f1"] for row in log.history]
    assert model.best_epoch == 1 + int(np.argmax(scores))
    val = toy.part("val")
    assert macro_f1(val.labels, decide(model.predict(val.images))) == max(scores)


@pytest.mark.parametrize("settings", [{"precision": "fp32"}, {"precision": "fp16"}, {"freeze": "head"}])
def test_rehearsing_on_random_labels_leaves_no_trace(monkeypatch, settings):
    few = rings(n=24)  # processors are slow at fp16
    with_rehearsal, _ = train(few, epochs=2, batch=4, **settings)
    monkeypatch.setattr(warmup, "STEPS", 0)
    without, _ = train(few, epochs=2, batch=4, **settings)
    images = few.part("test").images
    # dropout draws from torch's global generator, which the rehearsal restores
    np.testing.assert_array_equal(with_rehearsal.predict(images), without.predict(images))


def test_history_has_every_epoch_with_its_rate_and_losses(toy):
    _, log = train(toy)
    assert [row["epoch"] for row in log.history] == [1, 2, 3, 4]
    assert all(math.isfinite(row[key]) for row in log.history for key in ("train_loss", "val_loss", "lr", "seconds"))
    assert log.history[-1]["val_accuracy"] > log.history[0]["val_accuracy"]
    assert set(log.seconds) == {"transfer", "warmup", "fit", "validate"}


def test_a_loss_that_is_no_number_ends_the_run_and_names_the_rate(toy):
    with pytest.raises(TrainingError, match=r"step \d+ \(epoch \d, learning rate 1e\+30\); lower lr"):
        train(toy, lr=1e30, schedule="constant")


def test_a_training_set_smaller_than_a_batch_is_one_batch(toy):
    model, _ = train(toy, batch=4096, epochs=1)
    assert model.predict(toy.part("test").images).shape == (30, 3)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_precision_can_be_chosen(precision):
    few = rings(n=24)
    model, _ = train(few, precision=precision, epochs=1, batch=4)
    assert str(model.precision) == precision
    assert model.predict(few.part("test").images).dtype == np.float32


def test_scoring_val_seldom_changes_nothing_but_the_history(toy, monkeypatch):
    often, every = train(toy, epochs=7, choose="last")
    monkeypatch.setattr(loop, "epochs_between_scores", lambda n_train, n_val: 3)
    seldom, spaced = train(toy, epochs=7, choose="last")
    images = toy.part("test").images
    np.testing.assert_array_equal(often.predict(images), seldom.predict(images))
    assert [row["epoch"] for row in spaced.history if "val_loss" in row] == [4, 7]
    assert [row["train_loss"] for row in spaced.history] == [row["train_loss"] for row in every.history]
    scored = [{k: v for k, v in every.history[i].items() if k != "seconds"} for i in (3, 6)]
    assert scored == [{k: v for k, v in spaced.history[i].items() if k != "seconds"} for i in (3, 6)]


def test_the_best_of_the_scored_epochs_is_kept(toy, monkeypatch):
    monkeypatch.setattr(loop, "epochs_between_scores", lambda n_train, n_val: 2)
    model, log = train(toy, epochs=5, choose="best")
    scores = {row["epoch"]: row["val_macro_f1"] for row in log.history if "val_macro_f1" in row}
    assert list(scores) == [3, 5]
    assert model.best_epoch == max(scores, key=scores.get)


@pytest.mark.parametrize("settings", [{"schedule": "plateau"}, {"early_stopping": 9}])
def test_what_waits_for_val_has_it_scored_after_every_epoch(toy, monkeypatch, settings):
    monkeypatch.setattr(loop, "epochs_between_scores", lambda n_train, n_val: 3)
    _, log = train(toy, epochs=4, **settings)
    assert all("val_loss" in row for row in log.history)


def test_epochs_and_batch_that_are_left_open_follow_the_number_of_images(toy, monkeypatch):
    monkeypatch.setattr(loop, "budget", lambda n, epochs, batch: Budget(2, n // 2))
    _, log = train(toy, epochs=None, batch=None)
    assert [row["epoch"] for row in log.history] == [1, 2]


class StoppedError(Exception):
    """Stands for a kill in the middle of training."""


def a_second_a_phase(monkeypatch):
    seconds = itertools.count()
    monkeypatch.setattr(Spent, "now", lambda: Spent(next(seconds), 0, 0))


def stopping_after(epochs, checkpoint):
    def listener(kind, facts):
        if kind == "phase" and facts["name"] == "fit":
            stopping_after.seen += 1
            if stopping_after.seen > epochs:
                raise StoppedError

    stopping_after.seen = 0
    return RunLog(listener, checkpoint)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimiser": "adam", "lr": 0.01, "accumulate": 2},
        {"schedule": "plateau", "patience": 0, "choose": "last"},
    ],
)
@pytest.mark.parametrize("between", [1, 2])
def test_a_training_that_was_stopped_goes_on_and_ends_as_if_it_never_had_been(
    toy, tmp_path, monkeypatch, settings, between
):
    a_second_a_phase(monkeypatch)
    monkeypatch.setattr(loop, "epochs_between_scores", lambda n_train, n_val: between)
    whole, whole_log = train(toy, epochs=5, **settings)
    checkpoint = tmp_path / "run.checkpoint"
    with pytest.raises(StoppedError):
        train(toy, log=stopping_after(3, checkpoint), epochs=5, **settings)
    torch.manual_seed(123)  # another process
    resumed, log = train(toy, log=RunLog(checkpoint=checkpoint), epochs=5, **settings)
    without_time = [{k: v for k, v in row.items() if k != "seconds"} for row in log.history]
    assert without_time == [{k: v for k, v in row.items() if k != "seconds"} for row in whole_log.history]
    assert resumed.best_epoch == whole.best_epoch
    images = toy.part("test").images
    np.testing.assert_array_equal(resumed.predict(images), whole.predict(images))
    assert log.seconds["fit"] > sum(row["seconds"] for row in log.history[:3]) * 0.99
    assert (whole_log.spent.total_seconds, log.spent.total_seconds) == (
        1 + 5,
        1 + 3 + 1 + 2,
    )  # images are sent off a second time


def test_a_checkpoint_that_another_version_wrote_or_that_is_cut_short_is_not_gone_on_from(toy, tmp_path, monkeypatch):
    checkpoint = tmp_path / "run.checkpoint"
    train(toy, log=RunLog(checkpoint=checkpoint), epochs=2)
    monkeypatch.setattr(checkpoints, "WRITTEN_BY", "cellbench 0.0.1")
    assert checkpoints.load(checkpoint) is None
    monkeypatch.undo()
    assert checkpoints.load(checkpoint)["best_epoch"] >= 1
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    assert checkpoints.load(checkpoint) is None
    _, log = train(toy, log=RunLog(checkpoint=checkpoint), epochs=1)
    assert len(log.history) == 1


def test_the_last_epoch_is_kept_when_the_recipe_says_so(toy):
    model, log = train(toy, epochs=6, choose="last")
    val = toy.part("val")
    assert model.best_epoch == 6
    assert macro_f1(val.labels, decide(model.predict(val.images))) == log.history[-1]["val_macro_f1"]


def test_training_ends_early_when_val_no_longer_improves(toy):
    model, log = train(toy, epochs=30, choose="best", early_stopping=2, lr=1e-9, schedule="constant")
    assert (model.best_epoch, len(log.history)) == (1, 3)


def test_no_epochs_leave_the_weights_as_they_come(toy):
    torch.manual_seed(0)
    untouched = cnn(channels=1, classes=3, size=32).state_dict()
    model, log = train(toy, epochs=0)
    assert not log.history
    assert all(torch.equal(value, untouched[name]) for name, value in model.net.state_dict().items())


def test_gradients_added_up_over_two_batches_are_those_of_one_twice_as_large(toy):
    """Without batch norm, augmentation and dropout the two differ by rounding alone."""
    still = {"rotate": 0.0, "flip": False, "scale": 0.0, "shift": 0.0, "gain": 0.0, "epochs": 1, "momentum": 0.0}

    half = len(toy.split.train) // 6

    def weights(**settings):
        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(32 * 32, 3))
        recipe = Recipe(**still, precision="fp32", schedule="constant", lr=0.01, **settings)
        loop.train(net, recipe, toy.part("train"), toy.part("val"), 0, "cpu", RunLog())
        return net[1].weight

    torch.testing.assert_close(weights(batch=half, accumulate=2), weights(batch=2 * half))
    assert not torch.allclose(weights(batch=half), weights(batch=2 * half))


def moved(toy, **settings):
    """What one step changes in a net of one layer without biases."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(32 * 32, 3, bias=False))
    before = net[1].weight.detach().clone()
    step = {"epochs": 1, "batch": 4096, "momentum": 0, "weight_decay": 0, "lr": 1.0, "schedule": "constant"}
    recipe = Recipe(**step, precision="fp32", **settings)
    loop.train(net, recipe, toy.part("train"), toy.part("val"), 0, "cpu", RunLog())
    return net[1].weight.detach() - before


def test_a_step_of_fewer_batches_than_asked_for_is_their_mean_too(toy):
    torch.testing.assert_close(moved(toy, accumulate=4), moved(toy))


def test_scores_of_val_that_are_no_numbers_end_the_run(toy, monkeypatch):
    whole = loop.NetClassifier.predict
    monkeypatch.setattr(loop.NetClassifier, "predict", lambda model, images: whole(model, images) * np.nan)
    with pytest.raises(TrainingError, match="scores of val are no finite numbers after epoch 1; lower lr"):
        train(toy)


def test_a_batch_of_one_is_refused_where_batch_norm_needs_more(toy):
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.BatchNorm1d(32 * 32), torch.nn.Linear(32 * 32, 3))
    with pytest.raises(UsageError, match="set a larger batch"):
        loop.train(net, Recipe(batch=1), toy.part("train"), toy.part("val"), 0, "cpu", RunLog())


def test_a_training_that_diverged_leaves_no_checkpoint_to_go_on_from(toy, tmp_path):
    checkpoint = tmp_path / "run.checkpoint"
    with pytest.raises(TrainingError):
        train(toy, log=RunLog(checkpoint=checkpoint), lr=1e30, schedule="constant", epochs=9)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_does_not_end_training(toy, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save", full)
    _, log = train(toy, log=RunLog(checkpoint=tmp_path / "run.checkpoint"), epochs=2)
    assert len(log.history) == 2


def test_a_bound_on_the_gradient_bounds_the_step(toy):
    assert float(moved(toy, clip_norm=0.5).norm()) == pytest.approx(0.5, rel=1e-4)
    assert float(moved(toy, clip_value=0.01).abs().max()) == pytest.approx(0.01, rel=1e-4)
    assert float(moved(toy).norm()) > 0.6


def test_the_head_learns_alone_first_and_then_all(toy):
    torch.manual_seed(0)
    net = cnn(channels=1, classes=3, size=32)
    first = net[0].weight.detach().clone()
    recipe = Recipe(epochs=2, batch=16, lr=0.05, precision="fp32", freeze="head", head_epochs=2, choose="last")
    loop.train(net, recipe, toy.part("train"), toy.part("val"), 0, "cpu", RunLog())
    assert torch.equal(net[0].weight, first)
    assert all(p.requires_grad for p in net.parameters())
    recipe = Recipe(epochs=2, batch=16, lr=0.05, precision="fp32", freeze="head", head_epochs=1, choose="last")
    loop.train(net, recipe, toy.part("train"), toy.part("val"), 0, "cpu", RunLog())
    assert not torch.equal(net[0].weight, first)


def test_convolutions_can_stay_frozen_throughout(toy):
    torch.manual_seed(0)
    net = cnn(channels=1, classes=3, size=32)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    recipe = Recipe(epochs=2, batch=16, lr=0.05, precision="fp32", freeze="convolutions", choose="last")
    loop.train(net, recipe, toy.part("train"), toy.part("val"), 0, "cpu", RunLog())
    changed = {name.split(".")[0] for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    linear = {name for name, module in net.named_children() if isinstance(module, torch.nn.Linear)}
    assert changed == linear


def test_the_backbone_may_learn_at_a_share_of_the_rate(toy):
    torch.manual_seed(0)
    net = cnn(channels=1, classes=3, size=32)
    optimiser = make_optimiser(net, Recipe(lr=0.1, backbone_lr=0.1))
    set_rate(optimiser, 0.5)
    rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    *others, weight, bias = net.parameters()
    assert {rates[id(p)] for p in others} == {0.05}
    assert rates[id(weight)] == rates[id(bias)] == 0.5


@pytest.mark.skipif(not shutil.which("c++"), reason="torch.compile needs a C++ compiler")
def test_a_compiled_net_learns_the_same(toy):
    def weights(**settings):
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(32 * 32, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)
        )
        # batches of one size: another would be compiled anew
        recipe = Recipe(epochs=2, batch=15, lr=0.01, precision="fp32", **settings)
        log = RunLog()
        loop.train(net, recipe, toy.part("train"), toy.part("val"), 0, "cpu", log)
        return net[1].weight.detach(), log.seconds

    (plain, _), (compiled, with_compiler) = weights(), weights(compile=True)
    torch.testing.assert_close(compiled, plain, rtol=1e-4, atol=1e-5)
    assert with_compiler["fit"] < with_compiler["warmup"]  # compiling takes seconds, and is no part of fit


def test_rows_of_the_history_tell_train_and_val_alike(toy):
    _, log = train(toy, epochs=1)
    figures = {f"{part}_{name}" for part in ("train", "val") for name in ("loss", "accuracy", "macro_f1")}
    assert set(log.history[0]) == figures | {"epoch", "epochs", "lr", "seconds"}
