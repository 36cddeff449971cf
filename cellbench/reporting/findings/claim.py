"""Claims of the studies as data: the sentence, its source, its numbers, and the judge that tests it."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from importlib.resources import files

from ...core import suites
from ...core.errors import UsageError, did_you_mean
from ...core.mixed_values import Document, Facts
from ...core.settings import replace
from ...core.suites import Figures, Protocol, Suite, figures_text

# Whether the source says the claim, or its figures do, or cellbench asks it.
BASES = {"stated": "stated", "implied": "implied", "ours": "cellbench's question"}
FILE = files("cellbench.reporting.findings") / "claims.toml"
DEVICE = re.compile(r"--device (\S+)")


@dataclass(frozen=True)
class Claim:
    """A claim of a study, and how it is tested: rows of side a against rows of side b.

    basis: a key of BASES: whether the source states or implies the claim, or it is cellbench's own question.
    contestants: who meets, where one claim is judged in two ways: 'as the authors ran it', or 'fairly', the best of
    each kind. twin: the id of the other way.
    suite: the suite whose source made the claim. where: the place in that source. numbers: as 'suite/entry', the
    entries that have the claimed figures. dataset: the data set that the claim was made on. judge: a key of
    `judges.JUDGES`. commands: the commands that produce the evidence.
    a, b: conditions on the rows of each side, see `Results.where`. both: conditions on both sides.
    apart: settings in which a and b may differ while all others are the same; with 'method' among them, only those
    others that the user changed in either have to be. Without `apart` the best row of a on val is compared with the
    best of b.
    among: the column or setting that tells the contenders of b apart, for `best_of`. least: the fewest contenders of b
    that `best_of` takes. figure: the metric of test; '' for accuracy, or macro-F1 where images have several labels.
    target: a fraction that has to be reached or passed. any_size: whether the claim is about numbers of images, so that
    training on fewer than the source had is no shortcoming.
    """

    id: str
    sentence: str
    basis: str
    suite: str
    where: str
    numbers: tuple[str, ...]
    dataset: str
    judge: str
    commands: tuple[str, ...]
    a: tuple[str, ...] = ()
    b: tuple[str, ...] = ()
    both: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    among: str = "method"
    least: int = 1
    figure: str = ""
    target: float = 0.0
    any_size: bool = False
    contestants: str = ""
    twin: str = ""

    @property
    def titled(self) -> str:
        """The sentence, with who meets where the claim is judged in two ways."""
        return f"{self.sentence.removesuffix('.')} ({self.contestants})." if self.contestants else self.sentence

    @property
    def source(self) -> str:
        suite = suites.load(self.suite)
        return f"{BASES[self.basis]}; {suite.source}: {self.where}"

    @property
    def protocol(self) -> Protocol | None:
        """How long the source trained, as far as it matters to the claim; None where the source does not say."""
        given = suites.load(self.suite).protocol
        return replace(given, images=None) if given and self.any_size else given

    @property
    def url(self) -> str:
        return suites.load(self.suite).url

    @property
    def waits_for(self) -> str:
        """Where the claim has to be run to be tested: 'runs on deepyeast, with weights imagenet, on cuda'."""
        conditions = (*self.a, *self.b, *self.both)
        weights = [one.removeprefix("weights=") for one in conditions if one.startswith("weights=")]
        weights = [one for one in dict.fromkeys(weights) if one != "none"]
        devices = list(dict.fromkeys(found for one in self.commands for found in DEVICE.findall(one)))
        parts = [f"runs on {self.dataset}"]
        if weights:
            parts.append(f"with weights {' and '.join(weights)}")
        if devices:
            parts.append(f"on {' and '.join(devices)}")
        return ", ".join(parts)

    def claimed(self) -> list[Document]:
        """Return the figures of the entries in `numbers`, each with its source and whether others quoted it."""
        found = []
        for number in self.numbers:
            suite, entry = _entry(number)
            kinds = (("claimed", entry.claimed), ("published", entry.published))
            found += [_number(suite, entry.label, kind, given) for kind, given in kinds if given]
        return found


def _entry(number: str) -> tuple[Suite, suites.Entry]:
    """Return the suite and the entry that 'suite/entry' names. Raises UsageError where there is no such entry."""
    name, _, entry = number.partition("/")
    suite = suites.load(name)
    known = {one.id: one for one in suite.entries}
    if entry not in known:
        raise UsageError(f"suite {name!r} has no entry {entry!r}; {did_you_mean(entry, known)}")
    return suite, known[entry]


def _number(suite: Suite, label: str, kind: str, given: Figures) -> Document:
    values: Mapping[str, float] = dict(given.values)
    return {
        "what": label,
        "kind": kind,
        "values": values,
        "told": figures_text(given),
        "source": suite.source,
        "where": given.where,
        "quoted": given.quoted,
    }


def load(text: str | None = None) -> list[Claim]:
    """Return the claims of the package, or those that `text` describes in TOML.

    Raises UsageError for an unknown or missing key, naming the claim and the key, and for an id that is used twice.
    """
    given = tomllib.loads(FILE.read_text("utf-8") if text is None else text)
    claims = [_made(one, number) for number, one in enumerate(given.get("claims", []), 1)]
    ids = [claim.id for claim in claims]
    if twice := {one for one in ids if ids.count(one) > 1}:
        raise UsageError(f"two claims are called {min(twice)!r}; give each an id of its own")
    return claims


def _made(given: Facts, number: int) -> Claim:
    where = f"claim {given.get('id', number)!r}"
    known = {field.name: field for field in fields(Claim)}
    for key in given:
        if key not in known:
            raise UsageError(f"{where}: unknown key {key!r}; {did_you_mean(key, known)}")
    if missing := [key for key, field in known.items() if field.default is MISSING and key not in given]:
        raise UsageError(f"{where}: {', '.join(missing)} is missing")
    if given["basis"] not in BASES:
        raise UsageError(f"{where}: basis is {given['basis']!r}; it may be {', '.join(BASES)}")
    read: Document = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    return Claim(**read)


def chosen(claims: Sequence[Claim], ids: Sequence[str]) -> list[Claim]:
    """Return the claims with one of these ids, all claims if `ids` is empty. Raises UsageError for an unknown id."""
    known = {claim.id: claim for claim in claims}
    for one in ids:
        if one not in known:
            raise UsageError(f"no claim is called {one!r}; {did_you_mean(one, known)}")
    return [claim for claim in claims if not ids or claim.id in ids]
