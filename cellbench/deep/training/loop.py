"""The one training loop, from pixels on the device to the weights of the epoch that did best on validation."""

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...core.contention import Spent
from ...core.data import Samples
from ...core.errors import TrainingError, UsageError
from ...core.metrics import decide, macro_f1, validation_figure
from ...core.runs import RunLog
from ...core.tensors import as_tensor
from ...core.training_budget import Budget, budget, epochs_between_scores, is_scored
from ..augmentation.augment import augment
from ..augmentation.mixup import mix
from ..nets.layers import freeze, settle_norms
from ..recipe import Recipe, suited
from . import checkpoints
from .batches import batches, place
from .losses import Loss, make_loss
from .model import Trained, reader
from .optimisers import learning_rate, make_optimiser, set_rate
from .sampling import chosen_images, epoch_order

REHEARSAL_STEPS = 3
BEST = ("best", "best_epoch", "best_weights")  # of a Training, what val has chosen


@dataclass
class Training:
    """A training under way: what it is made of, and the best that it has come to.

    images, val_images: raw, (n, channels, height, width), on the device or, too many for it, on the processor's side.
    chosen: positions of the images of an epoch; truth: their labels, float (n, classes); both on the processor's side.
    budget: the recipe's epochs and batch, as they suit the number of images. between: epochs from one scoring of val to
    the next.
    """

    images: Tensor
    chosen: Tensor
    truth: Tensor
    val: Samples
    val_images: Tensor
    model: Trained
    forward: Callable[[Tensor], Tensor]
    recipe: Recipe
    budget: Budget
    between: int
    loss: Loss
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    shuffle: torch.Generator
    best: float = -math.inf
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)


def train(net: nn.Module, recipe: Recipe, train: Samples, val: Samples, seed: int, device: str, log: RunLog) -> Trained:
    """Train `net` by `recipe` and return it with the weights of the epoch that did best on val, or of the last.

    Settings left at auto are filled in by `suited`.
    Order of batches and augmentation come from `seed`; the weights are whatever `net` came with. With `log.checkpoint`
    every epoch is kept there, and training goes on from the one that is found there.
    Raises TrainingError, naming step and learning rate, when the loss is not finite, and UsageError when the recipe
    does not suit the labels.
    """
    recipe = suited(recipe, len(train))
    with log.phase("transfer"):
        validation_figure(val.labels, np.zeros((len(val), len(val.classes))))  # refuses labels that can choose nothing
        labels = _one_hot(train)
        chosen = torch.from_numpy(chosen_images(labels, recipe, seed))
        truth = torch.from_numpy(labels)[chosen].float()
        images, val_images = place(as_tensor(train.images), device), place(as_tensor(val.images), device)
        model = reader(net, images, recipe, device)
        loss = make_loss(recipe, truth.to(device), train.multilabel)
        synchronise(device)
    with log.phase("warmup"):
        training = Training(
            images,
            chosen,
            truth,
            val,
            val_images,
            model,
            forward=torch.compile(model.net) if recipe.compile else model.net,
            recipe=recipe,
            budget=budget(len(train), recipe.epochs, recipe.batch),
            between=_between_scores(recipe, len(chosen), len(val)),
            loss=loss,
            optimiser=make_optimiser(model.net, recipe),
            scaler=_scaler(model),
            shuffle=torch.Generator().manual_seed(seed),
        )
        _rehearse(training)
        synchronise(device)

    training.shuffle.manual_seed(seed)  # the rehearsal drew from it
    _resume(training, log)
    try:
        _train_on(training, log)
    except TrainingError:
        if log.checkpoint:  # going on from there would end in the same way
            checkpoints.remove(log.checkpoint)
        raise
    model.best_epoch = len(log.history)
    if training.best_weights:
        model.net.load_state_dict(training.best_weights)
        model.best_epoch = training.best_epoch
    freeze(model.net, "none")
    synchronise(device)
    return model


def synchronise(device: str) -> None:
    """Wait until the device has done all that it was asked, so that a clock read afterwards is true."""
    if device == "cuda":
        torch.cuda.synchronize()


