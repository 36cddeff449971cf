"""Names of splits, what their rules mean, and the names of the groups that they keep together.

'id-block:100@3' is the rule id-block:100 drawn with seed 3, 'id-block@0-4' five draws.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import UsageError
from .text.numbers import each_once, ranges_in

MOST_DRAWS = 1000
MOST_SEEDS = 2**32
LEAVE_ONE_OUT = "leave-one-out"  # its draws are the groups: draw K leaves group K out
OFFICIAL = "official"  # the split that a data set comes with


@dataclass(frozen=True)
class SplitRule:
    """A rule that divides the images of a data set into train, val and test.

    written: its name as one writes it, with the argument that it takes. keeps_together: whether it keeps groups, or
    blocks of neighbours, in one part whatever the data set is.
    """

    written: str
    meaning: str
    keeps_together: bool = False

    @property
    def name(self) -> str:
        """The rule's name, without its argument."""
        return re.split(r"[\[:]", self.written)[0]


OFFICIAL_RULE = SplitRule(OFFICIAL, "the division into train, val and test that the data set came with")
# Those that `run --split` draws, by name; datasets.named_splits has a function for each.
DRAWN_RULES = {
    rule.name: rule
    for rule in (
        SplitRule("stratified", "drawn image by image, each class in the same shares"),
        SplitRule(
            "grouped",
            "whole groups (wells, slides, patients) are drawn, so that none lies on both sides",
            keeps_together=True,
        ),
        SplitRule("random-mask[:60]", "each image is drawn by itself, whatever its class"),
        SplitRule("kfold:5/0", "one of several folds is test"),
        SplitRule(
            "id-block[:200]",
            "runs of consecutive images stay together, so that neighbours do not lie on both sides",
            keeps_together=True,
        ),
        SplitRule(
            f"{LEAVE_ONE_OUT}[:donor]",
            "one group (a donor, a slide) is test, and val is drawn from the other groups",
            keeps_together=True,
        ),
    )
}
RULES = {OFFICIAL: OFFICIAL_RULE, **DRAWN_RULES}

GROUP, BLOCK = "group", "block"
LONGEST = 30  # characters of a group's name that sentences repeat
BEFORE = re.compile(r"^(image_)?metadata[_ ]", re.IGNORECASE)  # as CellProfiler names its columns
BEHIND = re.compile(r"[_ -]*(id|no|nr|number|name)$", re.IGNORECASE)


def rule_of(name: str) -> str:
    """Return a split's name without its draws: 'id-block:100' of 'id-block:100@3'."""
    return name.partition("@")[0]


def kind_of(name: str) -> str:
    """Return a split's name without draws and argument: 'id-block' of 'id-block:100@3'."""
    return rule_of(name).partition(":")[0]


def draws_in(name: str) -> tuple[int, ...]:
    """Return the draws that a name stands for: (0,) without any, (3,) for '@3', and (0, 1, 2, 5) for '@0-2,5'.

    Raises UsageError for other text behind the @, and for more than MOST_DRAWS draws.
    """
    _, at, text = name.partition("@")
    if not at:
        return (0,)
    ranges = ranges_in(text)
    if not ranges or max(one.stop for one in ranges) > MOST_SEEDS or sum(map(len, ranges)) > MOST_DRAWS:
        raise UsageError(
            f"the split {name!r} has no draws after its @; write a whole number, 0-4 or 0,2,5, as in stratified@5, "
            f"and at most {MOST_DRAWS:,} of them"
        )
    return tuple(sorted(each_once(ranges)))


def named(rule: str, draws: Sequence[int]) -> str:
    """Return the name of some draws of a rule: 'id-block' for draw 0, 'id-block@0-4', 'id-block@1,3'."""
    if tuple(draws) == (0,) and not rule.startswith(LEAVE_ONE_OUT):
        return rule
    return f"{rule}@{_ranges(draws)}"


def keeps_together(name: str) -> bool:
    """Whether a split's rule keeps groups, or blocks of neighbours, in one part whatever the data set is."""
    rule = RULES.get(kind_of(name))
    return rule is not None and rule.keeps_together


def unit_of(column: str, split: str = "") -> str:
    """Return the noun for what must not lie in two parts: 'well' of the column 'Metadata_Well', 'donor' of 'donor_id'.

    column: the name, or names with commas, of what the groups are; of 'plate,well' the last one counts. Where it is
    empty the split may say: 'block' of id-block, 'donor' of leave-one-out:donor.
    """
    if not column and kind_of(split) == "id-block":
        return BLOCK
    if not column and kind_of(split) == LEAVE_ONE_OUT:
        column = rule_of(split).partition(":")[2]
    name = BEHIND.sub("", BEFORE.sub("", column.split(",")[-1].strip()))
    noun = " ".join(re.sub(r"[\W_]+", " ", name).lower().split())
    return noun if 0 < len(noun) <= LONGEST and not noun.isdecimal() else GROUP


def _ranges(numbers: Iterable[int]) -> str:
    """Return numbers as text with ranges: '0-4,7'."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
