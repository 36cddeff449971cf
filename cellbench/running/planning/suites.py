"""Suites as jobs: the runs of each entry, with every setting resolved."""

import fnmatch
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import DataError, UsageError, did_you_mean
from ...core.mixed_values import Facts, SettingValues
from ...core.records.runs import canonical_text
from ...core.suites import USUAL_SETTINGS, Entry, Figures, Suite
from ...core.training_budget import MANY_IMAGES
from ...datasets.files import cache
from ...methods.registry import methods
from ..job import Job
from .plan import (
    Choice,
    Override,
    ValLimit,
    check_scopes,
    make_plan,
    merged,
    names_of,
    settings_that_follow,
    settled,
)

Studies = Sequence[tuple[Suite, list[Entry]]]  # suites, each with those of its entries that were chosen


def plan_suites(
    studies: Studies,
    names: Sequence[str],
    prepared: Callable[[str], Path],
    *,
    overrides: Sequence[Override],
    **options: Any,
) -> list[Job]:
    """Return the jobs of the entries of each suite, each run once.

    names: the data sets to run on; the suite's data set if empty. prepared: returns the folder of a data set. options:
    further arguments of `plan_suite`.
    """
    folders = {suite.name: [prepared(name) for name in names] or [_own(suite, prepared)] for suite, _ in studies}
    sets = [cache.read(folder) for folder in dict.fromkeys(f for of_suite in folders.values() for f in of_suite)]
    check_scopes([methods[entry.method] for _, entries in studies for entry in entries], sets, overrides)
    jobs: list[Job] = []
    for suite, entries in studies:
        fit = [o for o in overrides if fnmatch.filter([entry.method for entry in entries], o.scope)]
        jobs += plan_suite(suite, entries, folders[suite.name], overrides=fit, **options)
    return merged(jobs)


def _own(suite: Suite, prepared: Callable[[str], Path]) -> Path:
    try:
        return prepared(suite.dataset)
    except DataError as error:
        raise DataError(f"{error}; or run suite {suite.name!r} on other images: --dataset NAME") from error


def variants(studies: Studies, jobs: Sequence[Job], changes: Sequence[str]) -> list[str]:
    """Return a line for each suite that is not run as it is written; changes: the options that change its runs."""
    lines = []
    for suite, _ in studies:
        used = dict.fromkeys(job.spec.dataset for job in jobs if _is_of(job, suite))
        others = [f"on {name} in place of {suite.dataset}" for name in used if name != suite.dataset]
        if others or changes:
            lines.append(f"suite {suite.name} is run as a variant: {', '.join([*others, *changes])}")
    return lines


def _is_of(job: Job, suite: Suite) -> bool:
    return any(title.startswith(f"{suite.name}/") for title in job.titles)


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
    """Return the jobs of entries of a suite on prepared data sets.

    folders: those of the data sets. split, seeds: replace those of the suite, unless None. limit: replaces the suite's
    limits where it is smaller. val_limit: as in make_plan.
    """
    return make_plan(
        choices_of(suite, entries, split, limit, val_limit),
        folders,
        seeds=suite.seeds if seeds is None else seeds,
        overrides=overrides,
        device=device,
        deterministic=deterministic,
    )


def choices_of(
    suite: Suite, entries: Sequence[Entry], split: str | None, limit: int | None, val_limit: ValLimit
) -> list[Choice]:
    """Return entries of a suite as choices, limit by limit; arguments as in `plan_suite`."""
    return [
        Choice(
            entry.method,
            settings(suite, entry),
            split or suite.split_of(entry),
            min((n for n in (own, limit) if n is not None), default=None),
            f"{suite.name}/{entry.id}",
            val_limit,
            dict(entry.tuning) if entry.tuning else {},
        )
        for own in dict.fromkeys(n for entry in entries for n in suite.limits_of(entry))
        for entry in entries
        if own in suite.limits_of(entry)
    ]


def settings(suite: Suite, entry: Entry) -> SettingValues:
    """Return the settings of an entry: those of the suite that its method has, overridden by the entry's.

    If neither gives epochs, batch or kernel, they are the usual ones for many images, so that an entry is the same on
    any number of images. Raises UsageError if the entry has a setting that its method does not have.
    """
    known = names_of(methods[entry.method])
    for key in entry.set:
        if key not in known:
            raise UsageError(
                f"suite {suite.name!r}, entry {entry.id!r}: method {entry.method!r} has no setting {key!r}; "
                f"{did_you_mean(key, known)}"
            )
    common = {**(USUAL_SETTINGS if methods[entry.method].suited else {}), **suite.set}
    return {**{key: value for key, value in common.items() if key in known}, **entry.set}


def expected(suite: Suite) -> list[Facts]:
    """Return a mapping for each entry of a suite, by which its records are found in the frame of results.

    Keys: suite, entry, label, method. own: the suite's data set. params, preprocessing: canonical texts as in the frame
    of results. params_of_several_labels: params for images with several labels. follows: names of the settings that
    follow from the number of training images. split. limits: a list, None is all images. claimed, published: as in
    `core.suites.Figures`, or None.
    """
    return [_row(suite, entry) for entry in suite.entries]


def _row(suite: Suite, entry: Entry) -> Facts:
    method, given = methods[entry.method], settings(suite, entry)
    params, preprocessing, decision = settled(method, given, n=MANY_IMAGES)
    return {
        "suite": suite.name,
        "own": suite.dataset,
        "entry": entry.id,
        "label": entry.label,
        "method": entry.method,
        "params": canonical_text(vars(params)),
        "params_of_several_labels": canonical_text({**vars(params), **decision.changes}),
        "preprocessing": canonical_text(preprocessing.steps),
        "follows": settings_that_follow(method, given),
        "split": suite.split_of(entry),
        "limits": list(suite.limits_of(entry)),
        **{name: _figures(getattr(entry, name)) for name in ("claimed", "published")},
    }


def _figures(given: Figures | None) -> Facts | None:
    return None if given is None else dict(given)
