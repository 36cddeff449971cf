"""The plan: methods × data sets × seeds, with every setting resolved, as a list of jobs."""

import ast
import dataclasses
import fnmatch
import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict, TypeVar, overload

from ...core.data import Dataset
from ...core.errors import UsageError, did_you_mean
from ...core.extras import EXTRAS, Extra
from ...core.machine.files import expanded
from ...core.mixed_values import Facts, SettingValues
from ...core.records.runs import RunSpec, canonical
from ...core.scoring.decision import Decision
from ...core.settings import AUTOMATIC, Setting, Settings, described, names, replace, resets
from ...core.split_names import OFFICIAL
from ...core.training_budget import MANY_IMAGES, steps
from ...datasets.files import cache
from ...datasets.named_splits import each_draw, with_split
from ...datasets.preprocessing import Preprocessing
from ...datasets.registry import datasets
from ...datasets.splits import limited_parts, val_in_proportion
from ...features.groups import DEFAULT_GROUPS, GROUPS_ON_BLACK
from ...methods.registry import MethodEntry, methods
from ..job import Job

IMAGENET = "imagenet"  # the setting of weights that is no file
FEW_IMAGES = 100  # training images: settings that follow from their number differ between these and MANY_IMAGES
ValLimit = int | Literal["all"] | None  # None: val is limited in proportion to train

S = TypeVar("S", bound=Settings)


class ImageLimits(TypedDict):
    """The numbers of images as a spec holds them; None: all."""

    limit: int | None
    val_limit: int | None


@dataclass(frozen=True)
class Override:
    """A setting the user gave: `key=value` for the methods whose name fits `scope`."""

    scope: str
    key: str
    value: object

    def __str__(self) -> str:
        return f"{self.scope}:{self.key}={self.value}" if self.scope != "*" else f"{self.key}={self.value}"


@dataclass(frozen=True)
class Choice:
    """A method to run, by name.

    settings: those of a suite's entry, which override the defaults; what the user gave overrides them. title: the entry
    as 'suite/entry', or empty. limit, val_limit: the number of training and of val images, see make_plan.
    """

    method: str
    settings: SettingValues = field(default_factory=dict)
    split: str = OFFICIAL
    limit: int | None = None
    title: str = ""
    val_limit: ValLimit = None
    tuning: Facts = field(default_factory=dict)


def parse_override(text: str) -> Override:
    """Return the setting that a text 'key=value' or 'glob:key=value' gives. Raises UsageError for another form.

    A value is read as a number, true or false, none, text, or a comma-separated list of these.
    """
    name, equals, value = text.partition("=")
    scope, colon, key = name.rpartition(":")
    if equals and key.strip() and not value.strip():
        raise UsageError(f"--set got {text!r}, whose value is empty; write key=value, such as --set epochs=5")
    if not equals or not key.strip():
        raise UsageError(f"--set got {text!r}; write key=value or 'method:key=value', such as --set epochs=5")
    return Override(scope.strip() if colon else "*", key.strip(), _value(value.strip()))


