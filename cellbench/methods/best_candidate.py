"""Chooses among fitted candidates the one that scores val best."""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.data import Samples
from ..core.mixed_values import SettingValues
from ..core.records.runs import RunLog
from ..core.scoring.metrics import validation_figure
from ..core.settings import is_number

T = TypeVar("T")
M_co = TypeVar("M_co", covariant=True)


class Candidate(NamedTuple, Generic[M_co]):
    """A model fitted with some settings, and its scores of the validation images, (n, classes)."""

    settings: SettingValues
    model: M_co
    val_scores: NDArray[np.float32]


def best_candidate(candidates: Iterable[Candidate[T]], val: Samples, log: RunLog) -> tuple[float, Candidate[T]]:
    """Return the highest figure on val (see validation_figure) and the first candidate that reaches it.

    Adds a row to the history for each candidate: its numeric settings and its figure. There must be at least one
    candidate.
    """
    return max(_scored(candidates, val, log), key=itemgetter(0))


def _scored(candidates: Iterable[Candidate[T]], val: Samples, log: RunLog) -> Iterator[tuple[float, Candidate[T]]]:
    for candidate in candidates:
        name, figure = validation_figure(val.labels, candidate.val_scores)
        log.epoch(**{k: v for k, v in candidate.settings.items() if is_number(v)}, **{f"val_{name}": figure})
        yield figure, candidate
