"""What `cellbench inspect --suspect-labels` prints."""

import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
from tabulate import tabulate

from ...core.mixed_values import Document
from ...core.text.words import counted
from ...methods.suspect_labels import METHOD, Suspect, SuspectLabels

SCHEMA_VERSION = 1
SHOWN = 20  # lines of the table
CLASS = 17  # characters of a class, at most
GAPS = 8  # characters of a rank, and between columns
WIDTH = 80
HEADING = ("labelled", "models expect")


def page(found: SuspectLabels, table: Path, picture: Path | None) -> Iterator[str]:
    """Yield the lines of the page. table, picture: the files that were written."""
    data, suspects = found.data, found.first(SHOWN)
    yield click.style(f"{data.name}, content {data.info.fingerprint[:6]}: suspect labels", bold=True)
    yield from textwrap.wrap(
        f"{counted(len(found), 'label')} judged by {METHOD} trained on other images. Those that it contradicts most "
        "stand first: wrong labels, and hard cells that are labelled well. None of them is wrong for sure; look at "
        "each.",
        WIDTH,
    )
    for text in unjudged(found):
        yield from textwrap.wrap(text, WIDTH)
    labels = [_labels(one) for one in suspects]
    room = WIDTH - GAPS - sum(max(map(len, column)) for column in zip(HEADING, *labels, strict=True))
    rows = [[str(one.rank), _end(one.name, room), *both] for one, both in zip(suspects, labels, strict=True)]
    yield from ("", tabulate(rows, ["", "image", *HEADING], disable_numparse=True))
    yield from ("", f"All {len(found):,}: {table}")
    if picture is not None:
        yield f"Picture of the first: {picture}"


def unjudged(found: SuspectLabels) -> Iterator[str]:
    """Yield a sentence about images that no model could judge, if there are any."""
    if not len(found.unjudged):
        return
    classes = Counter(found.data.classes[k] for k in found.data.labels[found.unjudged])
    named = ", ".join(f"{name} ({n:,})" for name, n in classes.most_common())
    yield f"Not judged, as too few images or groups of the class were left to learn from: {named}."


def document(found: SuspectLabels, table: Path, picture: Path | None) -> Document:
    """Return what `--format json` prints."""
    return {
        "schema_version": SCHEMA_VERSION,
        "dataset": found.data.name,
        "fingerprint": found.data.info.fingerprint,
        "method": METHOD,
        "judged": len(found),
        "unjudged": found.unjudged.tolist(),
        "suspects": [asdict(one) for one in found.first()],
        "table": str(table),
        "picture": None if picture is None else str(picture),
    }


def _labels(one: Suspect) -> tuple[str, str]:
    """Return the given and the likely label, each with its probability where it is one class."""
    if one.given_probability is None or one.likely_probability is None:
        return _start(one.given or "none"), _start(one.likely or "none")
    return (
        f"{_start(one.given)} {100 * one.given_probability:.1f} %",
        f"{_start(one.likely)} {100 * one.likely_probability:.1f} %",
    )


def _end(text: str, most: int) -> str:
    """Return the text, without as much of its beginning as is too long: ends of file names tell more."""
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _start(text: str) -> str:
    return text if len(text) <= CLASS else f"{text[: CLASS - 1]}…"
