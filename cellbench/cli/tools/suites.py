"""The text of `cellbench list suites`."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...core.suites import Entry, Suite


def overview(suites: Sequence["Suite"]) -> str:
    """Return a table with a line for each suite, published studies first."""
    from tabulate import tabulate

    ordered = sorted(suites, key=lambda suite: not suite.study)
    rows = [[s.name, len(s.entries), s.dataset, _state(s), _whose(s), s.title] for s in ordered]
    return tabulate(rows, ["suite", "entries", "data set", "state", "whose", "what it is"])


def _whose(suite: "Suite") -> str:
    return "a study's" if suite.study else "cellbench's"


def detail(suite: "Suite", width: int) -> str:
    """Return the details of a suite as text: its runs, the published figures, assumptions, and what is not rebuilt."""
    from tabulate import tabulate

    from ...core.suites import told

    seeds = ", ".join(map(str, suite.seeds))
    limits = "; training images: " + ", ".join("all" if n is None else f"{n:,}" for n in suite.limits)
    head = [
        f"{suite.name}: {suite.title}",
        *_filled(f"source: {suite.source}" + f", {suite.url}" * bool(suite.url), width),
        f"data set: {suite.dataset} ({_state(suite)}), split {suite.split}; seeds: {seeds}"
        + limits * (suite.limits != (None,)),
        *_filled(f"settings of all: {_listed(suite.set)}" if suite.set else "", width),
    ]
    rows = [[e.id, e.method, _own_settings(e), told(e.claimed), told(e.published)] for e in suite.entries]
    used = [i for i in range(5) if i < 2 or any(row[i] for row in rows)]
    titles = ("entry", "method", "settings of its own", "claimed", "published")
    room = (None, None, 36, 34, 28)
    table = tabulate(
        [[row[i] for i in used] for row in rows],
        [titles[i] for i in used],
        maxcolwidths=[room[i] for i in used],
        disable_numparse=True,
    )
    lists = {
        "Published by others": [f"{one.what}: {told(one)}" for one in suite.published],
        "Not told by the source, and assumed": suite.assumed,
        "Not rebuilt": suite.not_rebuilt,
    }
    blocks = ["\n".join(line for line in head if line), table]
    for title, items in lists.items():
        if items:
            lines = [line for item in items for line in _filled(f"- {item}", width, "  ")]
            blocks.append("\n".join([f"{title}:", *lines]))
    blocks.append(
        f"Run it with:  cellbench run --suite {suite.name}\nSee it with:  cellbench table --suite {suite.name}"
    )
    return "\n\n".join(blocks)


def _state(suite: "Suite") -> str:
    from ...datasets import datasets
    from ...datasets.files import cache

    entry = datasets[suite.dataset]
    if cache.is_ready(entry.key):
        return "ready"
    return "made when first used" if entry.made_on_demand else "not prepared"


def _own_settings(entry: "Entry") -> str:
    place = {name: value for name, value in (("split", entry.split), ("limit", entry.limit)) if value}
    return _listed({**place, **entry.set})


def _listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={_plain(value)}" for key, value in settings.items())


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_plain, value))
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _filled(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
