"""The meanings of the words in the report, for readers who do not know the methods."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ...core.split_names import RULES, kind_of
from ...results.rows.row import Line

METHODS = {
    "svm-*": "a support vector machine",
    "svm-flat": "a support vector machine on the pixels themselves",
    "svm-hog": "a support vector machine on histograms of oriented gradients, which describe edges",
    "svm-deep": "a support vector machine on the last features of a net",
    "svm-yeast": "a support vector machine as a study of yeast cells ran it",
    "mlp": "a net without convolutions, on all pixels at once",
    "cnn": "a small convolutional net",
    "plain*": "a deep convolutional net without shortcuts, of as many layers as its name says",
    "resnet*": "a residual net: its shortcuts let deep nets be trained; of as many layers as its name says",
}
WORDS = (
    ("train, val, test", "images that a method learns from; by which settings are chosen; on which it is judged once"),
    ("accuracy", "of the test images, the share whose class was predicted correctly"),
    (
        "macro-F1",
        "F1 balances how many of a class are found against how many of those found are right; averaged over the "
        "classes, so that rare ones count as much as frequent ones",
    ),
    (
        "95 % interval",
        "how far the figure may be off because only these test images (or groups, or seeds) were drawn: of many such "
        "intervals 95 % hold the true one",
    ),
    ("training", "time from images in memory to a trained model, with all that is chosen on val; warm-up apart"),
    ("params", "numbers that a net learns"),
    ("seeds", "how often a method was trained, each time with other random numbers"),
    ("content", "the fingerprint of the images and labels: the same content, the same data"),
    ("bold", "the best on test, where it could be compared with others"),
    ("≈", "not shown to differ from the best"),
)


def words_and_meanings(rows: Sequence[Line]) -> list[tuple[str, str]]:
    """Return (word, meaning) for the figures, and for the splits and methods of the rows that have a meaning here."""
    methods = [(name, found) for name in _each(rows, "method") if (found := _meaning(name, METHODS))]
    splits = [(f"split {name}", rule.meaning) for name in _each(rows, "split") if (rule := RULES.get(kind_of(name)))]
    return [*WORDS, *splits, *methods]


def _each(rows: Sequence[Line], column: str) -> list[str]:
    return sorted({row[column] for row in rows})


def _meaning(name: str, meanings: dict[str, str]) -> str:
    """Return the meaning of a name, else that of the first pattern that fits it, else an empty text."""
    return meanings.get(name) or next((text for glob, text in meanings.items() if fnmatchcase(name, glob)), "")
