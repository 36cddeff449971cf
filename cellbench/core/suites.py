"""Suites: studies as data. Each is a file of the package, with its runs, its claims and what of it is not rebuilt."""

import fnmatch
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BeforeValidator, Field

from .errors import UsageError, did_you_mean
from .metrics import METRICS, NAMED
from .settings import Settings, Several

FOLDER = files("cellbench") / "suites"
PARTS = ("test", "val", "train", "private", "public")  # the last two: test images whose labels a contest kept
TIMES = {"train_seconds": "training time", "fit_seconds": "fit", "predict_seconds": "prediction"}
KINDS = (*(metric.name for metric in METRICS), "f1")  # f1: where it isn't told over what it was averaged
SHARES = tuple(f"{part}{kind}" for part in (*(f"{part}_" for part in PARTS), "") for kind in KINDS)

S = TypeVar("S", bound=Settings)


def _as_set_reads_it(given: Any) -> Any:
    """TOML has no word for None and no tuples; 'none' is read as `--set` reads it."""
    read = {key: tuple(value) if isinstance(value, list) else value for key, value in dict(given).items()}
    return {key: None if value == "none" else value for key, value in read.items()}


Overrides = Annotated[Mapping[str, Any], BeforeValidator(_as_set_reads_it)]
# Numbers of training images; None, all of them, is the word 'all' in TOML.
Limits = Several[Annotated[int | None, BeforeValidator(lambda limit: None if limit == "all" else limit)]]


class Figures(Settings):
    """Figures that others give; none was measured here.

    values: shares by part and metric, 'test_accuracy', or by metric alone where the part isn't told; seconds.
    where: place in the source. what: whose method, if it is no entry's. on: images, if not those of the suite.
    device: what the seconds were taken on. n: training images, where that is told. quoted: read in another work than
    the one that gives them.
    """

    noun: ClassVar[str] = "key"

    values: Mapping[str, int | float]
    where: str
    what: str = ""
    on: str = ""
    device: str = ""
    n: int | None = None
    quoted: bool = False


class Entry(Settings):
    """A run of a suite. set: settings on top of the suite's. split, limit: in place of the suite's."""

    noun: ClassVar[str] = "key"

    id: str
    label: str
    method: str
    set: Overrides = Field(default_factory=dict)
    split: str = ""
    limit: int | None = None
    claimed: Figures | None = None
    published: Figures | None = None


class Suite(Settings):
    """A study as a list of runs.

    source: whom to cite. study: whether that was published, and is run as it was. set: settings of all entries whose
    method has them. limits: numbers of training images, each of which every entry without a limit of its own is run
    on; None is all. published: by methods that are no entry. assumed: what the source doesn't tell, and what is done
    instead. not_rebuilt: what of it is not run, and why.
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
    limits: Limits = (None,)
    set: Overrides = Field(default_factory=dict)
    published: tuple[Figures, ...] = ()
    assumed: Several[str] = ()
    not_rebuilt: Several[str] = ()

    def split_of(self, entry: Entry) -> str:
        return entry.split or self.split

    def limits_of(self, entry: Entry) -> tuple[int | None, ...]:
        return self.limits if entry.limit is None else (entry.limit,)


def told(figures: Figures | None) -> str:
    """Figures in words, as they were given: 'test accuracy 82 %, trained in 568 min (CPU); bar chart'."""
    if figures is None:
        return ""
    values = [f"{titled(name)} {amount(name, value)}" for name, value in figures.values.items()]
    about = [f"on {figures.on}"] * bool(figures.on) + [figures.device] * bool(figures.device)
    about += [] if figures.n is None else [f"{figures.n:,} training images"]
    where = figures.where + ", quoted" * figures.quoted
    return ", ".join(values) + f" ({', '.join(about)})" * bool(about) + f"; {where}"


def titled(figure: str) -> str:
    """'test_macro_f1' as people write it."""
    if figure in TIMES:
        return TIMES[figure]
    part, _, rest = figure.partition("_")
    metric = NAMED.get(rest if part in PARTS else figure)
    if metric:
        return f"{part} {metric.title}" if part in PARTS else metric.title
    return figure.replace("_", " ").replace(" f1", " F1")


def amount(name: str, value: float) -> str:
    """A figure with its unit and all the digits that it was given with."""
    if name not in TIMES:
        return f"{100 * value:.10g} %"
    return f"{value / 60:g} min" if value >= 600 and value % 60 == 0 else f"{value:,g} s"


def names() -> list[str]:
    return sorted(file.name.removesuffix(".toml") for file in FOLDER.iterdir() if file.name.endswith(".toml"))


def select(patterns: Iterable[str]) -> list[Suite]:
    """Suites that equal a pattern or match it as a glob, each once, in the order asked. Raises UsageError on a miss."""
    known, chosen = names(), dict[str, None]()
    for pattern in patterns:
        if not (hits := fnmatch.filter(known, pattern)):
            raise UsageError(f"no suite is called {pattern!r}; {did_you_mean(pattern, known)}")
        chosen.update(dict.fromkeys(hits))
    return [load(name) for name in chosen]


def choose(
    suites: Iterable[Suite], only: Sequence[str] = (), exclude: Sequence[str] = ()
) -> list[tuple[Suite, list[Entry]]]:
    """Of each suite the entries whose id or method fits a glob of `only` (all, without one) and none of `exclude`.

    Raises UsageError for one of `only` that fits nothing, and when nothing is left.
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
    return parse(name, (FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Suite:
    """The suite that a TOML document describes. Raises UsageError naming the table and the key that is wrong."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"suite {name!r} is no TOML: {error}") from error
    if "entries" in given:
        given["entries"] = tuple(_entry(name, i, one) for i, one in enumerate(given["entries"]))
    if "published" in given:
        given["published"] = tuple(_figures(f"suite {name!r}, published", one) for one in given["published"])
    suite = _made(Suite, f"suite {name!r}", {"name": name, **given})
    ids = [entry.id for entry in suite.entries]
    if twice := {one for one in ids if ids.count(one) > 1}:
        raise UsageError(f"suite {name!r} has two entries called {min(twice)!r}; give each an id of its own")
    return suite


def _entry(suite: str, number: int, given: Mapping[str, Any]) -> Entry:
    where = f"suite {suite!r}, entry {given.get('id', number + 1)!r}"
    read = {key: _figures(f"{where}, {key}", given[key]) for key in ("claimed", "published") if key in given}
    return _made(Entry, where, {**given, **read})


def _figures(where: str, given: Mapping[str, Any]) -> Figures:
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


def _made(kind: type[S], where: str, given: Mapping[str, Any]) -> S:
    try:
        return kind(**given)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def _fits(entry: Entry, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in (entry.id, entry.method))
