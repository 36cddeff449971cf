"""Families of methods: what kind of answer a method is. The contest of a data set has one contender a family."""

import difflib
from dataclasses import dataclass

from .errors import UsageError

SLIP = 0.75  # similarity from which an unknown family counts as a misspelling


@dataclass(frozen=True)
class Family:
    """A family of methods.

    noun: the word for one of its methods in a sentence. usual: name of the standard method that stands for the family
    where val has too few images to choose one, and in commands that are suggested; '' if there is none. contender:
    whether its methods are an answer to "which kind of method should I use?"; floors are not, they are what contenders
    are compared with.
    """

    name: str
    noun: str
    summary: str
    usual: str = ""
    contender: bool = True


# In the order of tables and sentences.
FAMILIES = {
    family.name: family
    for family in (
        Family("svm", "SVM", "support vector machines on hand-made features", "svm-combined"),
        Family("probe", "probe", "a frozen, pretrained encoder with a small classifier on it", "probe-linear"),
        Family("deep", "net", "nets trained on these images", "fastnet"),
        Family("classic", "classic method", "other classifiers on hand-made features", "forest"),
        Family("floor", "floor", "what knows next to nothing of the images", "floor-intensity", contender=False),
    )
}


def family_of(name: str) -> Family:
    """Return the family of this name; for a name that is not in FAMILIES, a new family that is a contender."""
    return FAMILIES.get(name) or Family(name, f"{name} method", "")


def check_family(name: str, method: str) -> None:
    """Raise UsageError if a method has no family, or one whose name is almost, but not quite, that of a known one."""
    if name in FAMILIES:
        return
    if not name:
        raise UsageError(f"method {method!r} has no family; give one of {', '.join(FAMILIES)}, or a new one")
    close = difflib.get_close_matches(name.casefold(), FAMILIES, 1, SLIP)
    if close:
        raise UsageError(
            f"method {method!r} is of family {name!r}, which is almost {close[0]!r}; write {close[0]!r}, or give a new "
            "family a name less like it"
        )