def make_plan(
    chosen: Sequence[Choice | str],
    data_folders: Sequence[Path],
    *,
    seeds: Sequence[int] = (0,),
    overrides: Sequence[Override] = (),
    split: str = OFFICIAL,
    limit: int | None = None,
    val_limit: ValLimit = None,
    device: str = "cpu",
    deterministic: bool = False,
) -> list[Job]:
    """Return the jobs in the order data set, seed, draw of the split, method, each once.

    split, limit, val_limit: for methods that are given by name alone; a `Choice` has its own. limit: the number of
    training images. val_limit: the number of val images, 'all', or None to limit them in proportion to training images.
    A method that no seed changes is planned for seed 0 alone; one that can't run on `device`, for a device that it
    can run on. Raises UsageError when an override fits no method, an unscoped one doesn't fit every method, or one of
    several labels an image fits no data set, and DataError when the limit leaves a class empty.
    """
    named = Choice("", split=split, limit=limit, val_limit=val_limit)
    choices = [c if isinstance(c, Choice) else dataclasses.replace(named, method=c) for c in chosen]
    sets = [cache.read(folder) for folder in data_folders]
    check_scopes([methods[choice.method] for choice in choices], sets, overrides)
    found: list[Job] = []
    for folder, whole in zip(data_folders, sets, strict=True):
        single = _of_each_draw(choices, whole)
        drawn = {name: with_split(whole, name) for name in dict.fromkeys(choice.split for choice in single)}
        used = {asked: _used(drawn[asked[0]], *asked[1:]) for asked in dict.fromkeys(map(_images_asked, single))}
        for seed in seeds:
            for choice in single:
                entry, data, (limits, n) = methods[choice.method], drawn[choice.split], used[_images_asked(choice)]
                asked = {o.key: o.value for o in overrides if fnmatch.fnmatchcase(entry.name, o.scope)}
                of_data = _suggestions(entry, whole, limits["limit"])
                spec, changed = _spec(entry, data, of_data, choice.settings, asked, n["train"])
                spec = dataclasses.replace(
                    spec,
                    **limits,
                    seed=seed if entry.is_seeded(spec.params) else 0,
                    device=device if device in entry.devices else entry.devices[0],
                    deterministic=deterministic,
                )
                titles = (choice.title,) if choice.title else ()
                job = Job(
                    spec,
                    folder,
                    n,
                    least_steps=_least_steps(spec, entry, [of_data, choice.settings], n["train"]),
                    follows=tuple(settings_that_follow(entry, of_data, choice.settings, asked)),
                    skip=_obstacle(entry, data, spec),
                    overrides=changed,
                    titles=titles,
                    tuning=choice.tuning,
                )
                found.append(_with_weights_by_content(job))
    return merged(found)


