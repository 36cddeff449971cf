"""Scores become probabilities by a rule that is fitted on val.

The rule is a temperature; a sigmoid for each class where images have several labels; or, of scores that are votes of
pairs of classes, two weights, as votes alone say which class wins more than by how much.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax, softmax

from ..data import Labels
from ..mixed_values import Document, Facts
from .pair_scores import are_of_pairs, votes_and_sums, with_answer_first

WIDEST = 12.0  # bounds of the logarithm of a slope: where val cannot tell, a slope must not become 0 or infinite


@dataclass(frozen=True)
class Calibration:
    """A rule from scores to probabilities.

    slope, offset: the scores are multiplied by `slope` and `offset` is added. Where an image has one label, there is
    one slope, 1 / temperature, and no offset, and probabilities are the softmax; with several labels there is one of
    each for each class, and probabilities are sigmoids. several_labels: which of the two it is. votes: None, or for
    scores of pairs of classes (see `pair_scores`) the weight of a class's votes; `slope` then is that of its sum of
    decisions, and the class with the highest score keeps the highest probability.
    """

    slope: tuple[float, ...]
    offset: tuple[float, ...]
    several_labels: bool
    votes: float | None = None

    def __call__(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return probabilities (n, classes) for scores (n, classes)."""
        if self.votes is not None:
            return self._of_pairs(scores.astype(np.float64))
        logits = scores.astype(np.float64) * np.array(self.slope) + np.array(self.offset)
        probabilities: NDArray[np.float64] = expit(logits) if self.several_labels else softmax(logits, axis=1)
        return probabilities

    def _of_pairs(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        votes, sums = votes_and_sums(scores)
        logits = self.slope[0] * sums + (self.votes or 0.0) * votes
        found: NDArray[np.float64] = softmax(with_answer_first(logits, scores.argmax(1)), axis=1)
        return found

    @property
    def temperature(self) -> float | None:
        """What the scores are divided by; None where an image has several labels, and for scores of pairs."""
        return None if self.several_labels or self.votes is not None else 1 / self.slope[0]

    def to_data(self) -> Document:
        """Return the rule as values for JSON or a saved model."""
        rule = {"slope": list(self.slope), "offset": list(self.offset), "several_labels": self.several_labels}
        return rule if self.votes is None else {**rule, "votes": self.votes}

    @classmethod
    def of_data(cls, data: Facts) -> "Calibration":
        """Return the rule that `to_data` returned."""
        return cls(tuple(data["slope"]), tuple(data["offset"]), bool(data["several_labels"]), data.get("votes"))


def calibrate(scores: NDArray[np.float32] | NDArray[np.float64], labels: Labels) -> Calibration:
    """Return the rule under which the labels of val are likeliest.

    scores: (n, classes), of val. labels: (n,) int64, or (n, classes) bool where images have several labels.

    With one label an image it is temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", 2017),
    else Platt's sigmoid for each class (Platt, "Probabilistic Outputs for Support Vector Machines", 1999). Both take
    Platt's targets, (n + 1) / (n + 2) in place of 1, without which a val part that is answered wholly right would
    make every probability 1. Of scores that are votes of pairs of classes it is multinomial logistic regression on
    votes and sums of decisions, with one weight for each. Labels of a single-label method do not change.
    """
    scores = np.asarray(scores, np.float64)
    if labels.ndim == 2:
        pairs = [_platt(scores[:, k], labels[:, k]) for k in range(scores.shape[1])]
        return Calibration(tuple(slope for slope, _ in pairs), tuple(offset for _, offset in pairs), True)
    target = np.full(scores.shape, 1 / (len(labels) + 2) / max(1, scores.shape[1] - 1))
    target[np.arange(len(labels)), labels] = (len(labels) + 1) / (len(labels) + 2)

    if are_of_pairs(scores):
        slope, votes = _weights_of_pairs(*votes_and_sums(scores), target)
        return Calibration((slope,), (0.0,), False, votes)

    def loss(log_slope: float) -> float:
        return float(-(target * log_softmax(np.exp(log_slope) * scores, axis=1)).sum(1).mean())

    return Calibration((float(np.exp(_smallest(loss))),), (0.0,), False)


def _weights_of_pairs(
    votes: NDArray[np.float64], sums: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the weights of sums and of votes, both at least 0, that make the labels of val most likely."""
    from scipy.optimize import minimize

    unit = float(np.abs(sums).mean()) or 1.0

    def loss(weights: NDArray[np.float64]) -> float:
        logits = weights[0] / unit * sums + weights[1] * votes
        return float(-(target * log_softmax(logits, axis=1)).sum(1).mean())

    most = np.exp(WIDEST)
    slope, of_votes = minimize(loss, np.array([1.0, 0.5]), method="L-BFGS-B", bounds=[(1e-6, most), (0, most)]).x
    return float(slope / unit), float(of_votes)


def _platt(scores: NDArray[np.float64], positive: Labels) -> tuple[float, float]:
    """Return slope and offset of one class; 1 and 0 where val has no positive or no negative image of it."""
    from scipy.optimize import minimize

    yes, no = int(positive.sum()), int((~positive).sum())
    if not (yes and no):
        return 1.0, 0.0
    target = np.where(positive, (yes + 1) / (yes + 2), 1 / (no + 2))
    spread = float(scores.std()) or 1.0

    def loss(pair: NDArray[np.float64]) -> float:
        logits = pair[0] * scores / spread + pair[1]
        return float(np.logaddexp(0, logits).mean() - (target * logits).mean())

    found = minimize(loss, np.array([1.0, 0.0]), method="BFGS").x
    return float(found[0] / spread), float(found[1])


def _smallest(loss: Callable[[float], float]) -> float:
    from scipy.optimize import minimize_scalar

    return float(minimize_scalar(loss, bounds=(-WIDEST, WIDEST), method="bounded", options={"xatol": 1e-6}).x)
