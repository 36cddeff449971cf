"""The labels that a model gave to perturbed test images, beside its stress test: intervals are drawn over them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..data import Labels
from ..scoring.metrics import NAMED
from ..scoring.sums import sums_of
from .store import SAME_FIGURE, load_arrays, write_whole
from .stress import Curve, StressRecord

ENDING = ".stress.npz"
_OURS = ("index", "truth", "groups", "classes")


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model answered.

    index: positions of the test images in the data set, (n,). truth: their labels, (n,) int64 or (n, classes) bool.
    groups: (n,), or None if images have none. classes: the number of classes. predicted: by perturbation the labels at
    each of its strengths, strength 0 first: (strengths, n), or (strengths, n, classes) bool.
    """

    index: NDArray[np.int64]
    truth: Labels
    groups: NDArray[np.int64] | None
    classes: int
    predicted: Mapping[str, NDArray[np.generic]]

    def save(self, record: Path) -> None:
        """Write them beside a record or model, whole or not at all. Raises OSError."""
        arrays = {"index": self.index, "truth": self.truth, "classes": np.array(self.classes), **self.predicted}
        if self.groups is not None:
            arrays["groups"] = self.groups
        write_whole(record.with_suffix(ENDING), lambda file: np.savez_compressed(file, **arrays))  # type: ignore


def read_answers(record: Path, found: StressRecord) -> Answers | None:
    """Return the answers beside a record or model that the figures of its stress test come from.

    Perturbations whose answers give other figures are left out; None if there are no answers, or damaged ones.
    """
    kept = load_arrays(record.with_suffix(ENDING))
    if kept is None or not {"index", "truth", "classes"} <= kept.keys():
        return None
    try:
        predicted = {name: array for name, array in kept.items() if name not in _OURS}
        answers = Answers(kept["index"], kept["truth"], kept.get("groups"), int(kept["classes"]), predicted)
        if not _is_whole(answers, found.n):
            return None
        fitting = {curve.name: predicted[curve.name] for curve in found.curves if _fits(answers, curve)}
    except (ValueError, TypeError, IndexError):  # arrays of other kinds or shapes
        return None
    return Answers(answers.index, answers.truth, answers.groups, answers.classes, fitting)


def _is_whole(answers: Answers, n: int) -> bool:
    truth, k = answers.truth, answers.classes
    several = truth.dtype == bool and truth.shape == (n, k)
    one = truth.shape == (n,) and truth.dtype.kind in "iu" and truth.min() >= 0 and truth.max() < k
    whole_numbers = [one for one in (answers.index, answers.groups) if one is not None]
    return bool(several or one) and all(each.shape == (n,) and each.dtype.kind in "iu" for each in whole_numbers)


def _fits(answers: Answers, curve: Curve) -> bool:
    """Whether the answers to a perturbation give the figures of its curve."""
    given, truth = answers.predicted.get(curve.name), answers.truth
    if given is None or given.shape != (len(curve.strengths), *truth.shape):
        return False
    if (given.dtype != bool) if truth.ndim == 2 else (given.dtype.kind not in "iu" or given.max() >= answers.classes):
        return False
    sums = np.concatenate([sums_of(truth, one.astype(truth.dtype), classes=answers.classes) for one in given])
    summed = {name: rule for name in curve.figures if (rule := NAMED[name].of_sums)}
    return all(np.allclose(rule(sums), curve.figures[name], rtol=0, atol=SAME_FIGURE) for name, rule in summed.items())
