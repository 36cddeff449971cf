"""Suites: studies as data. Each is a file of the package, with its runs, its claims and what of it is not rebuilt."""

import fnmatch
import shlex
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar

from pydantic import BeforeValidator, Field

from .errors import UsageError, did_you_mean
from .machine.files import expanded, read_text
from .mixed_values import Facts, SettingValues
from .scoring.metrics import METRICS, NAMED
from .settings import Settings, Several
from .text.words import counted
from .training_budget import EPOCHS, LARGEST_BATCH

FOLDER = files("cellbench") / "suites"
USUAL_SETTINGS = {"epochs": EPOCHS, "batch": LARGEST_BATCH, "kernel": "rbf"}  # where neither entry nor suite gives them
LARGEST_SUITE = 10e6  # bytes
# The last two: test images whose labels a contest kept secret.
PARTS_OF_FIGURES = ("test", "val", "train", "private", "public")
TIMES = {"train_seconds": "training time", "fit_seconds": "fit", "predict_seconds": "prediction"}
KINDS = (*(metric.name for metric in METRICS), "f1")  # f1: if the source does not say how it was averaged
SHARES = tuple(f"{part}{kind}" for part in (*(f"{part}_" for part in PARTS_OF_FIGURES), "") for kind in KINDS)

S = TypeVar("S", bound=Settings)


def _as_set_reads_it(given: SettingValues) -> SettingValues:
    """Return settings from TOML with lists as tuples and 'none' as None, as `--set` reads them."""
    read = {key: tuple(value) if isinstance(value, list) else value for key, value in dict(given).items()}
    return {key: None if value == "none" else value for key, value in read.items()}


Overrides = Annotated[SettingValues, BeforeValidator(_as_set_reads_it)]
# Numbers of training images; None, all of them, is the word 'all' in TOML.
TrainLimits = Several[Annotated[int | None, BeforeValidator(lambda limit: None if limit == "all" else limit)]]


class Figures(Settings):
    """Figures that the authors of a source give; none was measured here.

    values: shares by part and metric ('test_accuracy'), or by metric alone where the source names no part; times in
    seconds. where: the place in the source. what: the method, if it is not an entry's. on: the images, if they are not
    those of the suite. device: what times were measured on. n: the number of training images, if it is known.
    quoted: whether the figures are quoted from another work than the one that first gave them.
    """

    noun: ClassVar[str] = "key"

    values: Mapping[str, int | float]
    where: str
    what: str = ""
    on: str = ""
    device: str = ""
    n: int | None = None
    quoted: bool = False


class Tuning(Settings):
    """What tuning the settings of an entry cost: the number of trials, and their seconds."""

    noun: ClassVar[str] = "key"

    trials: Annotated[int, Field(ge=0)]
    seconds: Annotated[int | float, Field(ge=0)]


class Entry(Settings):
    """A run of a suite.

    set: settings that are added to those of the suite, and replace them. split, limit: replace those of the suite.
    claimed, published: figures from the literature, or None. tuning: what it cost to find the settings, or None.
    """

    noun: ClassVar[str] = "key"

    id: str
    label: str
    method: str
    set: Overrides = Field(default_factory=dict)
    split: str = ""
    limit: int | None = None
    claimed: Figures | None = None
    published: Figures | None = None
    tuning: Tuning | None = None


class Searched(Settings):
    """What `cellbench tune --suite` searches: settings of one method, the others as the suite has them.

    set: settings that are added to those of the suite. vary: for each setting that is searched the values that are
    tried. part: the share of the training images that trials are made on, whose `best` few and the suite's own settings
    are then tried on all. trials: how many there are, where the command does not say.
    """

    noun: ClassVar[str] = "key"

    label: str
    method: str
    set: Overrides = Field(default_factory=dict)
    vary: Overrides
    part: Annotated[float, Field(gt=0, le=1)] = 1.0
    best: Annotated[int, Field(ge=1)] = 3
    trials: Annotated[int, Field(ge=1)] = 30


