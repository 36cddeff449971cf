"""Suites as runs: what each entry comes to when every setting is resolved."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import UsageError, did_you_mean
from ..core.runs import canonical_text
from ..core.suites import Entry, Suite
from ..core.training_budget import EPOCHS, LARGEST_BATCH
from ..methods.registry import methods
from .plan import MANY, Choice, Job, Override, ValLimit, following, make_plan, names_of, settled

USUAL = {"epochs": EPOCHS, "batch": LARGEST_BATCH}


def plan_suite(
    suite: Suite,
    entries: Sequence[Entry],
    folders: Sequence[Path],
    *,
    overrides: Sequence[Override] = (),
    split: str | None = None,
    limit: int | None = None,
    val_limit: ValLimit = None,
    seeds: Sequence[int] | None = None,
    device: str = "cpu",
    deterministic: bool = False,
) -> list[Job]:
    """Jobs of these entries on prepared data sets; split and seeds in place of the suite's, limit where it is less.

    val_limit: as in make_plan.
    """
    chosen = [
        Choice(
            entry.method,
            settings(suite, entry),
            split or suite.split_of(entry),
            min((n for n in (own, limit) if n is not None), default=None),
            f"{suite.name}/{entry.id}",
            val_limit,
        )
        for own in dict.fromkeys(n for entry in entries for n in suite.limits_of(entry))
        for entry in entries
        if own in suite.limits_of(entry)
    ]
    return make_plan(
        chosen,
        folders,
        seeds=suite.seeds if seeds is None else seeds,
        overrides=overrides,
        device=device,
        deterministic=deterministic,
    )


def settings(suite: Suite, entry: Entry) -> dict[str, Any]:
    """What an entry sets: of the suite's settings those that its method has, then its own.

    Epochs and batch that neither gives are the usual ones of many images: an entry is the same on any number of them.
    Raises UsageError when the method has no such setting.
    """
    known = names_of(methods[entry.method])
    for key in entry.set:
        if key not in known:
            raise UsageError(
                f"suite {suite.name!r}, entry {entry.id!r}: method {entry.method!r} has no setting {key!r}; "
                f"{did_you_mean(key, known)}"
            )
    common = {**(USUAL if methods[entry.method].suited else {}), **suite.set}
    return {**{key: value for key, value in common.items() if key in known}, **entry.set}


def expected(suite: Suite) -> list[dict[str, Any]]:
    """A plain row an entry, by which its records are known wherever they are.

    suite, entry, label, method; own: the suite's data set; params, preprocessing: canonical texts as in the frame of
    results, and params_of_several_labels where images have those; follows: names of the settings that follow from the
    number of training images; split; limits: a list, None is all; claimed, published: as in `core.suites.Figures`, or
    None.
    """
    return [_row(suite, entry) for entry in suite.entries]


def _row(suite: Suite, entry: Entry) -> dict[str, Any]:
    method, given = methods[entry.method], settings(suite, entry)
    params, preprocessing, decision = settled(method, given, n=MANY)
    return {
        "suite": suite.name,
        "own": suite.dataset,
        "entry": entry.id,
        "label": entry.label,
        "method": entry.method,
        "params": canonical_text(vars(params)),
        "params_of_several_labels": canonical_text({**vars(params), **decision.changes}),
        "preprocessing": canonical_text(preprocessing.steps),
        "follows": following(method, given),
        "split": suite.split_of(entry),
        "limits": list(suite.limits_of(entry)),
        **{name: _figures(getattr(entry, name)) for name in ("claimed", "published")},
    }


def _figures(given: Any) -> Mapping[str, Any] | None:
    return None if given is None else dict(given)
