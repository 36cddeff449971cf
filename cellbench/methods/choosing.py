"""Chooses among fitted candidates the one that scores val best."""

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ..core.data import Samples
from ..core.records.runs import RunLog
from ..core.scoring.metrics import validation_figure
from ..core.settings import is_number


class Candidate(NamedTuple):
    """A model fitted with some settings, and its scores of the validation images, (n, classes)."""

    settings: Mapping[str, Any]
    model: Any
    val_scores: NDArray


def best_candidate(candidates: Iterable[Candidate], val: Samples, log: RunLog) -> tuple[float, Candidate]:
    """Return the highest figure on val (see validation_figure) and the first candidate that reaches it.

    Adds a row to the history for each candidate: its numeric settings and its figure. There must be at least one
    candidate.
    """
    return max(_scored(candidates, val, log), key=itemgetter(0))


def _scored(candidates: Iterable[Candidate], val: Samples, log: RunLog) -> Iterator[tuple[float, Candidate]]:
    for candidate in candidates:
        name, figure = validation_figure(val.labels, candidate.val_scores)
        log.epoch(**{k: v for k, v in candidate.settings.items() if is_number(v)}, **{f"val_{name}": figure})
        yield figure, candidate