class Protocol(Settings):
    """How long, and on how many images, the source of a suite trained; a run with less is called shortened.

    where: the place in the source. epochs: of all nets, or of each method that is named. images: the number of training
    images, where the source had all of its data set: a run with a limit has fewer. Any of the numbers may be missing.
    """

    noun: ClassVar[str] = "key"

    where: str
    steps: int | None = None
    epochs: int | Mapping[str, int] | None = None
    images: int | None = None

    def epochs_of(self, method: str) -> int:
        """Return the epochs that the source trained a method for; 0 where it does not say so."""
        return self.epochs.get(method, 0) if isinstance(self.epochs, Mapping) else self.epochs or 0

    def __str__(self) -> str:
        """Return the protocol in words: '9 epochs (cnn2-yeast), 6 epochs (vgg-yeast), 65,000 images; its code'."""
        epochs = self.epochs if isinstance(self.epochs, Mapping) else {"": self.epochs}
        of_methods = [counted(n, "epoch") + (f" ({name})" if name else "") for name, n in epochs.items() if n]
        others = [counted(n, noun) for n, noun in ((self.steps, "step"), (self.images, "image")) if n]
        return f"{', '.join(of_methods + others)}; {self.where}"


class Suite(Settings):
    """A study as a list of runs.

    source: what to cite. study: whether it was published, and is run as it was. set: settings for all entries whose
    method has them. limits: numbers of training images, None is all; entries without a limit are run on each of them.
    published: figures of methods that are no entry. assumed: what the source does not say, and what is done instead.
    not_rebuilt: which parts of the study are not run, and why. protocol: how long the source trained, where it says so.
    search: settings that are searched by `cellbench tune`, as no number of entries stands for a search. file: where a
    suite of one's own was read; '' for one of the package.
    """

    noun: ClassVar[str] = "key"

    name: str
    title: str
    source: str
    dataset: str
    entries: tuple[Entry, ...]
    study: bool = False
    url: str = ""
    split: str = "official"
    seeds: Several[int] = (0,)
    limits: TrainLimits = (None,)
    set: Overrides = Field(default_factory=dict)
    published: tuple[Figures, ...] = ()
    assumed: Several[str] = ()
    not_rebuilt: Several[str] = ()
    protocol: Protocol | None = None
    search: Searched | None = None
    file: str = ""

    @property
    def argument(self) -> str:
        """What to write behind --suite to have this suite."""
        return shlex.quote(self.file or self.name)

    def split_of(self, entry: Entry) -> str:
        return entry.split or self.split

    def limits_of(self, entry: Entry) -> tuple[int | None, ...]:
        return self.limits if entry.limit is None else (entry.limit,)


def figures_text(figures: Figures | None) -> str:
    """Return figures in words, as they were given: 'test accuracy 82 %, training time 568 min (CPU); bar chart'."""
    if figures is None:
        return ""
    values = [f"{titled(name)} {amount(name, value)}" for name, value in figures.values.items()]
    about = [f"on {figures.on}"] * bool(figures.on) + [figures.device] * bool(figures.device)
    about += [] if figures.n is None else [f"{figures.n:,} training images"]
    where = figures.where + (", quoted" if figures.quoted else "")
    return ", ".join(values) + (f" ({', '.join(about)})" if about else "") + f"; {where}"


def titled(figure: str) -> str:
    """Return the name of a figure, such as 'test_macro_f1', as people write it: 'test macro-F1'."""
    if figure in TIMES:
        return TIMES[figure]
    part, _, rest = figure.partition("_")
    metric = NAMED.get(rest if part in PARTS_OF_FIGURES else figure)
    if metric:
        return f"{part} {metric.title}" if part in PARTS_OF_FIGURES else metric.title
    return figure.replace("_", " ").replace(" f1", " F1")


def amount(name: str, value: float) -> str:
    """Return a figure with its unit and, for a share, with all its digits up to ten."""
    if name not in TIMES:
        return f"{100 * value:.10g} %"
    return f"{value / 60:g} min" if value >= 600 and value % 60 == 0 else f"{value:,g} s"


def names() -> list[str]:
    return sorted(file.name.removesuffix(".toml") for file in FOLDER.iterdir() if file.name.endswith(".toml"))


def select(patterns: Iterable[str]) -> list[Suite]:
    """Return the suites whose names equal a pattern or match it as a glob, each once, in the order of the patterns.

    A pattern that ends in .toml is the file of a suite of one's own. Raises UsageError for a pattern without a match.
    """
    known, chosen = names(), dict[str, None]()
    for pattern in patterns:
        if pattern.endswith(".toml"):
            chosen[pattern] = None
            continue
        if not (hits := fnmatch.filter(known, pattern)):
            raise UsageError(f"no suite is called {pattern!r}; {did_you_mean(pattern, known)}")
        chosen.update(dict.fromkeys(hits))
    return [load(name) for name in chosen]


