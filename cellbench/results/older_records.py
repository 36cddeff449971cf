"""Facts that are missing in records of earlier versions."""

from functools import cache

from ..core import suites
from ..core.mixed_values import SettingValues
from ..core.records.runs import RunRecord
from ..core.training_budget import LINEAR_BELOW, steps
from ..core.undertraining import undertrained

AMOUNT = ("epochs", "batch", "accumulate")  # settings that say how many steps a training has


def is_older(record: RunRecord) -> bool:
    """Whether a record was written before nets had a training budget and a phase `validate`."""
    return "seeded" not in record.facts


def val_in_fit(record: RunRecord) -> bool | None:
    """Whether the training time of a net includes the time to score val, as in older records; None without epochs."""
    if "epochs" not in record.spec.params:
        return None
    return is_older(record) and record.spec.params["epochs"] != 0


def follows(record: RunRecord) -> list[str] | None:
    """Return the settings that follow from the number of training images; None where the record doesn't say.

    Those of svm-combined followed from nothing at first, and were then what they are by default with many images now.
    """
    found: list[str] | None = record.facts.get("follows")
    if found != [] or record.spec.method != "svm-combined" or "entries" in record.facts:
        return found
    if record.facts.get("n", {}).get("train", 0) < LINEAR_BELOW or "kernel" in record.overrides:
        return found
    return [name for name in ("optional", "C", "kernel") if name not in record.overrides]


def why_undertrained(record: RunRecord) -> str | None:
    """Return why a net was not trained enough, or None where nothing says that it was not.

    The reason is the one on record or, for an older record, is found by the rule that newer records follow. For a net
    that started from given weights, no number of steps is too small. Without the numbers of images the rule cannot
    be applied.
    """
    facts, params = record.facts, record.spec.params
    if "undertrained" in facts or not is_older(record) or record.status != "ok" or facts.get("family") != "deep":
        return facts.get("undertrained")
    n = facts.get("n", {})
    if "train" not in n or "val" not in n:
        return None
    least = 0 if params.get("weights") else _least_steps(record, n["train"])
    return undertrained(record.history, steps(n["train"], params), least, n["val"]) or None


def _least_steps(record: RunRecord, n: int) -> int:
    """Return the fewest steps that count as enough: those of the suites' entries of the run, else of the defaults.

    Where the run has another batch size, the planned number of epochs with that batch size is enough as well.
    """
    given = {name: record.spec.params[name] for name in AMOUNT[1:] if name in record.spec.params}
    planned = [found for title in record.facts.get("entries", ()) if (found := _amount_of(title)) is not None] or [{}]
    return min(steps(n, {**settings, **changed}) for settings in planned for changed in ({}, given))


@cache
def _amount_of(title: str) -> SettingValues | None:
    """Return the settings of AMOUNT in the entry titled 'suite/entry', or None if no suite has this entry any more.

    The value of a setting is None if it follows from the number of training images.
    """
    name, _, entry_id = title.partition("/")
    suite = suites.load(name) if name in suites.names() else None
    entry = next((one for one in suite.entries if one.id == entry_id), None) if suite else None
    if suite is None or entry is None:
        return None
    settings = {**suites.USUAL_SETTINGS, **suite.set, **entry.set}
    return {name: None if settings[name] == "auto" else settings[name] for name in AMOUNT if name in settings}
