"""The text of a paper's Methods section on the runs, and the works that it should cite."""

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ...core.families import FAMILIES, family_of
from ...core.mixed_values import Facts
from ...core.records.runs import RunRecord
from ...core.text.words import counted
from ...results.rows.row import DATA, Row, grouped_by
from ...results.rows.settings import listed
from ..captions import limit_of, name_of

REFERENCES = Path(__file__).with_name("references.toml")
CHOSEN = (
    "Whatever is chosen ({}) was chosen on the validation images; the test images were scored once and tuned nothing."
)
COMPARED = "Methods were compared with the best on the same images by paired tests, adjusted by Holm's step-down."
TIMED = (
    "Training time is that of features, transfer and fit, with all fits that a choice such as that of C took; warm-up "
    "(compilation, first batches) and the scoring of validation images between a net's epochs are timed apart."
)


@dataclass(frozen=True)
class Hardware:
    """The hardware and software of a machine. software: (package, version), with several versions if runs differ."""

    name: str
    hardware: str
    system: str
    software: tuple[tuple[str, str], ...]
    n_runs: int


@dataclass(frozen=True)
class Paper:
    """The Methods section. paragraphs: plain text; bibtex: the entries of all works cited."""

    paragraphs: tuple[str, ...]
    bibtex: str


def paper(rows: Sequence[Row], records: Sequence[RunRecord], intervals: Iterable[str]) -> Paper:
    """Return the Methods section for these runs. intervals: what the intervals in tables were drawn over, as text."""
    ran = [row for row in rows if row["seeds"]]
    versions = listed_once(row["version"] for row in ran)
    families = [name for name in dict.fromkeys([*FAMILIES, *(row["family"] for row in ran)]) if name]
    methods = {name: listed_once(row["method"] for row in ran if row["family"] == name) for name in families}
    named = [f"{family_of(name).noun}s ({found})" for name, found in methods.items() if found]
    what = " and ".join(named) or "No method"
    first = (
        f"{what[0].upper()}{what[1:]} {'were' if what != 'No method' else 'was'} compared with cellbench {versions}."
    )
    place = {id(row): i for i, row in enumerate(ran)}
    data = [_data(group) for group in sorted(grouped_by(ran, DATA), key=lambda group: place[id(group[0])])]
    seeds = sorted({seed for row in ran for seed in row["seeds"]})
    how = (
        f"Random seeds: {', '.join(map(str, seeds))}; figures are means over the seeds of a method."
        if len(seeds) > 1
        else f"Every method was trained once, with random seed {seeds[0] if seeds else '–'}."
    )
    chosen = []
    if any(row["family"] == "svm" for row in ran):
        chosen.append("the cost C and the kernel of support vector machines")
    if any(row["family"] == "deep" for row in ran):
        chosen.append("the epoch of a net")
    if any(row["several_labels"] for row in ran):
        chosen.append("thresholds of several labels")
    over = [text for text in dict.fromkeys(intervals) if text]
    stats = f"95 % intervals were drawn over {' or '.join(over)}." if over else ""
    if over and len(ran) > 1:
        stats += f" {COMPARED}"
    hardware = " ".join(
        f"Runs were timed on {machine.hardware} ({machine.system}; "
        f"{', '.join(f'{name} {version}' for name, version in machine.software)})."
        for machine in machines(rows, records)
    )
    choices = CHOSEN.format(", ".join(chosen)) if chosen else ""
    second = " ".join(filter(None, [how, choices, stats]))
    return Paper((f"{first} {' '.join(data)}", second, f"{TIMED} {hardware}"), _bibtex(ran, versions))


def listed_once(texts: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(str(text) for text in texts if text))


def _data(rows: Sequence[Row]) -> str:
    first = rows[0]
    parts = [f"{first[f'n_{part}']:,} for {use}" for part, use in USES.items() if first[f"n_{part}"]]
    classes = f", {counted(first['n_classes'], 'class', 'classes')}" if first["n_classes"] else ""
    split = "official split" if first["split"] == "official" else f"split {first['split']}"
    steps = " or ".join(dict.fromkeys(listed(json.loads(row["preprocessing"])) for row in rows))
    limit = "".join(f", {text}" for text in limit_of(first))
    facts = [f"{split}{limit}{classes}: {', '.join(parts)}", f"preprocessing {steps}" if steps else ""]
    facts += [f"licence: {first['licence']}" if first["licence"] else "", f"content {first['fingerprint']}"]
    return f"Data set {name_of(rows)} ({'; '.join(filter(None, facts))})."


USES = {"train": "training", "val": "validation", "test": "testing"}


def machines(rows: Sequence[Row], records: Sequence[RunRecord]) -> list[Hardware]:
    """Return the machines of the rows, by name. records: the records of all runs of the rows, in the same order."""
    by_machine: dict[str, list[Facts]] = {}
    places = [row["machine"] for row in rows for _ in row.runs]
    for name, record in zip(places, records, strict=True):
        by_machine.setdefault(name, []).append(record.environment)
    return [_machine(name, environments) for name, environments in sorted(by_machine.items())]


def _machine(name: str, environments: Sequence[Facts]) -> Hardware:
    def of(key: str) -> str:
        return listed_once(one.get(key) for one in environments)

    parts = [of("processor"), f"{of('threads')} threads" if of("threads") else "", of("gpu")]
    packages: dict[str, list[str]] = {"python": [of("python")]} if of("python") else {}
    for one in environments:
        for package, version in (one.get("packages") or {}).items():
            packages.setdefault(package, []).append(version)
    software = tuple((package, listed_once(versions)) for package, versions in packages.items())
    hardware = ", ".join(filter(None, parts)) or "unknown hardware"
    return Hardware(name, hardware, of("system") or "unknown system", software, len(environments))


def _bibtex(rows: Sequence[Row], versions: str) -> str:
    references = tomllib.loads(REFERENCES.read_text("utf-8"))["reference"]
    title = "{cellbench: support vector machines against deep nets}"
    own = f"@misc{{cellbench,\n  title = {title},\n  note = {{Version {versions}}}\n}}"
    return "\n\n".join([own, *(one["bibtex"].strip() for one in references if _used(one, rows))])


def _used(reference: Facts, rows: Sequence[Row]) -> bool:
    if reference.get("always"):
        return True
    columns = {"methods": "method", "datasets": "dataset", "backends": "backend"}
    return any(
        fnmatchcase(row[column] or "", glob)
        for name, column in columns.items()
        for glob in reference.get(name, ())
        for row in rows
    )
