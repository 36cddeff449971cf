"""Which of several labels an image has: scores above thresholds, which are chosen on validation images alone."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..data import Labels
from ..errors import DataError, UsageError
from ..mixed_values import Document, SettingValues
from ..settings import OneOrMore, Settings, setting
from .metrics import decide, macro_f1

GRID = tuple(round(0.05 * step, 2) for step in range(1, 20))  # probabilities that one threshold is chosen from
MAJORITY = 0.2  # share of images; of the Atlas's 28 labels Nucleoplasm and Cytosol have more, the two of study 004


class Decision(Settings):
    """The threshold that a class's score must exceed where images have several labels each; a setting of every method.

    thresholds: 'per-class' for each class the one with the largest F1; 'global' the probability of GRID that, for all
    classes, gives the largest macro-F1; 'majority-apart' the same, then another one of GRID for the classes that more
    than a fifth of the images have, chosen given the first; or a probability between 0 and 1, or one for each class,
    nothing being fitted.
    A probability stands for the score whose logistic function it is: a net's logit, an SVM's decision value.
    """

    thresholds: Annotated[
        Literal["per-class", "global", "majority-apart"] | OneOrMore[Annotated[float, Field(gt=0, lt=1)]],
        setting(
            "where a label begins, of several labels an image",
            may_be="one of per-class, global, majority-apart, or a probability between 0 and 1, for all classes or one "
            "for each",
        ),
    ] = "per-class"

    @property
    def changes(self) -> SettingValues:
        """The settings that differ from the default, as a spec holds them; empty if none does."""
        return self.model_dump(exclude_defaults=True)

    def check_classes(self, classes: int) -> None:
        """Raise UsageError if there is a probability for each class and they are not as many as the classes."""
        if isinstance(self.thresholds, tuple) and len(self.thresholds) != classes:
            raise UsageError(
                f"thresholds has {len(self.thresholds)} probabilities and the images have {classes} classes; give one "
                "for all or one for each"
            )

    def fit(self, truth: Labels, scores: NDArray[np.floating]) -> tuple[NDArray[np.float32], Document]:
        """Return the thresholds of the scores, (classes,), and the sweeps that they were chosen from, for a record.

        truth: labels of the validation images, (n, classes) bool; scores: (n, classes). Of equally good thresholds a
        sweep chooses the smallest. Raises DataError if a sweep is needed and no image has a label, UsageError as
        `check_classes` does.
        """
        self.check_classes(truth.shape[1])
        if self.thresholds == "per-class":
            return _per_class(truth, scores), {}
        everywhere = np.ones(truth.shape[1], bool)
        unset = np.zeros(truth.shape[1], np.float32)
        if not isinstance(self.thresholds, str):
            return _with(unset, everywhere, self.thresholds), {}
        if not truth.any():
            raise DataError(
                "no validation image has a label, so none can tell which threshold is best; choose another split, or "
                "give a probability"
            )
        fitted, sweep = _sweep(truth, scores, unset, everywhere)
        chosen: Document = {"threshold_sweep": sweep}
        if self.thresholds == "majority-apart":
            majority = truth.mean(0) > MAJORITY
            chosen["majority_sweep"] = {"classes": np.flatnonzero(majority).tolist()}
            if majority.any():
                fitted, sweep = _sweep(truth, scores, fitted, majority)
                chosen["majority_sweep"] |= sweep
        return fitted, chosen


def _per_class(truth: Labels, scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the threshold with the largest F1 for each class, (classes,); 0 for a class without a positive."""
    from sklearn.metrics import precision_recall_curve

    thresholds = np.zeros(truth.shape[1], np.float32)
    for k in np.flatnonzero(truth.any(0)):
        precision, recall, at = precision_recall_curve(truth[:, k], scores[:, k])
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        thresholds[k] = np.nextafter(np.float32(at[f1[:-1].argmax()]), np.float32(-np.inf))  # `decide` asks for more
    return thresholds


def _sweep(
    truth: Labels, scores: NDArray[np.floating], thresholds: NDArray[np.float32], classes: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], Document]:
    """Return thresholds with the best probability of GRID for `classes`, and the macro-F1 at each probability of GRID.

    classes: bool, (classes,); the thresholds of all other classes are kept. The macro-F1 is that of all classes.
    """
    tried = [_with(thresholds, classes, probability) for probability in GRID]
    figures = [macro_f1(truth, decide(scores, True, each)) for each in tried]
    best = int(np.argmax(figures))
    return tried[best], {"threshold": list(GRID), "val_macro_f1": figures, "best": GRID[best]}


def _with(
    thresholds: NDArray[np.float32], classes: NDArray[np.bool_], probability: float | tuple[float, ...]
) -> NDArray[np.float32]:
    """Return the thresholds with those of `classes` at one probability, or each at its own of (classes,)."""
    given = np.array(probability)
    return np.where(classes, np.log(given / (1 - given)), thresholds).astype(np.float32)
