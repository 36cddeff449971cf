"""What `cellbench inspect` prints."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

from ...core.mixed_values import Facts
from ...core.text.words import counted
from ...datasets.audit.result import Audit

MARKS = {"ok": ("✓", "green"), "found": ("!", "yellow"), "skipped": ("–", "bright_black")}
SECTIONS = {
    "labels": "Labels",
    "test": "What the test part can show",
    "leakage": "Leakage across the split (images are counted from 0, in file order)",
    "shortcuts": "Shortcuts",
}
SHOWN_LAGS = ("1", "10", "50", "100", "200")
LEVELS = ("min", "p1", "median", "p99", "max")
WIDTH = 100


def page(audit: Audit, montage: Path | None) -> Iterator[str]:
    """Yield the lines of the page. montage: the file of the montage, None if none was written."""
    facts = audit.facts
    kind = "simulated images" if facts["synthetic"] else "images"
    yield click.style(f"{audit.name}, split {audit.split}, content {audit.fingerprint[:6]}", bold=True)
    yield (
        f"{facts['images']:,} {kind} of {facts['height']}×{facts['width']} px, {facts['dtype']}"
        + (f" (values use {facts['bits']} bits)" if facts["dtype"] == "uint16" else "")
        + f", {counted(len(facts['channels']), 'channel')}"
    )
    yield from _wrapped(f"Licence: {facts['licence']}")
    for note in facts["notes"]:
        yield from _wrapped(f"Note: {note}")
    yield from ("", _counts(facts), "", _intensities(facts))
    for section, title in SECTIONS.items():
        yield from ("", click.style(title, bold=True))
        for result in audit.checks:
            if result.section != section:
                continue
            mark, colour = MARKS[result.status]
            yield from _wrapped(result.text, click.style(mark, fg=colour, bold=True))
            if "by_class" in result.figures:
                yield from ("", textwrap.indent(_likeness(result.figures["by_class"]), "    "))
    yield from ("", f"Montage: {montage}") if montage else ()
    yield from ("", _verdict(audit))


def _verdict(audit: Audit) -> str:
    names = ", ".join(result.check for result in audit.problems)
    return f"{len(audit.problems)} found: {names}." if names else "Nothing found."


def _wrapped(text: str, mark: str = "") -> Iterator[str]:
    """Yield the text in lines of at most WIDTH characters, never broken before '%'. mark: begins the first line."""
    kept = text.replace(" %", "\N{NO-BREAK SPACE}%")
    first, *rest = (
        line.replace("\N{NO-BREAK SPACE}", " ")
        for line in textwrap.wrap(kept, WIDTH - 2 * bool(mark), break_on_hyphens=False)
    )
    yield f"{mark} {first}" if mark else first
    yield from (f"  {line}" for line in rest)


def _counts(facts: Facts) -> str:
    parts = list(facts["parts"])
    rows: list[list[Any]] = [
        [name, *(facts["counts"][part][name] for part in parts)] for name in facts["counts"][parts[0]]
    ]
    rows = [[*row, sum(row[1:])] for row in rows]
    rows.append(["images" if facts["multilabel"] else "all", *facts["parts"].values(), sum(facts["parts"].values())])
    if facts["groups"]:
        rows.append(["groups", *facts["groups"].values(), None])
    return _table(["class", *parts, "all"], [[row[0], *map(_number, row[1:])] for row in rows])


def _intensities(facts: Facts) -> str:
    header = ["channel", "min", "1 %", "median", "99 %", "max", "saturated", "zero"]
    rows = [
        [
            name,
            *(f"{level[key]:.4g}" if facts["dtype"] == "float32" else f"{level[key]:.0f}" for key in LEVELS),
            *(f"{100 * level[key]:.2f} %" for key in ("saturated", "zero")),
        ]
        for name, level in facts["intensity"].items()
    ]
    return _table(header, rows)


def _likeness(by_class: Mapping[str, Facts]) -> str:
    """Return a table of classes whose images resemble later ones: correlation by lag, and how far likeness reaches."""
    feature = next(key for key in next(iter(by_class.values())) if key.endswith(" by lag"))
    rows = [
        [name, *(f"{own[feature][lag]:.2f}" if lag in own[feature] else "" for lag in SHOWN_LAGS), own["reach"]]
        for name, own in by_class.items()
        if own["alike"]
    ]
    header = [f"correlation of {feature.removesuffix(' by lag')}", *(f"lag {lag}" for lag in SHOWN_LAGS), "reaches"]
    return _table(header, rows)


def _table(header: list[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table with its first column aligned to the left and all others to the right."""
    return tabulate(rows, header, disable_numparse=True, colalign=["left"] + ["right"] * (len(header) - 1))


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
