"""What tuning found, as a suite: default and best settings of each method, for `cellbench run --suite FILE`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ...core.errors import UsageError, cannot_write
from ...core.mixed_values import Document
from ...core.records.runs import RunSpec, canonical
from ...core.records.store import write_whole
from ...core.suites import USUAL_SETTINGS, Entry, Suite, load, parse
from ...methods.registry import methods
from ..planning.plan import settings_that_follow
from .tuning import Tuned


def write(file: Path, tuned: Sequence[Tuned]) -> Suite:
    """Write the suite of what was tuned to a file, and return it.

    Entries of other methods that an earlier call wrote there stay. Raises UsageError if the file cannot be written, or
    holds something else than such a suite.
    """
    spec = tuned[0].job.spec
    entries = {entry["id"]: entry for entry in _earlier(file, spec)}
    entries |= {entry["id"]: entry for one in tuned for entry in _entries(one)}
    head = {
        "title": f"tuned on val of {spec.dataset}",
        "source": f"cellbench tune, data of content {spec.fingerprint}",
        "dataset": spec.dataset,
        "split": spec.split,
        **({} if spec.limit is None else {"limits": [spec.limit]}),
    }
    text = "\n".join([*_lines(head), *(line for entry in entries.values() for line in _table(entry))]) + "\n"
    suite = parse(file.stem, text)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, lambda out: out.write(text.encode()))
    except OSError as error:
        raise UsageError(cannot_write(file, error, "-o")) from error
    return suite


def _entries(tuned: Tuned) -> Iterable[Document]:
    method = tuned.job.spec.method
    usual = "the suite's" if tuned.base else "default"
    following = settings_that_follow(methods[method])
    # an entry that says nothing of these would have the usual ones of a protocol
    base = {**{name: "auto" for name in USUAL_SETTINGS if name in following}, **tuned.base}
    yield {"id": f"{method}-default", "label": f"{method}, {usual} settings", "method": method, "set": base}
    if tuned.settings:
        yield {
            "id": f"{method}-tuned",
            "label": f"{method}, tuned",
            "method": method,
            "set": {**base, **tuned.settings},
            "tuning": {"trials": tuned.trials, "seconds": round(tuned.seconds, 1)},
        }


def _earlier(file: Path, spec: RunSpec) -> list[Document]:
    if not file.exists():
        return []
    suite = load(str(file))
    same_images = spec.fingerprint in suite.source and suite.split == spec.split and suite.limits == (spec.limit,)
    if not same_images:
        return []  # of other data, another split or another limit: nothing in it can be compared
    return [_plain(entry) for entry in suite.entries]


def _plain(entry: Entry) -> Document:
    found = {"id": entry.id, "label": entry.label, "method": entry.method, "set": dict(entry.set)}
    return {**found, **({"tuning": dict(entry.tuning)} if entry.tuning else {})}


def _table(entry: Mapping[str, object]) -> list[str]:
    return ["", "[[entries]]", *_lines({name: value for name, value in entry.items() if value != {}})]


def _lines(values: Mapping[str, object]) -> list[str]:
    return [f"{name} = {_toml(value)}" for name, value in values.items()]


def _toml(value: object) -> str:
    """Return a value as TOML; None is the word 'none', as suites have it."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps("none" if value is None else canonical(value), ensure_ascii=False)
