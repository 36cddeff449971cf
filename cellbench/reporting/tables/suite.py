"""A suite's entries: what their study claimed, what others published, what was measured here."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...core.data import PARTS as MEASURED
from ...core.mixed_values import Document, Facts
from ...core.split_names import OFFICIAL
from ...core.suites import KINDS, PARTS_OF_FIGURES, TIMES, Figures, Suite, amount, titled
from ...results.results import Results
from ...results.rows.row import Line, Row
from ...results.rows.settings import follows, listed
from ..captions import absent_of, deviation_of, device_of, hardware_of, name_of, seeds_of
from .table import PERCENT, POINTS, SECONDS, Column, Table

Expected = Sequence[Facts]  # as running.planning.suites.expected has them
MAIN = ("test_accuracy", "test_macro_f1")
FIGURE_KEYS = tuple(f"{part}{kind}" for part in (*(f"{part}_" for part in PARTS_OF_FIGURES), "") for kind in KINDS)


class Keys(NamedTuple):
    """Keys of a line on figures from the literature: the figures, the images that they are of, and their device."""

    values: str
    on: str
    device: str


CLAIMED = Keys("claimed", "claimed_on", "claimed_device")
PUBLISHED = Keys("published", "published_on", "published_device")
VARIANT = "†"
ELSEWHERE = "‡"


def claims(results: Results, suite: Suite, expected: Expected) -> Table:
    """Return a table with a row for each entry of the suite and each way in which it was run.

    Of an entry's rows those that ran as the suite has it come before variants. A result belongs to an entry with the
    same method, settings and preprocessing, whatever its data set, limit, split or seed; one with settings that no
    entry has belongs to the entry that it was run for, if any.
    """
    runs = _by_entry(results.rows, expected)
    rows = [row for entry in expected for row in _rows(suite, entry, runs[entry["entry"]])]
    rows += [_published(suite, figures) for figures in suite.published]
    measured = [row for row in rows if row["measured"]]
    notes = [*_legend(suite, rows), *deviation_of(measured), *_missing(suite, expected, runs), *_sources(suite)]
    if measured:
        notes += [*absent_of(measured), *hardware_of(measured)]
    return Table("claims", f"{suite.name}: {suite.title}", _columns(suite, rows), tuple(rows), tuple(notes))


def _by_entry(rows: Sequence[Row], expected: Expected) -> dict[str, list[Row]]:
    """Return the rows of each entry, by the entry's id.

    Where several entries have the row's settings, the row goes to those that fit it best, see `_fit`.
    """
    found: dict[str, list[Row]] = {entry["entry"]: [] for entry in expected}
    for row in rows:
        alike = [entry for entry in expected if _settings(entry, row, entry) == _settings(row, row, entry)]
        alike = alike or [e for e in expected if f"{e['suite']}/{e['entry']}" in json.loads(row["entries"] or "[]")]
        fits = [_fit(entry, row) for entry in alike]
        for entry, fit in zip(alike, fits, strict=True):
            if fit == max(fits):
                found[entry["entry"]].append(row)
    return found


def _fit(entry: Facts, row: Row) -> int:
    """Return how well the entry's split and limits match the row's, from 0 to 4; more is better.

    The same split counts 1, the row's limit among the entry's counts 2, and an entry that is also on all images
    counts 1, whatever the row's limit.
    """
    fit: int = (row["split"] == entry["split"]) + 2 * (row["limit"] in entry["limits"]) + (None in entry["limits"])
    return fit


def _settings(asked: Facts, row: Row, entry: Facts) -> tuple[str, Line, Line]:
    """Return the method, parameters and preprocessing of `asked`, which is a row or an entry, to compare the two.

    An entry has other parameters for images with several labels; the row says which apply. Parameters that `entry`
    leaves to follow from the number of training images are left out, see `_left_open`.
    """
    several = row["several_labels"] and "params_of_several_labels" in asked
    params = json.loads(asked["params_of_several_labels" if several else "params"])
    left_open = _left_open(entry, row)
    fixed = {name: value for name, value in params.items() if name not in left_open}
    return asked["method"], fixed, json.loads(asked["preprocessing"])


def _left_open(entry: Facts, row: Row) -> set[str]:
    """Return the names of settings that follow from the number of training images both in the entry and in the row.

    Older records don't say what follows: for them it is what follows in the entry and was not changed by the user.
    """
    of_entry = set(entry.get("follows", ()))
    return of_entry - set(json.loads(row["overrides"])) if row.get("follows") is None else of_entry & follows(row)


def _changed(entry: Facts, row: Row) -> str:
    """Return the row's settings that differ from the entry's, as text 'name=value, …'."""
    given, found = ({**p, **q} for _, p, q in (_settings(entry, row, entry), _settings(row, row, entry)))
    return listed({name: found.get(name) for name in {**given, **found} if given.get(name) != found.get(name)})


def _rows(suite: Suite, entry: Facts, runs: Sequence[Row]) -> list[Line]:
    about = {"suite": suite.name, "entry": entry["entry"], "label": entry["label"]}
    about |= _literature(entry["claimed"], entry["published"])
    if not runs:
        return [{**about, "measured": False, "variant": False}]
    runs = sorted(runs, key=lambda row: _order(suite, entry, row))
    return [{**_kept(row), **about, **_measured(suite, entry, row)} for row in runs]


def _kept(row: Row) -> Line:
    return {name: value for name, value in row.items() if name not in ("files", "runs")}


def _order(suite: Suite, entry: Facts, row: Row) -> tuple[object, ...]:
    size = row["limit"] or float("inf")
    rest = (row["split"] != OFFICIAL, row["split"], size, _changed(entry, row), row["device"], row["machine"])
    return (_is_variant(suite, entry, row), row["dataset"], *rest)


def _is_variant(suite: Suite, entry: Facts, row: Row) -> bool:
    drawn = entry["split"] != OFFICIAL and row["split"] != entry["split"]
    return row["dataset"] != suite.dataset or row["limit"] not in entry["limits"] or drawn or bool(_changed(entry, row))


def _measured(suite: Suite, entry: Facts, row: Row) -> Line:
    """Return whether the row is a variant of the entry, its changed settings, and its difference from the claim.

    off: measured minus claimed, as a fraction; None for a variant and where nothing comparable was claimed.
    """
    variant = _is_variant(suite, entry, row)
    claimed = (entry["claimed"] or {}).get("values", {})
    name = next((name for name in MAIN if name in claimed), None)
    figure = row.get(name) if name and not variant else None
    off = None if figure is None else figure - claimed[name]
    return {"measured": True, "variant": variant, "changed": _changed(entry, row), "off": off}


def _published(suite: Suite, figures: Figures) -> Line:
    about = {"suite": suite.name, "entry": "", "label": f"({figures.what})", "measured": False, "variant": False}
    return {**about, **_literature(None, vars(figures))}


def _literature(claimed: Facts | None, published: Facts | None) -> Line:
    """Return the entries of a line on what the study claimed and what others published."""
    line: Document = {}
    for keys, figures in ((CLAIMED, claimed or {}), (PUBLISHED, published or {})):
        line |= {keys.values: figures.get("values")}
        line |= {keys.on: figures.get("on") or None, keys.device: figures.get("device") or None}
    return line


def _columns(suite: Suite, rows: Sequence[Line]) -> tuple[Column, ...]:
    claimed, published = ({key for row in rows for key in row[name] or ()} for name in ("claimed", "published"))
    keys_shown = [key for key in FIGURE_KEYS if key in claimed | published]
    others = [key for key in keys_shown if key.partition("_")[0] in MEASURED and key not in MAIN]
    return (
        Column("label", "entry", label=True),
        Column(_data, "measured on", label=True, when=lambda rows: any(row["variant"] for row in rows)),
        Column(_limit, "training\nimages", label=True, when=lambda rows: any(row.get("limit") for row in rows)),
        Column("split", "split", label=True, when=lambda rows: len({row.get("split") for row in rows} - {None}) > 1),
        Column("changed", "changed", label=True, when="any"),
        *(_figure_column(CLAIMED, key, spare=0 if key in MAIN else 2) for key in keys_shown if key in claimed),
        *(_figure_column(CLAIMED, key, spare=3) for key in TIMES if key in claimed),
        *(_figure_column(PUBLISHED, key, spare=0 if key in MAIN else 1) for key in keys_shown if key in published),
        Column("test_accuracy", "measured\ntest accuracy", PERCENT, spread=True, mark=_mark, when="any"),
        Column("test_macro_f1", "measured\ntest macro-F1", PERCENT, spread=True, mark=_mark),
        Column("off", "measured\n− claimed", POINTS, when="any"),
        *(
            Column(key, f"measured\n{titled(key)}", PERCENT, spread=True, mark=_mark, spare=2, when="any")
            for key in others
        ),
        Column("train_seconds", "training", SECONDS, spread=True, spare=1, when="any"),
        Column(lambda row: device_of(row) if row["measured"] else None, "device\n(threads)", label=True, when="any"),
        Column("machine", "machine", label=True, when=_several_machines, spare=3),
        Column(lambda row: seeds_of(row) if row["measured"] else None, "seeds", label=True, when="any"),
    )


def _figure_column(keys: Keys, figure: str, spare: int) -> Column:
    """Return a column of a claimed or published figure, as text, so that it has only the digits of its source.

    A time is followed by its device, and a figure on another data set by ELSEWHERE.
    """

    def text(row: Line) -> str | None:
        value = (row[keys.values] or {}).get(figure)
        if value is None:
            return None
        device = row[keys.device] if figure in TIMES else None
        return amount(figure, value) + (f" {device}" if device else "") + (ELSEWHERE if row[keys.on] else "")

    return Column(text, f"{keys.values}\n{titled(figure)}", label=True, spare=spare)


def _data(row: Line) -> str | None:
    return name_of([row]) if row["measured"] else None


def _limit(row: Line) -> str | None:
    return (f"{row['limit']:,}" if row["limit"] else "all") if row["measured"] else None


def _mark(row: Line) -> str:
    return VARIANT if row["variant"] else ""


def _several_machines(rows: Sequence[Line]) -> bool:
    return len({row["machine"] for row in rows if row["measured"]}) > 1


def _legend(suite: Suite, rows: Sequence[Line]) -> list[str]:
    lines = []
    if any(row["variant"] for row in rows):
        text = f"{VARIANT} a variant: other images, another number of them or other settings than the suite's"
        claimed = any(entry.claimed for entry in suite.entries)
        lines.append(f"{text}; claimed is what the source says of {suite.dataset}." if claimed else f"{text}.")
    if any(row["claimed_on"] or row["published_on"] for row in rows):
        lines.append(f"{ELSEWHERE} not on {suite.dataset}: see its source.")
    return lines


def _missing(suite: Suite, expected: Expected, runs: Mapping[str, Sequence[Row]]) -> list[str]:
    """Return a line on how many entries were not run as the suite has them, with the command that does, in a list.

    The list is empty if all entries were.
    """
    left = [e["entry"] for e in expected if all(_is_variant(suite, e, row) for row in runs[e["entry"]])]
    if not left:
        return []
    text = f"{len(left)} of {len(expected)} entries not" if len(left) < len(expected) else "No entry is"
    return [f"{text} run on {suite.dataset} yet; do it with: cellbench run --suite {suite.argument}"]


def _sources(suite: Suite) -> list[str]:
    """Return the suite's source, then a line for each place that claimed or published figures are from."""
    given = [("claimed", e.label, e.claimed) for e in suite.entries if e.claimed]
    given += [("published", e.label, e.published) for e in suite.entries if e.published]
    given += [("published", one.what, one) for one in suite.published]
    places: dict[tuple[str, str], list[str]] = {}
    for kind, label, one in given:
        about = ", ".join(filter(None, [one.where, one.on, "quoted by others" if one.quoted else ""]))
        places.setdefault((kind, about), []).append(label)
    lines = [f"{kind}: {'; '.join(labels)}: {about}." for (kind, about), labels in places.items()]
    source = f"Source: {', '.join(filter(None, [suite.source, suite.url]))}."
    return [source, *lines, f"What is assumed or not rebuilt: cellbench list suites {suite.argument}"]
