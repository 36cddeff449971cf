"""Labelling new images with a saved model, a batch at a time, so that any number of them fits in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...core.text.words import counted
from ...datasets.files.images import npy
from ...datasets.files.images.npy import Decoded
from ...methods.registry import Scorer
from .reading import Reader, resizing, sides


@dataclass(frozen=True, eq=False)
class Batch:
    """Images and their scores. files: their names. scores: (n, classes). places: what a layout says of each."""

    files: list[str]
    scores: NDArray[np.float32]
    places: list[dict[str, str]]


@dataclass(eq=False)
class Tally:
    """What became of the images so far.

    labelled: how many were. unreadable: (name, reason) of each other image. remarks: what was done to some images in
    reading them, how many these are, and the first one in words.
    """

    labelled: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    _remarks: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def done(self) -> int:
        return self.labelled + len(self.unreadable)

    @property
    def remarks(self) -> list[str]:
        """Return a line for each different remark."""
        return [
            f"{remark}: {counted(n, 'image')}, the first is {first}" for remark, (n, first) in self._remarks.items()
        ]

    def add(self, outcome: Decoded, size: str) -> None:
        """Count an image. size: what was done to its size, or ''."""
        if outcome.problem:
            self.unreadable.append((outcome.name, outcome.problem))
            return
        self.labelled += 1
        for remark, first in ((outcome.remark, outcome.name), (size, f"{outcome.name} of {_sides(outcome)}")):
            if remark:
                n, kept = self._remarks.get(remark, (0, first))
                self._remarks[remark] = (n + 1, kept)


def label(
    reader: Reader, scorer: Scorer, tally: Tally, progress: Callable[[int], object] = lambda done: None
) -> Iterator[Batch]:
    """Yield the scores of all images that can be read and are of the model's kind, batch by batch.

    tally: what becomes of the images is added to it. progress: called with the number of images done. Raises DataError
    at the end if no image could be read.
    """
    for batch in reader.batches():
        for outcome, _ in batch:
            tally.add(outcome, resizing(reader.model, outcome))
        known = [(outcome.name, pixels) for outcome, pixels in batch if pixels is not None]
        if known:
            names = [name for name, _ in known]
            scores = scorer.predict(reader.model.prepared(np.stack([pixels for _, pixels in known])))
            yield Batch(names, scores, [dict(reader.found.places.get(name, {})) for name in names])
        progress(tally.done)
    if not tally.labelled:
        left_out = [Decoded(name, 0, problem=reason) for name, reason in tally.unreadable]
        npy.refuse_unreadable(left_out, "give images like those that the model learnt from")


def _sides(outcome: Decoded) -> str:
    return sides(outcome.shape)
