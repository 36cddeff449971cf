"""The methods, data sets, suites and settings that the options of a run choose, all checked."""

import fnmatch
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import UsageError, did_you_mean
from ...core.machine.files import expanded
from ...core.mixed_values import SettingValues
from ...core.suites import Suite, choose
from ...core.suites import select as select_suites
from ...datasets import datasets
from ...datasets.opening import looks_like_path
from ...methods import methods
from ..plugins import load_plugins
from .options import RunOptions, parse_seeds, parse_val_limit
from .plan import Override, ValLimit, parse_override
from .suites import Studies

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Selection:
    """What the options of a run choose: names that exist, and settings that could be parsed.

    suites: the suites that were asked for. studies: suites with the chosen ones of their entries. methods: names; with
    studies, those of their entries. datasets: names and paths of folders; empty for the data sets of the studies.
    seeds: None for the usual ones, which are 0 or those of the suite.
    """

    suites: Sequence[Suite]
    studies: Studies
    methods: Sequence[str]
    datasets: Sequence[str]
    overrides: Sequence[Override]
    seeds: tuple[int, ...] | None
    val_limit: ValLimit

    @property
    def paths(self) -> list[Path]:
        """The folders of images among the data sets."""
        return [expanded(name) for name in self.datasets if looks_like_path(name)]


def select(options: RunOptions) -> Selection:
    """Return what the options choose.

    Raises UsageError for names that do not exist and values that are not allowed, before any data are read or prepared.
    """
    _check_choice(options)
    _check_numbers(options)
    load_plugins(options.plugins)
    seeds = None if options.seeds is None else parse_seeds(options.seeds)
    suites = select_suites(options.suites)
    _check_exclude(options.exclude, suites)
    studies = choose(suites, options.methods, options.exclude) if suites else []
    named = [entry.method for _, entries in studies for entry in entries]
    chosen = named or choose_methods(options.methods, options.exclude)
    places = choose_datasets(options.datasets, options.exclude) if options.datasets or not studies else []
    selection = Selection(
        suites=suites,
        studies=studies,
        methods=chosen,
        datasets=places,
        overrides=_overrides(options, chosen),
        seeds=seeds,
        val_limit=None if options.val_limit is None else parse_val_limit(options.val_limit),
    )
    _check_output(options.output, selection.paths)
    return selection


def choose_methods(patterns: Sequence[str], exclude: Sequence[str] = ()) -> list[str]:
    """Return the names of the methods that match the patterns, or, without patterns, of all standard methods.

    Raises UsageError if a pattern matches nothing, or if `exclude` leaves nothing.
    """
    chosen = methods.select(patterns) if patterns else [e.name for e in methods.entries() if e.standard]
    return _without(chosen, exclude)


def choose_datasets(patterns: Sequence[str], exclude: Sequence[str] = ()) -> list[str]:
    """Return the names of the data sets that match the patterns, and the patterns that are paths of folders.

    Without patterns, return the names of the standard data sets that are ready. Raises UsageError if a pattern matches
    nothing, or if `exclude` leaves nothing.
    """
    if not patterns:
        return _without([e.name for e in datasets.entries() if e.standard and e.ready], exclude)
    chosen: dict[str, None] = {}
    for pattern in patterns:
        is_path = pattern not in datasets and looks_like_path(pattern)
        chosen.update(dict.fromkeys([pattern] if is_path else datasets.select([pattern])))
    return _without(list(chosen), exclude)


def setting_texts(given: SettingValues | Sequence[str]) -> list[str]:
    """Return settings as a list of texts as `--set` takes them, 'key=value'."""
    return [f"{key}={_plain(value)}" for key, value in given.items()] if isinstance(given, Mapping) else list(given)


def _plain(value: object) -> object:
    """Return a value of numpy, or several in a list or an array, as --set writes it: 5, or 1,10."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return ",".join(str(_plain(one)) for one in value) if isinstance(value, list | tuple) else value


def _check_choice(options: RunOptions) -> None:
    if not (options.all or options.suites or options.methods or options.datasets):
        raise UsageError(
            "nothing was chosen; say --quick, --all or --suite NAME, or choose with -m METHOD or -d DATASET"
        )
    if options.all and options.suites:
        raise UsageError("--all and --suite choose different runs; leave one of them out")


def _check_numbers(options: RunOptions) -> None:
    if options.timeout is not None and not 0 < options.timeout < math.inf:
        raise UsageError(f"--timeout got {options.timeout:g}; give a number of seconds above zero")
    for name, number in (("epochs", options.epochs), ("limit", options.limit), ("jobs", options.jobs)):
        if number is not None and number < 1:
            raise UsageError(f"--{name} got {number}; give a number from 1")
    if options.device not in DEVICES:
        raise UsageError(f"--device got {options.device!r}; give one of {', '.join(DEVICES)}")


def _without(names: list[str], exclude: Sequence[str]) -> list[str]:
    left = [name for name in names if not any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude)]
    if not left:
        raise UsageError(
            f"--exclude {' '.join(exclude)} leaves nothing of {', '.join(names) or 'nothing'}; exclude less"
        )
    return left


def _check_exclude(patterns: Sequence[str], suites: Sequence[Suite]) -> None:
    """Raise UsageError for a pattern that matches no method, entry or data set, as it would exclude nothing."""
    known = {*methods, *datasets, *(entry.id for suite in suites for entry in suite.entries)}
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            raise UsageError(f"--exclude {pattern!r} fits no method, entry or data set; {did_you_mean(pattern, known)}")


def _check_output(output: Path, folders: Sequence[Path]) -> None:
    for folder in folders:
        if output.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"results in {output} would lie among the images of {folder}; name another place with -o")


def _overrides(options: RunOptions, chosen: Sequence[str]) -> list[Override]:
    """Return the settings that the user gave with --set, --image-size and --epochs.

    --image-size is one of them, as the size to which a folder's images are brought is also the size that methods get.
    """
    overrides = [parse_override(text) for text in setting_texts(options.set)]
    if size := options.folder.get("image_size"):
        overrides.insert(0, Override("*", "size", size))
    if options.epochs is not None:
        overrides += [Override(name, "epochs", options.epochs) for name in _trained_in_epochs(chosen)]
    return overrides


def _trained_in_epochs(names: Sequence[str]) -> list[str]:
    found = [name for name in names if hasattr(methods[name].defaults, "epochs")]
    if not found:
        raise UsageError(f"--epochs is for nets, and none was chosen ({', '.join(names)}); leave it out")
    return found
