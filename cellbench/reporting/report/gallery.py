"""The cells worth a look: those on which methods disagree, all fail, or the best one is wrong with confidence."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...core.families import FAMILIES, family_of
from ...core.text.words import counted
from ...results.rows.pooling import BELOW_TWICE_CHANCE
from ...results.rows.row import DATA, Row, grouped_by
from ...results.runs import Predicted, same_images
from ..captions import title_of
from ..charts.chart import labelled

MOST_CELLS = 12  # on a shelf
MOST_PAIRS = 8  # pairs of classes that are shown
OF_PAIR = 6  # cells shown for a pair of classes
SEVERAL = (
    "With several labels an image, a method counts as right here when it finds one of them or more, or says none where "
    "there is none."
)


@dataclass(frozen=True)
class ShownCell:
    """A cell. index: its position in the data set; truth: its label; lines: what methods predict."""

    index: int
    truth: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Shelf:
    """A set of cells shown together. n: the number of such cells in all, of which only the first are in `cells`."""

    title: str
    note: str
    n: int
    cells: tuple[ShownCell, ...]
    group: str = ""


@dataclass(frozen=True)
class Gallery:
    """The shelves of one data set, content and split.

    sides: the labels of the two methods compared, if any; agreement: the numbers of images on which they are right, as
    ((both, first alone), (second alone, neither)), or None; n: the number of test images.
    """

    dataset: str
    fingerprint: str
    split: str
    title: str
    agreement: tuple[tuple[int, int], tuple[int, int]] | None
    sides: tuple[str, ...]
    n: int
    shelves: tuple[Shelf, ...]
    notes: tuple[str, ...]

    @property
    def groups(self) -> list[tuple[str, list[Shelf]]]:
        return [(name, list(group)) for name, group in itertools.groupby(self.shelves, lambda shelf: shelf.group)]

    @property
    def shown_images(self) -> set[int]:
        return {cell.index for shelf in self.shelves for cell in shelf.cells}


@dataclass(frozen=True, eq=False)
class MethodAnswers:
    """The predictions of one method, with its first seed, for the n test images; wrong, margin: (n,).

    margin: the score of the predicted class minus that of the true class. With several labels: the highest score of
    the wrong classes minus the highest of the right ones, each score relative to its threshold; for an image without
    labels 0 is subtracted.
    """

    row: Row
    on_test: Predicted
    wrong: NDArray[np.bool_]
    margin: NDArray[np.float32]

    @property
    def label(self) -> str:
        return str(self.row["label"])


def galleries(pooled: Sequence[Row]) -> list[Gallery]:
    """Return a gallery for each data set, content, split and limit whose runs kept their predictions."""
    return [found for group in grouped_by(pooled, DATA) if (found := _gallery(labelled(group)))]


def _gallery(rows: Sequence[Row]) -> Gallery | None:
    answers = _answers(rows)
    if not answers:
        return None
    classes = answers[0].row.runs[0].classes
    sides = _sides(answers)
    shelves = [
        *(_disagreements(*sides, classes) if sides else ()),
        *_failed_by_all(answers, classes),
        *_sure_errors(_best(answers), classes),
    ]
    first = answers[0].row
    return Gallery(
        first["dataset"],
        first["fingerprint"],
        first["split"],
        title_of(rows),
        _agreement(*sides) if sides else None,
        tuple(side.label for side in sides),
        len(answers[0].wrong),
        tuple(shelf for shelf in shelves if shelf.cells),
        (SEVERAL,) if first["several_labels"] else (),
    )


def _answers(rows: Sequence[Row]) -> list[MethodAnswers]:
    """Return the methods with predictions for the same test images, each label once.

    Methods that learned next to nothing or were not trained enough are left out.
    """
    found: list[MethodAnswers] = []
    for row in rows:
        useless = BELOW_TWICE_CHANCE in row["remark"] or row["undertrained"]
        if not row.runs or useless or row["label"] in [one.label for one in found]:
            continue
        on_test = row.runs[0].predicted()
        if on_test is None or (found and not same_images([found[0].on_test, on_test])):
            continue
        found.append(MethodAnswers(row, on_test, *_errors(on_test)))
    return found


def _errors(on_test: Predicted) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    if on_test.truth.ndim == 2:
        lead, some = on_test.scores - on_test.thresholds, on_test.truth.any(1)
        found = np.where(some, (on_test.truth & on_test.predicted).any(1), ~on_test.predicted.any(1))
        best = np.where(some, np.where(on_test.truth, lead, -np.inf).max(1), 0)
        return ~found, (np.where(on_test.truth, -np.inf, lead).max(1) - best).astype(np.float32)
    at = np.arange(len(on_test.truth))
    return on_test.predicted != on_test.truth, on_test.scores[at, on_test.predicted] - on_test.scores[at, on_test.truth]


def _best(answers: Sequence[MethodAnswers]) -> MethodAnswers | None:
    return max(answers, key=lambda one: one.row["val_macro_f1"] or 0, default=None)


def _sides(answers: Sequence[MethodAnswers]) -> tuple[MethodAnswers, MethodAnswers] | tuple[()]:
    """Return the best method on val of each of the two best families, floors excluded; () if there is one family.

    They are in the order of families in tables.
    """
    families = dict.fromkeys(one.row["family"] for one in answers if family_of(one.row["family"]).contender)
    best = [_best([one for one in answers if one.row["family"] == family]) for family in families]
    two = sorted((one for one in best if one), key=lambda one: -(one.row["val_macro_f1"] or 0))[:2]
    if len(two) < 2:
        return ()
    order = [*FAMILIES, *families]
    first, second = sorted(two, key=lambda one: order.index(one.row["family"]))
    return first, second


def _agreement(first: MethodAnswers, second: MethodAnswers) -> tuple[tuple[int, int], tuple[int, int]]:
    def n(which: NDArray[np.bool_]) -> int:
        return int(which.sum())

    return (
        (n(~first.wrong & ~second.wrong), n(~first.wrong & second.wrong)),
        (n(first.wrong & ~second.wrong), n(first.wrong & second.wrong)),
    )


def _disagreements(first: MethodAnswers, second: MethodAnswers, classes: Sequence[str]) -> Iterator[Shelf]:
    a, b = (family_of(side.row["family"]).noun for side in (first, second))
    for right, wrong in ((second, first), (first, second)):
        which = np.flatnonzero(wrong.wrong & ~right.wrong)
        yield Shelf(
            f"{right.label} is right, {wrong.label} is not",
            f"The surest errors of {wrong.label} first.",
            len(which),
            _cells(which, wrong, classes),
            f"Where the best {a} and the best {b} disagree",
        )


def _failed_by_all(answers: Sequence[MethodAnswers], classes: Sequence[str]) -> Iterator[Shelf]:
    if len(answers) < 2:
        return
    which = np.flatnonzero(np.all([one.wrong for one in answers], axis=0))
    best = _best(answers)
    assert best is not None
    if answers[0].on_test.truth.ndim == 2:
        cells, ordering = _cells(which, best, classes), f"what {best.label} says of them, its surest errors first"
    else:
        votes = np.stack([one.on_test.predicted for one in answers])
        tally = (votes[:, :, None] == np.arange(len(classes))).sum(0)
        order = np.lexsort((-best.margin[which], -tally[which].max(1)))
        cells = tuple(
            ShownCell(
                int(answers[0].on_test.index[i]),
                classes[answers[0].on_test.truth[i]],
                (classes[tally[i].argmax()], f"{tally[i].max()} of {len(answers)}"),
            )
            for i in which[order][:MOST_CELLS]
        )
        ordering = "those first on which most methods say the same"
    yield Shelf(
        f"All {counted(len(answers), 'method')} fail",
        f"Mislabelled, badly cut, hard, or unlike what was trained on: {ordering}.",
        len(which),
        cells,
        "Where all methods fail",
    )


def _sure_errors(best: MethodAnswers | None, classes: Sequence[str]) -> Iterator[Shelf]:
    if best is None or best.on_test.truth.ndim == 2:
        return
    n = len(classes)
    pairs = best.on_test.truth * n + best.on_test.predicted
    counts = np.bincount(pairs[best.wrong], minlength=n * n)
    for pair in np.argsort(-counts, kind="stable")[:MOST_PAIRS].tolist():
        which = np.flatnonzero(best.wrong & (pairs == pair))
        yield Shelf(
            f"{classes[pair // n]} taken for {classes[pair % n]}",
            "",
            len(which),
            _cells(which, best, classes, named=False)[:OF_PAIR],
            f"The surest errors of {best.label}, the best on val, pair of classes by pair",
        )


def _cells(
    which: NDArray[np.int64], one: MethodAnswers, classes: Sequence[str], named: bool = True
) -> tuple[ShownCell, ...]:
    """Return the test images `which` as cells with a method's predictions, its surest errors first."""
    chosen = which[np.argsort(-one.margin[which], kind="stable")][:MOST_CELLS].tolist()
    return tuple(
        ShownCell(
            int(one.on_test.index[i]),
            _names(one.on_test.truth[i], classes),
            (_names(one.on_test.predicted[i], classes),) if named else (),
        )
        for i in chosen
    )


def _names(label: NDArray[np.generic], classes: Sequence[str]) -> str:
    """Return the name of the class, or for several labels their names, or 'none'."""
    if label.ndim == 0:
        return classes[int(label)]
    return ", ".join(classes[k] for k in np.flatnonzero(label).tolist()) or "none"
