"""The text of `cellbench list suites`."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ...core.mixed_values import SettingValues
from ..wrapping import paragraph

if TYPE_CHECKING:
    from ...core.suites import Entry, Suite


def overview(suites: Sequence["Suite"]) -> str:
    """Return a table with a row for each suite and what it is below, published studies first."""
    from tabulate import tabulate

    ordered = sorted(suites, key=lambda suite: not suite.study)
    rows = [[s.name, len(s.entries), s.dataset, _state(s), _whose(s)] for s in ordered]
    head, rule, *lines = tabulate(rows, ["suite", "entries", "data set", "state", "whose"]).split("\n")
    described = (f"{line}\n{paragraph(s.title, '  ')}" for line, s in zip(lines, ordered, strict=True))
    return "\n".join([head, rule, *described])


def _whose(suite: "Suite") -> str:
    return "a study's" if suite.study else "cellbench's"


def detail(suite: "Suite") -> str:
    """Return the details of a suite as text: its runs, the published figures, assumptions, and what is not rebuilt."""
    from ...core.suites import figures_text

    lists = {
        "Published by others": [f"{one.what}: {figures_text(one)}" for one in suite.published],
        "Not in the source, and assumed": suite.assumed,
        "Not rebuilt": suite.not_rebuilt,
    }
    blocks = [_head(suite), "Runs:", *map(_entry, suite.entries)]
    if search := suite.search:
        tried = ", ".join(f"{name} {'|'.join(map(_plain, values))}" for name, values in search.vary.items())
        how = f"{search.trials} trials on {100 * search.part:g} % of the training images, the best {search.best} on all"
        blocks += ["", "Searched by cellbench tune:", paragraph(f"{search.method}: {tried}; {how}", "  ", "- ")]
    for title, items in lists.items():
        if items:
            blocks += ["", f"{title}:", *(paragraph(item, "  ", "- ") for item in items)]
    blocks += ["", f"Run it with:  cellbench run --suite {suite.argument}"]
    blocks += [f"Search with:  cellbench tune --suite {suite.argument}"] if suite.search else []
    return "\n".join([*blocks, f"See it with:  cellbench table --suite {suite.argument}"])


def _head(suite: "Suite") -> str:
    lines = [f"{suite.name}: {suite.title}", f"source: {', '.join(filter(None, (suite.source, suite.url)))}"]
    place = f"data set: {suite.dataset} ({_state(suite)}), split {suite.split}"
    lines.append(f"{place}; seeds: {', '.join(map(str, suite.seeds))}")
    if suite.limits != (None,):
        lines[-1] += "; training images: " + ", ".join("all" if n is None else f"{n:,}" for n in suite.limits)
    if suite.protocol:
        lines.append(f"training of the source: {suite.protocol}")
    if suite.set:
        lines.append(f"settings of all: {_listed(suite.set)}")
    return "\n".join(map(paragraph, lines)) + "\n"


def _entry(entry: "Entry") -> str:
    """Return an entry as its name and its method, and below them its settings and what was said of its accuracy."""
    from ...core.suites import figures_text

    below = {
        "settings": _own_settings(entry),
        "claimed": figures_text(entry.claimed),
        "published": figures_text(entry.published),
    }
    lines = [f"- {entry.id}: {entry.method}" if entry.id != entry.method else f"- {entry.id}"]
    lines += [paragraph(f"{what}: {text}", "      ", "    ") for what, text in below.items() if text]
    return "\n".join(lines)


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


def _listed(settings: SettingValues) -> str:
    return ", ".join(f"{key}={_plain(value)}" for key, value in settings.items())


def _plain(value: object) -> str:
    """Return a value as `--set` takes it; of more than three equal ones in a row one, and how often: '0.15×24'."""
    if isinstance(value, tuple):
        runs = ((text, len([*same])) for text, same in groupby(map(_plain, value)))
        return ",".join(f"{text}×{n}" if n > 3 else ",".join([text] * n) for text, n in runs)
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
