"""What would run on data sets whose files are not here: without images there are no sizes, keys or estimates."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ...core.records.runs import canonical_text
from ...core.split_names import LEAVE_ONE_OUT, OFFICIAL, draws_in, kind_of, rule_of
from ...core.text.words import counted
from ...datasets.registry import datasets
from ...methods.registry import methods
from .plan import Choice, Override, check_scopes, settled
from .selection import Selection
from .suites import choices_of


@dataclass
class OutlinedRun:
    """A run that waits for the files of its data set.

    limit: the number of training images that was asked for, None for all. device: where it would run. titles: the
    entries of suites that it is for. for_each_group: whether it stands for a run for each group of the data set.
    """

    dataset: str
    method: str
    seed: int
    limit: int | None
    device: str
    titles: list[str] = field(default_factory=list)
    for_each_group: bool = False


def set_aside(
    selection: Selection, *, split: str | None, limit: int | None, device: str
) -> tuple[Selection, list[OutlinedRun]]:
    """Return a selection without the data sets whose files are not here, and what would run on those.

    split, limit: as in `plan_suite`. Raises UsageError for an override that fits no method, or a method that does not
    have the setting.
    """
    check_scopes([methods[name] for name in selection.methods], (), selection.overrides)
    outlined = partial(outline, overrides=selection.overrides, device=device)
    there = [name for name in selection.datasets if not _lacks_files(name)]
    if not selection.studies:
        choices = [Choice(name, split=split or OFFICIAL, limit=limit) for name in selection.methods]
        missing = [name for name in selection.datasets if name not in there]
        found = outlined(choices, missing, seeds=selection.seeds or (0,))
        return replace(selection, datasets=there), found
    found, left = [], []
    for suite, entries in selection.studies:
        names = selection.datasets or [suite.dataset]
        missing = [name for name in names if _lacks_files(name)]
        seeds = suite.seeds if selection.seeds is None else selection.seeds
        found += outlined(choices_of(suite, entries, split, limit, None), missing, seeds=seeds)
        if len(missing) < len(names):
            left.append((suite, entries))
    return replace(selection, datasets=there, studies=left), found


def _lacks_files(name: str) -> bool:
    return name in datasets and datasets[name].lacks_files


def outline(
    choices: Sequence[Choice], names: Sequence[str], *, seeds: Sequence[int], overrides: Sequence[Override], device: str
) -> list[OutlinedRun]:
    """Return the runs of methods on data sets by name, in the order data set, seed, method, each once."""
    found: dict[str, OutlinedRun] = {}
    for name in names:
        for seed in seeds:
            for choice in choices:
                for draw in draws_in(choice.split):
                    run, settings = _outlined(choice, name, seed, overrides, device)
                    what = [name, rule_of(choice.split), draw, run.method, run.seed, run.limit, settings]
                    found.setdefault(canonical_text(what), run).titles += [choice.title] * bool(choice.title)
    for run in found.values():
        run.titles = list(dict.fromkeys(run.titles))
    return list(found.values())


def _outlined(
    choice: Choice, name: str, seed: int, overrides: Sequence[Override], device: str
) -> tuple[OutlinedRun, list[object]]:
    """Return a run and all of its settings."""
    entry = methods[choice.method]
    asked = {o.key: o.value for o in overrides if fnmatch.fnmatchcase(entry.name, o.scope)}
    params, *others = settled(entry, choice.settings, asked)
    run = OutlinedRun(
        dataset=name,
        method=entry.name,
        seed=seed if entry.is_seeded(vars(params)) else 0,
        limit=choice.limit,
        device=device if device in entry.devices else entry.devices[0],
        for_each_group=kind_of(choice.split) == LEAVE_ONE_OUT and "@" not in choice.split,
    )
    return run, [vars(part) for part in (params, *others)]


def how_to_get(runs: Sequence[OutlinedRun]) -> list[str]:
    """Return a line for each data set that runs wait for: how many do, and how to get it."""
    names = dict.fromkeys(run.dataset for run in runs)
    waiting = {name: sum(run.dataset == name for run in runs) for name in names}
    return [
        f"{counted(n, 'run waits', 'runs wait')} for data set {name!r}: {datasets[name].how_to_prepare}"
        for name, n in waiting.items()
    ]