def _train_on(training: Training, log: RunLog) -> None:
    """The epochs that the history lacks, each kept when it is over."""
    epochs = training.budget.epochs
    while len(log.history) < epochs and not _is_stale(training, len(log.history)):
        epoch, start = len(log.history) + 1, time.perf_counter()
        with log.phase("fit"):
            row = _epoch(training, log.history)
        if is_scored(epoch, epochs, training.between):
            with log.phase("validate"):
                row |= _validate(training, epoch)
        log.epoch(**row, epoch=epoch, epochs=epochs, seconds=time.perf_counter() - start)
        _keep(training, log)  # in no phase: a run that is never stopped would do without it


def _between_scores(recipe: Recipe, n_train: int, n_val: int) -> int:
    """What looks at val after every epoch has it scored after every epoch."""
    if recipe.schedule == "plateau" or recipe.early_stopping:
        return 1
    return epochs_between_scores(n_train, n_val)


def _epoch(training: Training, history: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Show the chosen images once, in a new order, but for the last, partial batch; returns the history's row of it."""
    recipe, device, done = training.recipe, training.model.device, len(history)
    _learn(training.model.net, "none" if recipe.freeze == "head" and done >= recipe.head_epochs else recipe.freeze)
    order = epoch_order(training.truth, recipe, training.shuffle)
    size = _batch(training)
    steps = len(order) // size
    shown = training.truth[order].to(device).split(size)
    val_losses = [row["val_loss"] for row in history if "val_loss" in row]
    rates, seen = [], []
    for i, batch in enumerate(batches(training.images, training.chosen[order], size, device)):
        rates.append(learning_rate(recipe, (done + (i + 0.5) / steps) / training.budget.epochs, val_losses))
        set_rate(training.optimiser, rates[-1])
        first = i - i % recipe.accumulate  # of the batches whose gradients make one step
        of_step = min(recipe.accumulate, steps - first)
        seen.append(_step(training, batch, shown[i], 1 / of_step, update=i + 1 == first + of_step))
    losses, scores, labels = (list(each) for each in zip(*seen, strict=True))
    by_step = torch.stack(losses).cpu()  # one look an epoch: asking at every step would make a GPU wait
    if not by_step.isfinite().all():
        bad = int((~by_step.isfinite()).nonzero()[0])
        where = f"step {done * steps + bad + 1} (epoch {done + 1}, learning rate {rates[bad]:.3g})"
        raise TrainingError(f"the loss is {by_step[bad]:g} at {where}; lower lr")
    return {
        "lr": rates[-1],
        "train_loss": float(by_step.mean()),
        **_figures("train", torch.cat(scores), torch.cat(labels), training.val.multilabel),
    }


def _learn(net: nn.Module, plan: str) -> None:
    """Training mode, with what the plan freezes left as it is."""
    freeze(net, plan)
    net.train()
    settle_norms(net)


def _step(
    training: Training, batch: Tensor, truth: Tensor, share: float = 1.0, update: bool = True
) -> tuple[Tensor, Tensor, Tensor]:
    """Forward, backward with a share of the loss and, with `update`, a step; returns loss, scores and labels as shown,
    of which mixing makes shares."""
    model, recipe, scaler = training.model, training.recipe, training.scaler
    batch = augment(model.normalise(batch), recipe, training.shuffle, model.black, model.white)
    batch, truth = mix(batch, truth, recipe, training.shuffle)
    with model.precision():
        scores = training.forward(batch.contiguous(memory_format=torch.channels_last))
    loss = training.loss(scores.float(), truth)
    scaler.scale(loss * share).backward()
    if update:
        _clip(training)
        scaler.step(training.optimiser)
        scaler.update()
        training.optimiser.zero_grad(set_to_none=True)
    return loss.detach(), scores.detach(), truth


def _clip(training: Training) -> None:
    """Bound the gradients' norm and elements, if the recipe says so."""
    recipe, parameters = training.recipe, list(training.model.net.parameters())
    if recipe.clip_norm or recipe.clip_value:
        training.scaler.unscale_(training.optimiser)
    if recipe.clip_norm:
        nn.utils.clip_grad_norm_(parameters, recipe.clip_norm)
    if recipe.clip_value:
        nn.utils.clip_grad_value_(parameters, recipe.clip_value)


def _rehearse(training: Training) -> None:
    """A few steps on random labels, and back: kernels are chosen and memory is taken, nothing is learnt."""
    net, recipe, size, device = training.model.net, training.recipe, _batch(training), training.model.device
    batch = next(batches(training.images, training.chosen[:size], size, device))
    before = checkpoints.weights_of(net)
    rehearsing = replace(training, optimiser=make_optimiser(net, recipe), scaler=_scaler(training.model))
    with torch.random.fork_rng(["cuda"] if batch.is_cuda else []):  # dropout's draws are put back as well
        for plan in dict.fromkeys((recipe.freeze, "none" if recipe.freeze == "head" else recipe.freeze)):
            _learn(net, plan)
            for _ in range(REHEARSAL_STEPS):
                labels = training.truth[torch.randperm(len(training.truth))[:size]].to(device)
                try:
                    _step(rehearsing, batch, labels)
                except ValueError as error:
                    if "more than 1 value per channel" not in str(error):
                        raise
                    raise UsageError("batch norm cannot learn from one value a channel; set a larger batch") from error
    net.load_state_dict(before)


def _scaler(model: Trained) -> torch.amp.GradScaler:
    """Keeps small gradients above fp16's smallest number; does nothing in other precisions."""
    return torch.amp.GradScaler(model.device, enabled=str(model.precision) == "fp16")


def _validate(training: Training, epoch: int) -> dict[str, float]:
    """Score val, keep the weights if they are the best so far, and tell the history."""
    model, val = training.model, training.val
    scores, truth = model.predict(training.val_images), torch.from_numpy(_one_hot(val)).float()
    if not np.isfinite(scores).all():
        raise TrainingError(f"scores of val are no finite numbers after epoch {epoch}; lower lr")
    figure, score = validation_figure(val.labels, scores)
    if score > training.best:
        training.best, training.best_epoch = score, epoch
        if training.recipe.choose != "last":
            training.best_weights = checkpoints.weights_of(model.net)
    on_val = torch.from_numpy(scores)
    loss = training.loss(on_val.to(model.device), truth.to(model.device), smoothing=0.0)
    return {"val_loss": float(loss), **_figures("val", on_val, truth, val.multilabel), f"val_{figure}": score}


def _is_stale(training: Training, epochs: int) -> bool:
    patience = training.recipe.early_stopping
    return bool(patience) and epochs - training.best_epoch >= patience


def _keep(training: Training, log: RunLog) -> None:
    """Write all that changes in training to the log's checkpoint, if it has one."""
    if log.checkpoint is None:
        return
    state: dict[str, Any] = {name: getattr(training, name) for name in BEST}
    state |= {name: part.state_dict() for name, part in _parts(training).items()}
    state |= {"shuffle": training.shuffle.get_state(), "random": checkpoints.random_states(training.model.device)}
    with contextlib.suppress(OSError):  # a full disk is told when the record is saved; training goes on
        seconds = {phase: log.seconds.get(phase, 0.0) for phase in ("fit", "validate")}
        checkpoints.save(
            log.checkpoint, {**state, "history": log.history, "seconds": seconds, "spent": astuple(log.spent)}
        )


def _resume(training: Training, log: RunLog) -> None:
    """Go on from what `_keep` wrote, if there is anything: its epochs and their seconds are counted."""
    if (state := checkpoints.load(log.checkpoint)) is None:
        return
    for name in BEST:
        setattr(training, name, state[name])
    for name, part in _parts(training).items():
        part.load_state_dict(state[name])
    training.shuffle.set_state(state["shuffle"])
    checkpoints.set_random_states(state["random"], training.model.device)
    log.history.extend(state["history"])
    log.carry(state["seconds"], Spent(*state["spent"]))


def _parts(training: Training) -> dict[str, Any]:
    return {"net": training.model.net, "optimiser": training.optimiser, "scaler": training.scaler}


def _batch(training: Training) -> int:
    """Images a batch; of fewer images than that, all of them."""
    return min(training.budget.batch, len(training.chosen))


def _one_hot(samples: Samples) -> NDArray[np.bool_]:
    """Which labels an image has, (n, classes)."""
    return samples.labels if samples.multilabel else samples.labels[:, None] == np.arange(len(samples.classes))


def _figures(part: str, scores: Tensor, truth: Tensor, multilabel: bool) -> dict[str, float]:
    """Accuracy (of several labels: exact match) and macro-F1 of scores on the device; truth: shares by class."""
    shares = truth.cpu().numpy()
    labels = shares > 0.5 if multilabel else shares.argmax(1)
    predicted = decide(scores.float().cpu().numpy(), multilabel)
    right = (labels == predicted).all(1) if multilabel else labels == predicted
    return {f"{part}_accuracy": float(right.mean()), f"{part}_macro_f1": macro_f1(labels, predicted)}
