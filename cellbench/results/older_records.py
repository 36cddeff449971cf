"""What the records of nets do not say that were written before nets had a training budget."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from ..core import suites
from ..core.runs import RunRecord
from ..core.training_budget import EPOCHS, LARGEST_BATCH, steps
from ..core.undertraining import undertrained

USUAL = {"epochs": EPOCHS, "batch": LARGEST_BATCH}  # of an entry whose suite gives neither
AMOUNT = ("epochs", "batch", "accumulate")  # settings that say how many steps a training has


def is_older(record: RunRecord) -> bool:
    """Whether a record was written before nets had a training budget and a phase `validate`."""
    return "seeded" not in record.facts


def val_in_fit(record: RunRecord) -> bool | None:
    """Whether the training time of a net includes scoring val, as in older records; None for other methods."""
    if "epochs" not in record.spec.params:
        return None
    return is_older(record) and record.spec.params["epochs"] != 0


def why_undertrained(record: RunRecord) -> str | None:
    """Why a net was not trained enough: from the record, or, for an older record, by the rule that records follow now.

    A net that started from other weights may have taken any number of steps. Without the number of training images the
    rule cannot be applied.
    """
    facts, params = record.facts, record.spec.params
    if "undertrained" in facts or not is_older(record) or record.status != "ok" or facts.get("family") != "deep":
        return facts.get("undertrained")
    n = facts.get("n", {}).get("train")
    if n is None:
        return None
    least = 0 if params.get("weights") else _least_steps(record, n)
    return undertrained(record.history, steps(n, params), least) or None


def _least_steps(record: RunRecord, n: int) -> int:
    """The fewest steps that were planned: by the suites' entries that the run was made for, or by default settings.

    With the user's own batch size the same number of epochs takes another number of steps, which is as good.
    """
    given = {name: record.spec.params[name] for name in AMOUNT[1:] if name in record.spec.params}
    planned = [found for title in record.facts.get("entries", ()) if (found := _amount_of(title)) is not None] or [{}]
    return min(steps(n, {**settings, **changed}) for settings in planned for changed in ({}, given))


@cache
def _amount_of(title: str) -> Mapping[str, Any] | None:
    """The settings of AMOUNT in the entry 'suite/entry', None where a setting follows from the number of images.

    None for an entry that no suite has any more.
    """
    name, _, entry_id = title.partition("/")
    suite = suites.load(name) if name in suites.names() else None
    entry = next((one for one in suite.entries if one.id == entry_id), None) if suite else None
    if suite is None or entry is None:
        return None
    settings = {**USUAL, **suite.set, **entry.set}
    return {name: None if settings[name] == "auto" else settings[name] for name in AMOUNT if name in settings}