def choose(
    suites: Iterable[Suite], only: Sequence[str] = (), exclude: Sequence[str] = ()
) -> list[tuple[Suite, list[Entry]]]:
    """Return each suite with the entries whose id or method matches a glob of `only` and none of `exclude`.

    Without `only`, all entries match. Suites without any entry left are not returned. Raises UsageError for a glob of
    `only` that matches nothing, and if no entry is left.
    """
    suites = list(suites)
    known = {name for suite in suites for entry in suite.entries for name in (entry.id, entry.method)}
    titles = ", ".join(suite.name for suite in suites)
    for pattern in only:
        if not fnmatch.filter(known, pattern):
            raise UsageError(f"no entry or method of {titles} matches {pattern!r}; {did_you_mean(pattern, known)}")
    chosen = [
        (suite, [e for e in suite.entries if (not only or _fits(e, only)) and not _fits(e, exclude)])
        for suite in suites
    ]
    left = [(suite, entries) for suite, entries in chosen if entries]
    if not left:
        raise UsageError(f"--exclude {' '.join(exclude)} leaves nothing of {titles}; exclude less")
    return left


def load(name: str) -> Suite:
    """Return the suite of this name, or in this file. Raises UsageError for a file that cannot be read, or is none."""
    if not name.endswith(".toml"):
        return _shipped(name)
    try:
        suite = parse(Path(name).stem, read_text(expanded(name), LARGEST_SUITE))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or (str(error) if isinstance(error, OSError) else "it is no text")
        raise UsageError(f"suite {name!r} cannot be read: {why}; give the TOML file of a suite") from error
    return suite.model_copy(update={"file": name})


@cache  # a page of findings asks for a hundred
def _shipped(name: str) -> Suite:
    return parse(name, (FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Suite:
    """Return the suite that a TOML document describes. Raises UsageError with the table and key that are wrong."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"suite {name!r} is no TOML: {error}") from error
    if "file" in given:
        raise UsageError(f"suite {name!r} has no key 'file'; leave it out")
    for key in ("entries", "published"):
        if not _is_tables(given.get(key, [])):
            raise UsageError(f"suite {name!r}: {key} is {given[key]!r}; write a table for each, [[{key}]]")
    if "entries" in given:
        given["entries"] = tuple(_entry(name, i, one) for i, one in enumerate(given["entries"]))
    if "published" in given:
        given["published"] = tuple(_figures(f"suite {name!r}, published", one) for one in given["published"])
    if "search" in given:
        if not isinstance(given["search"], Mapping):
            raise UsageError(f"suite {name!r}: search is {given['search']!r}; write a table, [search]")
        given["search"] = _made(Searched, f"suite {name!r}, search", given["search"])
    suite = _made(Suite, f"suite {name!r}", {"name": name, **given})
    ids = [entry.id for entry in suite.entries]
    if twice := {one for one in ids if ids.count(one) > 1}:
        raise UsageError(f"suite {name!r} has two entries called {min(twice)!r}; give each an id of its own")
    return suite


def _is_tables(given: object) -> bool:
    return isinstance(given, list) and all(isinstance(one, Mapping) for one in given)


def _entry(suite: str, number: int, given: Facts) -> Entry:
    where = f"suite {suite!r}, entry {given.get('id', number + 1)!r}"
    read: dict[str, Figures | Tuning] = {
        key: _figures(f"{where}, {key}", given[key]) for key in ("claimed", "published") if key in given
    }
    if "tuning" in given:
        read["tuning"] = _made(Tuning, f"{where}, tuning", given["tuning"])
    return _made(Entry, where, {**given, **read})


def _figures(where: str, given: Facts) -> Figures:
    about = {key: value for key, value in given.items() if key in Figures.model_fields}
    values = {key: value for key, value in given.items() if key not in about}
    for key, value in values.items():
        if key not in (*SHARES, *TIMES):
            raise UsageError(f"{where}: unknown figure {key!r}; {did_you_mean(key, (*SHARES, *TIMES))}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _most(key):
            raise UsageError(f"{where}: {key} is {value!r}; give a share from 0 to 1, or seconds")
    return _made(Figures, where, {**about, "values": values})


def _most(figure: str) -> float:
    return float("inf") if figure in TIMES else 1


def _made(kind: type[S], where: str, given: Facts) -> S:
    try:
        return kind(**given)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def _fits(entry: Entry, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in (entry.id, entry.method))
