"""What images that depend on each other are called in sentences: wells, donors, blocks, or groups if nobody says."""

import re

from ..split_names import LEAVE_ONE_OUT, kind_of, rule_of

GROUP, BLOCK = "group", "block"
LONGEST = 30  # characters of a word that sentences repeat
BEFORE = re.compile(r"^(image_)?metadata[_ ]", re.IGNORECASE)  # as CellProfiler names its columns
BEHIND = re.compile(r"[_ -]*(id|no|nr|number|name)$", re.IGNORECASE)
IRREGULAR = {"mouse": "mice", "series": "series"}


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


def plural(noun: str) -> str:
    """Return the plural of a noun: 'wells', 'batches', 'biopsies', 'mice'."""
    if noun in IRREGULAR:
        return IRREGULAR[noun]
    if re.search(r"(s|x|ch|sh)$", noun):
        return noun + "es"
    return re.sub(r"([^aeiou])y$", r"\1ie", noun) + "s"
