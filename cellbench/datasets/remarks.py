"""What a split leaves too little of to judge methods by, in one sentence each: groups in test, images of a class."""

from ..core.data import Dataset
from ..core.text.words import counted, plural
from .files.names import first_few

FEWEST_UNITS = 6  # m of them give no p below 2 / 2^m: 0.0625 for 5, 0.031 for 6
FEWEST_IMAGES = 5  # of a class in test


def about_test(data: Dataset) -> list[str]:
    """Return the remarks on the test part of a split, in a list that may be empty."""
    return [remark for remark in (few_units(data), rare_classes(data)) if remark]


def few_units(data: Dataset) -> str:
    """Return why the groups in test are too few to show any difference between methods, or ''."""
    counts = data.unit_counts()
    if counts is None or counts["test"] >= FEWEST_UNITS:
        return ""
    n, kind = counts["test"], data.unit
    units = plural(kind)
    return (
        f"Test has {counted(n, kind, units)}, and with fewer than {FEWEST_UNITS} no difference between methods can be "
        f"shown, whatever its size: by chance alone {_all_agree(n)}. What is lacking is {units}, not images."
    )


def _all_agree(n: int) -> str:
    if n == 1:
        return "one method is ahead in a single one always"
    return f"one method is ahead in all {n} once in {2 ** (n - 1)} times"


def rare_classes(data: Dataset) -> str:
    """Return which classes have fewer than FEWEST_IMAGES images in test, which say next to nothing of them, or ''."""
    counts = data.class_counts()["test"]
    rare = [f"{counted(n, 'test image')} of class {data.classes[k]}" for k, n in enumerate(counts) if _is_rare(n)]
    if not rare:
        return ""
    return (
        f"{first_few(rare)}: figures of a class with fewer than {FEWEST_IMAGES}, and averages over classes such as "
        "macro-F1, rest on chance."
    )


def _is_rare(n: int) -> bool:
    return 0 < n < FEWEST_IMAGES  # a class without any is named elsewhere