def _with_weights_by_content(job: Job) -> Job:
    """Return the job with a file of weights given by its name and a digest of its content, in place of its path.

    Another file of the same name thus makes another run, and shared records hold no path. Raises UsageError if there is
    no such file.
    """
    given = job.spec.params.get("weights")
    if given in (None, IMAGENET):
        return job
    path = expanded(given)
    if not path.is_file():
        raise UsageError(f"weights is {given!r}, and there is no such file; give {IMAGENET!r} or the path of one")
    with path.open("rb") as file:
        named = {"weights": f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"}
    spec = dataclasses.replace(job.spec, params={**job.spec.params, **named})
    return dataclasses.replace(job, spec=spec, overrides={**job.overrides, **named}, weights=path)


def merged(jobs: Iterable[Job]) -> list[Job]:
    """Return each job once; jobs for the same run become one job with the titles of all their entries."""
    found: dict[str, Job] = {}
    for job in jobs:
        first = found.setdefault(job.spec.key, job)
        if more := tuple(title for title in job.titles if title not in first.titles):
            found[job.spec.key] = dataclasses.replace(first, titles=(*first.titles, *more))
    return list(found.values())


def _of_each_draw(choices: Sequence[Choice], data: Dataset) -> list[Choice]:
    """Return the choices with the name of a single split each: first those of every choice's first draw, and so on."""
    draws = {name: each_draw(data, name) for name in dict.fromkeys(choice.split for choice in choices)}
    found = [(k, dataclasses.replace(one, split=name)) for one in choices for k, name in enumerate(draws[one.split])]
    return [choice for _, choice in sorted(found, key=lambda numbered: numbered[0])]


def _images_asked(choice: Choice) -> tuple[str, int | None, ValLimit]:
    return choice.split, choice.limit, choice.val_limit


def _used(data: Dataset, limit: int | None, val_limit: ValLimit) -> tuple[ImageLimits, dict[str, int]]:
    """Return the limits as a spec holds them, None where all images are used, and the number of images by part."""
    split = data.split
    if limit is not None and limit >= len(split.train):
        limit = None
    if val_limit is None and limit is not None:
        val_limit = val_in_proportion(split, data.labels, limit)
    if val_limit == "all" or (val_limit is not None and val_limit >= len(split.val)):
        val_limit = None
    parts = limited_parts(split, data.labels, limit, val_limit)
    return {"limit": limit, "val_limit": val_limit}, {part: len(at) for part, at in parts.items()}


def _suggestions(entry: MethodEntry, data: Dataset, limit: int | None) -> SettingValues:
    """Return the settings that a data set suggests to a method.

    `epochs` are left out if training images are limited, as a net needs more of them on fewer images. Where masks had
    cut the cells out, a method that learns from the usual groups of features has those of the cell's shape, too.
    """
    if data.name in datasets:
        of_data = datasets[data.name].defaults
        return {name: value for name, value in of_data.items() if name != "epochs" or limit is None}
    on_black = data.info.reading.get("masks") and vars(entry.defaults).get("features") == DEFAULT_GROUPS
    return {"features": GROUPS_ON_BLACK} if on_black else {}


def _obstacle(entry: MethodEntry, data: Dataset, spec: RunSpec) -> str:
    side = min(Preprocessing.of_steps(spec.preprocessing).shape(data.images, data.channels)[1:])
    if side < entry.min_size:
        return f"{entry.name} needs images of at least {entry.min_size} pixels and these have {side}; set a larger size"
    return ""


def _spec(
    entry: MethodEntry,
    data: Dataset,
    suggested: SettingValues,
    settings: SettingValues,
    asked: SettingValues,
    n: int,
) -> tuple[RunSpec, SettingValues]:
    """Return the spec of a run, and the settings that differ from those without the suite's and the user's.

    Later ones override earlier ones: defaults, the data set's suggestions, the suite's settings, the user's settings.
    n: number of training images, from which settings that are left open follow.
    """
    normal = settled(entry, suggested, multilabel=data.multilabel, n=n)
    final = settled(entry, suggested, settings, asked, multilabel=data.multilabel, n=n)
    params, preprocessing, *decision = final
    if decision:
        decision[0].check_classes(len(data.classes))
    before, after = ({k: v for part in done for k, v in vars(part).items()} for done in (normal, final))
    changed = {k: after[k] for k in after if canonical(after[k]) != canonical(before[k])}
    spec = RunSpec(
        dataset=data.name,
        fingerprint=data.info.fingerprint,
        split=data.split.name,
        preprocessing=preprocessing.steps,
        method=entry.name,
        revision=entry.revision,
        params=dict(params),
        decision=decision[0].changes if decision else {},
    )
    return spec, changed


def _least_steps(spec: RunSpec, entry: MethodEntry, before: Sequence[SettingValues], n: int) -> int:
    """Return the number of steps that a net would take if the user had not changed it; 0 if it starts from weights.

    before: the data set's suggestions and the suite's settings. If the user changed the batch size, the number of steps
    with the default epochs for that size is returned if it is smaller. For methods without epochs it is 0.
    """
    if "epochs" not in spec.params or spec.params.get("weights"):
        return 0
    batch = {key: spec.params[key] for key in ("batch", "accumulate") if key in spec.params}
    found = (settled(entry, *layers, n=n)[0] for layers in (before, [*before, batch]))
    return min(steps(n, vars(params)) for params in found)


@overload
def settled(
    entry: MethodEntry, *layers: SettingValues, multilabel: Literal[True] = True, n: int | None = None
) -> tuple[Settings, Preprocessing, Decision]: ...
@overload
def settled(
    entry: MethodEntry, *layers: SettingValues, multilabel: bool, n: int | None = None
) -> tuple[Settings, Preprocessing, *tuple[Decision, ...]]: ...
def settled(
    entry: MethodEntry, *layers: SettingValues, multilabel: bool = True, n: int | None = None
) -> tuple[Settings, Preprocessing, *tuple[Decision, ...]]:
    """Return a method's settings, its preprocessing and, if multi-label, its decision, with the values of the layers.

    layers: settings by name; later layers override earlier ones, and names that a method does not have are ignored.
    n: number of training images; without it, settings that follow from this number are left open.
    """
    params, preprocessing = _replace(entry.defaults, layers), _replace(entry.preprocessing, layers)
    decision = (_replace(Decision(), layers),) if multilabel else ()
    if entry.suited and n is not None:
        params = entry.suited(params, n)
    return params, preprocessing, *decision


def settings_that_follow(entry: MethodEntry, *layers: SettingValues) -> list[str]:
    """Return the names of a method's settings that follow from the number of training images.

    These are settings that no layer gives a value.
    """
    of_few, of_many = (vars(settled(entry, *layers, n=n)[0]) for n in (FEW_IMAGES, MANY_IMAGES))
    given = {name for layer in layers for name, value in layer.items() if value not in AUTOMATIC}
    return [name for name in of_few if of_few[name] != of_many[name] and name not in given]


def names_of(entry: MethodEntry, multilabel: bool = True) -> list[str]:
    """Return the names of all settings of a method that `--set` can change, with preprocessing and decision."""
    return _names(*_parts(entry, multilabel))


def _parts(entry: MethodEntry, multilabel: bool) -> tuple[Settings, ...]:
    return (entry.defaults, entry.preprocessing, *([Decision()] if multilabel else []))


def settings_of(entry: MethodEntry) -> list[Setting]:
    """Return the description of each setting of a method that `--set` can change."""
    return [setting for part in _parts(entry, True) for setting in described(part)]


def needs_of(entry: MethodEntry) -> list[tuple[str, Extra]]:
    """Return the optional packages that a method needs, each with the 'setting=value' that needs it.

    The text is empty for a package that the method always needs.
    """
    found = [("", EXTRAS[entry.needs])] if entry.needs else []
    for setting in described(entry.defaults):
        found += [(f"{setting.name}={str(value).lower()}", EXTRAS[extra]) for value, extra in setting.needs.items()]
    return found


def _names(*parts: Settings) -> list[str]:
    return [name for part in parts for name in names(part)]


def _replace(settings: S, layers: Iterable[SettingValues]) -> S:
    """Return the settings with the values of the layers, in which later layers override earlier ones.

    A layer that changes the setting which another one is reset by (see core.settings.setting) resets that one to its
    default, so that a learning rate meant for SGD is not used for Adam.
    """
    values: dict[str, object] = {}
    for layer in layers:
        for name, by in resets(type(settings)):
            if by in layer and layer[by] != values.get(by, getattr(settings, by)):
                values[name] = getattr(settings, name)
        values.update(layer)
    return replace(settings, **{name: value for name, value in values.items() if name in names(settings)})


def check_scopes(entries: Sequence[MethodEntry], sets: Sequence[Dataset], overrides: Sequence[Override]) -> None:
    """Raise UsageError if an override matches no method, or a method that does not have the setting.

    sets: the data sets; the settings of a decision exist only if one has several labels for each image, or none is
    known yet.
    """
    multilabel = not sets or any(data.multilabel for data in sets)
    for override in overrides:
        fits = [entry for entry in entries if fnmatch.fnmatchcase(entry.name, override.scope)]
        if not fits:
            raise UsageError(
                f"--set {override}: no chosen method is called {override.scope!r}; "
                f"{did_you_mean(override.scope, [entry.name for entry in entries])}"
            )
        for entry in fits:
            if override.key not in (known := names_of(entry, multilabel)):
                if override.key in _names(Decision()):
                    raise UsageError(
                        f"--set {override}: images of {', '.join(data.name for data in sets)} have one label each, and "
                        f"{override.key} are for several; leave it out"
                    )
                scoped = " (or scope it: --set 'NAME:key=value')" if override.scope == "*" and len(entries) > 1 else ""
                raise UsageError(
                    f"--set {override}: method {entry.name!r} has no setting {override.key!r}; "
                    f"{did_you_mean(override.key, known)}{scoped}"
                )


def _value(text: str) -> object:
    lowered = text.lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    if lowered in ("none", "null"):
        return None
    if "," in text:
        return tuple(_value(item.strip()) for item in text.strip("[]()").split(",") if item.strip())
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = float(text) if lowered in ("nan", "inf", "-inf", "+inf", "infinity", "-infinity") else text
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"--set got {text!r} as a value; give a finite number")
    return tuple(value) if isinstance(value, list) else value
