"""What every method must do, checked on toy images: our own tests run these, and so does `cellbench check`."""

import dataclasses
import io
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from ..core.conformance import broken, raised, require
from ..core.data import Dataset, Samples
from ..core.families import family_of
from ..core.records.runs import PHASES, RunLog
from ..core.scoring.metrics import decide, macro_f1
from ..core.settings import Settings, names, replace
from ..datasets.toy import rings
from .registry import Method, MethodEntry

SIDE = 32  # of toy images, in pixels
# Settings that, where a method has them, keep a check short; at larger rates deep plain nets learn nothing so soon.
# weights: none, so that a probe can be checked where there are no weights to be had.
QUICK = {"batch": 16, "lr": 0.005, "weights": None}
EPOCHS = 20  # as many as nets need to learn the toy images
FEW_EPOCHS = 2  # where it doesn't matter what was learnt


class Shape(TypedDict):
    """The arguments of `rings` that say what toy images look like."""

    channels: int
    classes: int
    multilabel: bool
    size: int


@dataclasses.dataclass(frozen=True)
class ToyRun:
    """A method fitted on toy images, with all that came of it."""

    method: Method
    log: RunLog
    data: Dataset
    train: Samples
    scores: NDArray[np.float32]

    @property
    def shape(self) -> Shape:
        """The arguments of `rings` that make the same toy images again."""
        data = self.data
        channels, classes = len(data.channels), len(data.classes)
        return {"channels": channels, "classes": classes, "multilabel": data.multilabel, "size": data.images.shape[2]}


def try_out(
    entry: MethodEntry,
    channels: int = 1,
    classes: int = 3,
    multilabel: bool = False,
    epochs: int = EPOCHS,
) -> ToyRun:
    """Fit the method with its default settings, short, and score the toy test images, as small as it takes them."""
    size = max(SIDE, entry.min_size)
    data = rings(channels=channels, classes=classes, multilabel=multilabel, size=size)
    train, log = data.part("train"), RunLog()
    method = entry.factory(quick_settings(entry, epochs), 0, entry.devices[0])
    method.fit(train, data.part("val"), log)
    return ToyRun(method, log, data, train, method.predict(data.part("test").images))


def quick_settings(entry: MethodEntry, epochs: int = EPOCHS) -> Settings:
    known, quick = names(entry.defaults), {**QUICK, "epochs": epochs}
    return replace(entry.defaults, **{name: value for name, value in quick.items() if name in known})


def check_scores(entry: MethodEntry, trial: ToyRun) -> None:
    """Scores are finite float32 of shape (n, classes)."""
    expected = (len(trial.data.split.test), len(trial.data.classes))
    require(trial.scores.shape == expected, f"scores have shape {trial.scores.shape}; expected {expected}")
    require(trial.scores.dtype == np.float32, f"scores are {trial.scores.dtype}; expected float32")
    require(bool(np.isfinite(trial.scores).all()), "some scores are not finite")


def check_learns(entry: MethodEntry, trial: ToyRun) -> None:
    """More test images are right than by always naming the commonest class (of several labels: all); not of floors."""
    if not family_of(entry.family).contender:
        return
    truth = trial.data.labels[trial.data.split.test]
    if trial.data.multilabel:
        score, everything = (macro_f1(truth, labels) for labels in (decide(trial.scores, True), np.ones_like(truth)))
        require(score > everything, f"macro-F1 {score:.2f} does not beat naming every label, {everything:.2f}")
        return
    right, majority = np.mean(decide(trial.scores) == truth), np.bincount(truth).max() / len(truth)
    require(right > majority, f"accuracy {right:.2f} does not beat the commonest class, {majority:.2f}")


def check_inputs_untouched(entry: MethodEntry, trial: ToyRun) -> None:
    """The training images and labels are as they were."""
    fresh = rings(**trial.shape).part("train")
    require(np.array_equal(trial.train.images, fresh.images), "fit changed the training images")
    require(np.array_equal(trial.train.labels, fresh.labels), "fit changed the training labels")


def check_same_seed_same_scores(entry: MethodEntry, trial: ToyRun) -> None:
    """Two fits with the same seed give the same scores to the last bit."""
    shape = trial.shape
    again = partial(try_out, entry, shape["channels"], shape["classes"], shape["multilabel"], FEW_EPOCHS)
    one = again() if "epochs" in names(entry.defaults) else trial
    other = again()
    require(np.array_equal(one.scores, other.scores), "the same seed gave different scores")


def check_batches_do_not_matter(entry: MethodEntry, trial: ToyRun) -> None:
    """An image gets the same label alone as among others."""
    images = trial.data.part("test").images[:4]
    alone = np.concatenate([trial.method.predict(images[i : i + 1]) for i in range(len(images))])
    several = trial.data.multilabel
    require(
        np.array_equal(decide(alone, several), decide(trial.scores[:4], several)),
        "an image's label depends on its batch",
    )


def check_restores(entry: MethodEntry, trial: ToyRun) -> None:
    """A model that it saved gives its own scores again, if it saves any."""
    if entry.restore is None:
        return
    import torch

    file = io.BytesIO()
    torch.save(dict(trial.method.state()), file)  # type: ignore[attr-defined]
    file.seek(0)
    try:
        state = torch.load(file, weights_only=True)
    except pickle.UnpicklingError as error:
        raise AssertionError(f"its state holds more than tensors, numbers and text: {error}") from error
    again = entry.restore(quick_settings(entry), state, entry.devices[0]).predict(trial.data.part("test").images)
    require(np.allclose(again, trial.scores, rtol=1e-4, atol=1e-4), "a restored model gave other scores")


def check_times_itself(entry: MethodEntry, trial: ToyRun) -> None:
    """The log has a 'fit' phase, and what ran the method is named."""
    require(trial.log.seconds.get("fit", 0) > 0, f"no time in phase 'fit'; phases are {', '.join(PHASES)}")
    require(bool(trial.method.backend), "method.backend is empty; name what ran it")


CHECKS: tuple[Callable[[MethodEntry, ToyRun], None], ...] = (
    check_scores,
    check_learns,
    check_inputs_untouched,
    check_batches_do_not_matter,
    check_restores,
    check_times_itself,
    check_same_seed_same_scores,
)


def conformance(entry: MethodEntry) -> Iterator[tuple[str, str]]:
    """Yield (what is demanded, '' or what is wrong) for every check."""
    try:
        trial = try_out(entry)
    except Exception as error:  # whatever a stranger's method raises is a finding
        yield "It fits toy images and scores them.", raised(error)
        return
    yield from broken(CHECKS, entry, trial)
