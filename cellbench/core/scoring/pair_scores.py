"""Scores of one-against-one machines, which hold a class's votes and the sum of its decisions in one number.

Such a score is votes + sum / (3 (|sum| + 1)), as scikit-learn's SVC and ours give it (see `svm.votes`): votes alone
order classes, and the sums, which say by how much a class wins, are left as a remainder below 1/3. Here they come apart
again.
"""

import numpy as np
from numpy.typing import NDArray

LEAD = 1e-3  # in logits, of the class that is answered over any other


def votes_and_sums(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the votes and the sums of decisions of each class, both (n, classes), from the scores (n, classes)."""
    votes = np.round(scores)
    rest = scores - votes
    return votes, 3 * rest / np.maximum(1 - 3 * np.abs(rest), 1e-6)


def are_of_pairs(scores: NDArray[np.float64]) -> bool:
    """Whether scores (n, classes) are such: each pair gives one vote, and what one class gains the other loses."""
    n, classes = scores.shape
    if classes < 3 or not n:
        return False
    votes, sums = votes_and_sums(scores)
    sizes = np.abs(sums).sum(1)
    return bool(
        (np.abs(scores - votes) < 1 / 3).all()
        and (votes >= 0).all()
        and (votes.sum(1) == classes * (classes - 1) / 2).all()
        and (np.abs(sums.sum(1)) <= 1e-2 * sizes + 1e-3).all()
    )


def with_answer_first(logits: NDArray[np.float64], answer: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return logits (n, classes) in which the class `answer` (n,) is above every other, by LEAD if by no more."""
    found = logits.copy()
    images = np.arange(len(logits))
    found[images, answer] = np.maximum(logits[images, answer], _best_other(logits, answer) + LEAD)
    return found


def _best_other(logits: NDArray[np.float64], answer: NDArray[np.int64]) -> NDArray[np.float64]:
    others = logits.copy()
    others[np.arange(len(logits)), answer] = -np.inf
    best: NDArray[np.float64] = others.max(1)
    return best
